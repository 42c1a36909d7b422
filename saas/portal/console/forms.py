"""The console's forms: shape only; what a bureau may be called is decided by the directory's services."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from tenants.directory.models import BureauLevel, DirectoryBureau


class BureauForm(forms.Form):
    """What a new bureau is."""

    name = forms.CharField(
        label=_("单位全称"), max_length=100, help_text=_("与印章一致，例如“云州市大数据发展管理局”。")
    )
    code = forms.CharField(
        label=_("单位代码"),
        max_length=31,
        help_text=_("用在网址里，定了不能改：小写字母开头，只含小写字母、数字和短横线，例如 dsj。"),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    short_name = forms.CharField(
        label=_("简称"), max_length=50, required=False, help_text=_("列表里显示；不填用全称。")
    )
    level = forms.ChoiceField(label=_("行政层级"), choices=[("", "—"), *BureauLevel.choices])
    division_code = forms.CharField(
        label=_("行政区划代码"),
        max_length=6,
        help_text=_("六位数字，按 GB/T 2260，例如 110101。"),
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    parent_code = forms.ChoiceField(label=_("上级单位"), required=False)
    plan = forms.CharField(label=_("计费方案"), max_length=30, required=False)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        known = DirectoryBureau.objects.values_list("code", "name")
        self.fields["parent_code"].choices = [  # type: ignore[attr-defined]
            ("", "—"),
            *((code, f"{name}（{code}）") for code, name in known),
        ]
