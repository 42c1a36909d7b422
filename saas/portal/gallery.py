"""Sample content of the component gallery."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class SampleForm(forms.Form):
    """One field of each kind, to see and test how the renderer draws them."""

    title = forms.CharField(label=_("标题"), max_length=60, help_text=_("不超过 60 字，不写文号。"))
    urgency = forms.ChoiceField(
        label=_("紧急程度"), choices=[("", _("一般")), ("特急", _("特急")), ("加急", _("加急"))], required=False
    )
    due = forms.DateField(label=_("限办日期"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    body = forms.CharField(label=_("正文"), widget=forms.Textarea(attrs={"rows": 4}))
    kind = forms.ChoiceField(
        label=_("办理方式"), widget=forms.RadioSelect, choices=[("all", _("会签")), ("any", _("或签"))], initial="all"
    )
    notify = forms.BooleanField(label=_("办结后告诉我"), required=False)
