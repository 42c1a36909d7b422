"""What a person types about seals."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from saas.core.keys import SealKeyKind
from saas.organisation.models import Post
from saas.seals.picture import LEAST_MM, LONGEST_NAME, MOST_MM

MOST_CHECK_BYTES = 50 * 1024 * 1024


class _Posts(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Posts, each with its unit."""

    def label_from_instance(self, obj: Post) -> str:
        return f"{obj.unit.name} · {obj.name}"


class SealForm(forms.Form):
    """A new seal."""

    name = forms.CharField(label=_("印章名称（章面文字）"), min_length=2, max_length=LONGEST_NAME)
    caption = forms.CharField(label=_("章内文字"), max_length=10, required=False, help_text=_("专用章填写，公章留空"))
    diameter_mm = forms.DecimalField(
        label=_("直径（毫米）"), min_value=LEAST_MM, max_value=MOST_MM, decimal_places=1, initial=42
    )
    key_kind = forms.ChoiceField(
        label=_("密钥算法"), choices=[(kind.value, kind.value.upper()) for kind in SealKeyKind]
    )
    holders = _Posts(
        label=_("保管岗位"), queryset=Post.objects.none(), help_text=_("只有任这些岗位的人可以用印；换人随岗位转移")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["holders"]
        assert isinstance(field, _Posts)
        field.queryset = Post.objects.filter(active=True).select_related("unit").order_by("unit__position", "position")


class StopForm(forms.Form):
    """Stopping a seal: its name typed again, and why."""

    name = forms.CharField(label=_("再次输入印章名称以确认"), max_length=LONGEST_NAME)
    reason = forms.CharField(label=_("停用原因"), max_length=200)


class RevokeForm(forms.Form):
    """Revoking a seal's certificate: its name typed again, and why."""

    name = forms.CharField(label=_("再次输入印章名称以确认"), max_length=LONGEST_NAME)
    reason = forms.CharField(label=_("吊销原因"), max_length=200)


class CheckForm(forms.Form):
    """A PDF whose seals are to be checked."""

    file = forms.FileField(label=_("带电子印章的 PDF"), help_text=_("不超过 50 MB；文件只作核验，不会保存"))

    def clean_file(self) -> Any:
        """Refuse what is too large before reading it."""
        file = self.cleaned_data["file"]
        if file.size > MOST_CHECK_BYTES:
            raise forms.ValidationError(_("文件超过 50 MB，请核对后重新选择。"))
        return file
