"""Who works in the demonstration: invented people of an invented city (云州市), the same at every run."""

from __future__ import annotations

import random
from dataclasses import dataclass

from saas.organisation.models import PostKind

PEOPLE_PER_BUREAU = 60

_SURNAMES = (
    "李li 王wang 张zhang 刘liu 陈chen 杨yang 赵zhao 黄huang 周zhou 吴wu 徐xu 孙sun 胡hu 朱zhu 高gao 林lin 何he 郭guo "
    "马ma 罗luo 梁liang 宋song 郑zheng 谢xie 韩han 唐tang 冯feng 于yu 董dong 萧xiao 程cheng 曹cao 袁yuan 邓deng 许xu "
    "傅fu 沈shen 曾zeng 彭peng 吕lv"
)
_GIVEN = (
    "建国jianguo 志强zhiqiang 秀英xiuying 晓明xiaoming 丽华lihua 文斌wenbin 海燕haiyan 国庆guoqing 玉兰yulan "
    "永红yonghong 春梅chunmei 立新lixin 伟东weidong 雪峰xuefeng 佳宁jianing 思远siyuan 静怡jingyi 浩然haoran "
    "子涵zihan 明辉minghui 婷婷tingting 俊杰junjie 慧敏huimin 天宇tianyu 雅琴yaqin 宏伟hongwei 燕飞yanfei "
    "德胜desheng 淑芬shufen 振华zhenhua 一鸣yiming 若兰ruolan 少波shaobo 向阳xiangyang 亚男yanan 广平guangping "
    "琳lin 磊lei 敏min 涛tao 洁jie 勇yong 娟juan 强qiang"
)


def _pairs(text: str) -> list[tuple[str, str]]:
    pairs = []
    for word in text.split():
        cut = next(index for index, letter in enumerate(word) if letter.isascii())
        pairs.append((word[:cut], word[cut:]))
    return pairs


@dataclass(frozen=True, slots=True)
class Member:
    """One person in one post."""

    name: str
    username: str
    staff_number: str
    unit: str
    post: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """A unit: its name, code, how many ordinary staff, and the leader in charge (index of the deputy)."""

    name: str
    code: str
    staff: int
    in_charge: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BureauPlan:
    """One bureau of the demonstration.

    Args:
        code: host name and registry code.
        name: legal name, as on the seal.
        mark: 机关代字.
        head: what the head's post is called.
        deputy: what a deputy's post is called.
        section_head: what the head of a section is called.
        general_office: the section that keeps documents.
        offices: the sections, the general office first.
    """

    code: str
    name: str
    short_name: str
    mark: str
    head: str
    deputy: str
    section_head: str
    offices: tuple[Office, ...]
    seed: int
    leaders_unit: str = "领导班子"
    deputies: int = 4

    @property
    def countersigning(self) -> list[str]:
        """Names of the two sections whose heads countersign what leaves the bureau."""
        others = [one.name for one in self.offices if one.code in {"FG", "ZH"} and one is not self.general_office]
        return [*others[:1], self.offices[2].name]

    @property
    def general_office(self) -> Office:
        """The section that numbers, seals, sends and receives."""
        return self.offices[0]

    def people(self) -> list[Member]:
        """Everybody, in rank order; the same at every call."""
        chance = random.Random(self.seed)  # noqa: S311
        surnames, given = _pairs(_SURNAMES), _pairs(_GIVEN)
        names: dict[str, str] = {}
        while len(names) < PEOPLE_PER_BUREAU:
            (first, first_latin), (last, last_latin) = chance.choice(surnames), chance.choice(given)
            if first_latin + last_latin not in names.values():
                names.setdefault(first + last, first_latin + last_latin)
        people = list(names.items())
        seats = self._seats()
        if len(seats) != PEOPLE_PER_BUREAU:
            raise ValueError(f"{self.code} has {len(seats)} seats")
        return [
            Member(
                name=name,
                username=username,
                staff_number=f"{self.code.upper()}{index:03d}",
                unit=unit,
                post=post,
                kind=kind,
            )
            for index, ((name, username), (unit, post, kind)) in enumerate(zip(people, seats, strict=True), 1)
        ]

    def _seats(self) -> list[tuple[str, str, str]]:
        seats = [(self.leaders_unit, self.head, PostKind.LEADER.value)]
        seats += [
            (self.leaders_unit, f"{self.deputy}（{number}）", PostKind.IN_CHARGE.value)
            for number in "一二三四"[: self.deputies]
        ]
        for office in self.offices:
            seats.append((office.name, self.section_head, PostKind.LEADER.value))
            seats.append((office.name, f"副{self.section_head}", PostKind.DEPUTY.value))
            if office is self.general_office:
                seats += [
                    (office.name, "文书", PostKind.CLERK.value),
                    (office.name, "机要文书", PostKind.CLERK.value),
                    (office.name, "档案管理员", PostKind.STAFF.value),
                ]
            seats += [(office.name, "科员", PostKind.STAFF.value)] * office.staff
        return seats


ZFB = BureauPlan(
    code="zfb",
    name="云州市人民政府办公室",
    short_name="市政府办公室",
    mark="云政办",
    head="办公室主任",
    deputy="办公室副主任",
    section_head="科长",
    seed=20261,
    offices=(
        Office(name="文电科", code="WD", staff=4, in_charge=0),
        Office(name="综合科", code="ZH", staff=5, in_charge=0),
        Office(name="秘书一科", code="M1", staff=4, in_charge=1),
        Office(name="秘书二科", code="M2", staff=4, in_charge=1),
        Office(name="督查科", code="DC", staff=4, in_charge=2),
        Office(name="信息科", code="XX", staff=4, in_charge=2),
        Office(name="政策法规科", code="FG", staff=3, in_charge=3),
        Office(name="人事科", code="RS", staff=3, in_charge=3),
        Office(name="行政科", code="XZ", staff=3, in_charge=3),
    ),
)
JXJ = BureauPlan(
    code="jxj",
    name="云州市经济和信息化局",
    short_name="市经信局",
    mark="云经信",
    head="局长",
    deputy="副局长",
    section_head="科长",
    seed=20262,
    offices=(
        Office(name="办公室", code="BG", staff=4, in_charge=0),
        Office(name="政策法规科", code="FG", staff=4, in_charge=0),
        Office(name="运行监测科", code="YX", staff=4, in_charge=1),
        Office(name="规划投资科", code="GH", staff=4, in_charge=1),
        Office(name="科技创新科", code="KJ", staff=4, in_charge=2),
        Office(name="中小企业科", code="ZX", staff=4, in_charge=2),
        Office(name="信息化推进科", code="XH", staff=4, in_charge=3),
        Office(name="节能科", code="JN", staff=3, in_charge=3),
        Office(name="人事科", code="RS", staff=3, in_charge=0),
    ),
)
FGJ = BureauPlan(
    code="fgj",
    name="云州市发展和改革局",
    short_name="市发改局",
    mark="云发改",
    head="局长",
    deputy="副局长",
    section_head="科长",
    seed=20263,
    offices=(
        Office(name="办公室", code="BG", staff=4, in_charge=0),
        Office(name="国民经济综合科", code="ZH", staff=4, in_charge=0),
        Office(name="固定资产投资科", code="TZ", staff=4, in_charge=1),
        Office(name="产业发展科", code="CY", staff=4, in_charge=1),
        Office(name="社会发展科", code="SH", staff=4, in_charge=2),
        Office(name="价格管理科", code="JG", staff=4, in_charge=2),
        Office(name="能源科", code="NY", staff=4, in_charge=3),
        Office(name="体制改革科", code="GG", staff=3, in_charge=3),
        Office(name="人事科", code="RS", staff=3, in_charge=0),
    ),
)
BUREAUS = (ZFB, JXJ, FGJ)
