"""The rules of 行文 that a draft must keep before it goes to anyone: thin now, each one small and with its clause."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from saas.documents.elements import Elements
from saas.documents.kinds import UPWARD, Kind, kind_of_title
from saas.documents.secrecy import bears_secret_mark

LONGEST_TITLE = 150
LONGEST_BODY = 200_000
# A letter may answer (……的答复) and an order may carry a regulation by its name.
_TITLES_WITHOUT_KIND = frozenset({Kind.LETTER, Kind.ORDER})
_REGULATION = "《党政机关公文处理工作条例》"


class Severity(enum.StrEnum):
    """Whether a finding stops the document or is only shown."""

    BLOCK = "block"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach: the element it is in, what is wrong, and the clause that says so."""

    element: str
    message: str | Promise
    clause: str
    severity: Severity = Severity.BLOCK


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What the rules look at."""

    kind: Kind
    elements: Elements
    known_codes: frozenset[str] = frozenset()


type_of_rule = Callable[[Draft], Iterator[Finding]]


def _title(draft: Draft) -> Iterator[Finding]:
    title = draft.elements.title.strip(" \u3000\n")
    clause = f"{_REGULATION}第九条（七）"
    if not title:
        yield Finding("title", _("标题不能为空，也不能只有空格。"), clause)
        return
    if len(title) < 4:
        yield Finding("title", _("标题过短，应由发文机关名称、事由和文种组成。"), clause)
    if len(title) > LONGEST_TITLE:
        yield Finding("title", _("标题超过150字，请精简事由。"), clause)
    if re.search(r"关于[\s的]*$", title):
        yield Finding("title", _("标题没有写完：“关于”之后应写明事由和文种。"), clause)
        return
    found = kind_of_title(title)
    if found is None and draft.kind not in _TITLES_WITHOUT_KIND:
        yield Finding("title", _("标题缺少文种，应以“……的%(kind)s”结尾。") % {"kind": draft.kind.label}, clause)
    elif found is not draft.kind:
        yield Finding("title", _("标题末尾与所选文种不一致。"), clause, Severity.HINT)
    if "关于" not in title and draft.kind not in {Kind.ORDER, Kind.ANNOUNCEMENT, Kind.MINUTES}:
        yield Finding("title", _("标题缺少“关于……的”事由。"), clause, Severity.HINT)


def _elements(draft: Draft) -> Iterator[Finding]:
    elements = draft.elements
    if not elements.mark.strip():
        yield Finding("mark", _("缺少发文机关标志。"), f"{_REGULATION}第九条（四）")
    if not elements.body.strip():
        yield Finding("body", _("缺少正文。"), f"{_REGULATION}第九条（九）")
    if len(elements.body) > LONGEST_BODY:
        yield Finding("body", _("正文超过20万字，请改为附件。"), f"{_REGULATION}第十九条")
    if not any(name.strip() for name in elements.signatures):
        yield Finding("signatures", _("缺少发文机关署名。"), f"{_REGULATION}第九条（十一）")


def _recipients(draft: Draft) -> Iterator[Finding]:
    recipients = draft.elements.recipients.strip()
    without = {Kind.ANNOUNCEMENT, Kind.PUBLIC_NOTICE, Kind.COMMUNIQUE, Kind.ORDER, Kind.RESOLUTION, Kind.DECISION}
    if not recipients and draft.kind not in {*without, Kind.MINUTES}:
        yield Finding("recipients", _("缺少主送机关。"), f"{_REGULATION}第九条（八）")
    unknown = [code for code in draft.elements.recipient_codes if code not in draft.known_codes]
    if unknown:
        yield Finding("recipients", _("所选主送机关中有不在云署或已停用的单位。"), f"{_REGULATION}第十三条")


def _upward(draft: Draft) -> Iterator[Finding]:
    if draft.kind not in UPWARD:
        return
    if len(re.split(r"[，、；,;]", draft.elements.recipients.strip("，、；"))) > 1:
        yield Finding(
            "recipients", _("上行文原则上主送一个上级机关，其他相关机关用抄送。"), f"{_REGULATION}第十五条（一）"
        )
    if draft.kind is Kind.REPORT and re.search(r"(请批示|请审批|请批准|请予批复)。?\s*$", draft.elements.body.strip()):
        yield Finding("body", _("不得在报告中夹带请示事项。"), f"{_REGULATION}第十五条（四）")
    if draft.kind is Kind.REQUEST and "请示报告" in draft.elements.title:
        yield Finding("title", _("“请示报告”不是文种，请示应当一文一事。"), f"{_REGULATION}第十五条（四）")


def _secrets(draft: Draft) -> Iterator[Finding]:
    elements = draft.elements
    for element, text in (("title", elements.title), ("body", elements.full_text()), ("mark", elements.mark)):
        if bears_secret_mark(text):
            yield Finding(
                element,
                _("国家秘密（绝密、机密、秘密）不得在本系统起草、登记或传递，请改用保密渠道。"),
                "《中华人民共和国保守国家秘密法》；" + f"{_REGULATION}第三十一条",
            )
            return


RULES: tuple[type_of_rule, ...] = (_title, _elements, _recipients, _upward, _secrets)


def findings(draft: Draft) -> list[Finding]:
    """Every breach of every rule, the blocking ones first."""
    found = [finding for rule in RULES for finding in rule(draft)]
    return sorted(found, key=lambda f: f.severity is not Severity.BLOCK)
