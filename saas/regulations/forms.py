"""The form a file of regulations is uploaded with: shape only; what is in the file is judged by `uploads`."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from saas.regulations.uploads import SUFFIXES


class UploadForm(forms.Form):
    """A file, and what a text or Word file does not say of itself."""

    file = forms.FileField(
        label=_("文件"),
        help_text=_("JSON Lines（.jsonl，一行一部）、纯文本（.txt）或 Word（.docx），不超过 20 MB。"),
        widget=forms.FileInput(attrs={"accept": ",".join(SUFFIXES)}),
    )
    title = forms.CharField(
        label=_("标题"), max_length=200, required=False, help_text=_("不填就用文件的第一行。只用于文本和 Word 文件。")
    )
    kind = forms.CharField(
        label=_("类别"),
        max_length=40,
        required=False,
        help_text=_("如：规章制度、行政法规。文本和 Word 文件须填。"),
        widget=forms.TextInput(attrs={"list": "known-kinds"}),
    )
    subject = forms.CharField(label=_("主题"), max_length=100, required=False)
    history = forms.CharField(
        label=_("发布和修订"),
        max_length=200,
        required=False,
        help_text=_("如：2026年1月5日 局务会通过。其中的日期用来认出新旧版本。"),
    )
