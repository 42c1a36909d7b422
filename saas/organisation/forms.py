"""Forms of the administration; what a valid value is, the services say (`saas.organisation.rules`)."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from saas.organisation.models import Post, PostKind
from saas.organisation.rules import LARGEST_POSITION
from saas.organisation.selectors import UnitNode


def unit_choices(nodes: list[UnitNode], *, none: str) -> list[tuple[str, str]]:
    """Units in tree order, indented by their depth; the first choice is `none`."""
    return [("", none), *((str(node.unit.id), "　" * node.depth + node.unit.name) for node in nodes)]


def post_choices(posts: list[Post], *, none: str) -> list[tuple[str, str | list[tuple[str, str]]]]:
    """Posts (units loaded, in order) grouped by unit; the first choice is `none`."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for post in posts:
        groups.setdefault(post.unit.name, []).append((str(post.id), post.name))
    return [("", none), *groups.items()]


def _id(text: object) -> UUID | None:
    return UUID(str(text)) if text else None


class UnitForm(forms.Form):
    """A unit's names, its place and who is in charge of it."""

    name = forms.CharField(label=_("部门名称"), max_length=100)
    short_name = forms.CharField(label=_("简称"), max_length=40, required=False)
    code = forms.CharField(label=_("部门编码"), max_length=40, help_text=_("字母、数字、点和横线；导入时按它识别"))
    parent = forms.TypedChoiceField(label=_("上级部门"), required=False, coerce=_id, empty_value=None)
    in_charge_post = forms.TypedChoiceField(label=_("分管领导岗位"), required=False, coerce=_id, empty_value=None)


class PostForm(forms.Form):
    """A post."""

    name = forms.CharField(label=_("岗位名称"), max_length=60)
    kind = forms.ChoiceField(label=_("类别"), choices=PostKind.choices)
    position = forms.IntegerField(label=_("排序"), min_value=0, max_value=LARGEST_POSITION, initial=10)


class PersonForm(forms.Form):
    """A person."""

    name = forms.CharField(label=_("姓名"), max_length=60)
    staff_number = forms.CharField(label=_("工号"), max_length=40)
    mobile = forms.CharField(label=_("手机"), max_length=20, required=False)
    email = forms.CharField(label=_("邮箱"), max_length=120, required=False)
    rank = forms.IntegerField(
        label=_("排序"), min_value=0, max_value=LARGEST_POSITION, initial=100, help_text=_("数小的在前")
    )


class AccountForm(forms.Form):
    """The account a person will sign in with."""

    username = forms.CharField(label=_("登录名"), max_length=32, help_text=_("工号或姓名拼音"))


class AppointmentForm(forms.Form):
    """An appointment of a known person."""

    post = forms.TypedChoiceField(label=_("岗位"), coerce=_id, empty_value=None)
    starts = forms.DateField(label=_("开始日期"), widget=forms.DateInput(attrs={"type": "date"}))
    ends = forms.DateField(label=_("结束日期"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    acting = forms.BooleanField(label=_("代理"), required=False)
    primary = forms.BooleanField(label=_("主职"), required=False)


class WorkbookForm(forms.Form):
    """An uploaded workbook."""

    file = forms.FileField(label=_("工作簿"), error_messages={"required": _("请选择一个 .xlsx 文件")})
