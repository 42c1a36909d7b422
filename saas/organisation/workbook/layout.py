"""What the workbook's sheets and columns are called, for reading and writing alike."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from saas.organisation.models import PostKind

LARGEST_FILE = 20 * 1024 * 1024
LARGEST_UNPACKED = 150 * 1024 * 1024
MOST_PARTS = 300
MOST_ROWS = 100_000
YES, NO = "是", "否"
# In Chinese whatever the reader's language: the workbook is data, and must read back the same.
POST_KINDS = {
    "主要负责人": PostKind.LEADER.value,
    "分管领导": PostKind.IN_CHARGE.value,
    "副职": PostKind.DEPUTY.value,
    "文书": PostKind.CLERK.value,
    "工作人员": PostKind.STAFF.value,
}
POST_KIND_NAMES = {value: name for name, value in POST_KINDS.items()}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, and whether a row must fill it."""

    heading: str
    needed: bool = False
    width: int = 14


class Sheet(enum.Enum):
    """A sheet, by its name."""

    UNITS = "部门"
    POSTS = "岗位"
    PEOPLE = "人员"
    APPOINTMENTS = "任职"

    @property
    def title(self) -> str:
        """The sheet's name."""
        return str(self.value)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns in order."""
        return _COLUMNS[self]


_COLUMNS: dict[Sheet, tuple[Column, ...]] = {
    Sheet.UNITS: (
        Column("部门编码", needed=True),
        Column("部门名称", needed=True, width=28),
        Column("简称"),
        Column("上级部门编码"),
        Column("排序", width=8),
        Column("分管岗位部门编码", width=18),
        Column("分管岗位名称", width=18),
        Column("启用", width=8),
    ),
    Sheet.POSTS: (
        Column("部门编码", needed=True),
        Column("岗位名称", needed=True, width=20),
        Column("类别", needed=True),
        Column("排序", width=8),
        Column("启用", width=8),
    ),
    Sheet.PEOPLE: (
        Column("工号", needed=True),
        Column("姓名", needed=True),
        Column("登录名"),
        Column("手机", width=16),
        Column("邮箱", width=26),
        Column("排序", width=8),
        Column("启用", width=8),
    ),
    Sheet.APPOINTMENTS: (
        Column("工号", needed=True),
        Column("部门编码", needed=True),
        Column("岗位名称", needed=True, width=20),
        Column("开始日期", needed=True),
        Column("结束日期"),
        Column("代理", width=8),
        Column("主职", width=8),
    ),
}
BY_TITLE = {sheet.title: sheet for sheet in Sheet}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where a person finds it. Row 0 speaks of the whole sheet, an empty sheet of the file."""

    sheet: str
    row: int
    column: str
    reason: str
