"""Forms of drafting, numbering and registering."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.validators import MaxLengthValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from saas.core.tenancy import TenantRef
from saas.documents.elements import AnnexText, Elements
from saas.documents.kinds import Kind, Sensitivity, Urgency
from saas.documents.layout.body import clean_line
from saas.documents.rules import LONGEST_BODY, LONGEST_TITLE
from saas.documents.services import DraftInput, IncomingInput
from saas.documents.services.drafting import MOST_ATTACHMENTS

_SECRET = _("国家秘密（绝密、机密、秘密）不得在本系统起草、登记或传递，请改用保密渠道。")
# Of forty real documents the longest has 256 lines, and the longest of those 576 characters.
MOST_LINES = 2000
LONGEST_PARAGRAPH = 5000
MOST_SIGNATURES = 30
LONGEST_NAME = 200


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line for raw in text.splitlines() if (line := clean_line(raw)))


class _Text(forms.CharField):
    """A text that is refused when it is too long, never cut: no `maxlength`, at which browsers drop what is pasted.

    A line break counts as one character, however the browser sends it.
    """

    default_error_messages: ClassVar[dict[str, Any]] = {
        "max_length": _("不能超过%(limit_value)d字，现有%(show_value)d字。")
    }

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
        too_long = self.error_messages["max_length"]
        self.validators.append(MaxLengthValidator(max_length, message=too_long))

    def to_python(self, value: Any) -> str:
        """The text with line breaks of one character."""
        return str(super().to_python(value)).replace("\r\n", "\n").replace("\r", "\n")


# What 提交审批 will ask for, though a draft may be saved without it: not marked as optional.
NEEDED = ("mark", "title", "recipients", "body", "signatures")


class DraftForm(forms.Form):
    """拟稿. Longer texts than allowed are named by field; everything else waits for the rules at submission."""

    kind = forms.ChoiceField(label=_("文种"), choices=Kind.choices)
    urgency = forms.ChoiceField(label=_("紧急程度"), choices=Urgency.choices, required=False)
    sensitivity = forms.ChoiceField(
        label=_("敏感级别"), choices=Sensitivity.choices, error_messages={"invalid_choice": _SECRET}
    )
    mark = _Text(label=_("发文机关标志"), max_length=60)
    title = _Text(
        label=_("标题"),
        max_length=LONGEST_TITLE,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("由发文机关名称、事由和文种组成；排版时按词意自动回行。"),
    )
    recipients = _Text(label=_("主送机关"), max_length=3000)
    recipient_codes = forms.MultipleChoiceField(
        label=_("云署上的主送单位"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("勾选的单位由云署直接送达；名称自动写入主送机关，可以改成规范化简称。"),
    )
    body = _Text(
        label=_("正文"),
        max_length=LONGEST_BODY,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 18, "class": "paper"}),
        help_text=_("行首“一、”“（一）”“1.”“（1）”自动识别为标题。"),
    )
    attachments = _Text(
        label=_("附件说明"),
        max_length=6000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("每行一个附件名称。"),
    )
    signatures = _Text(
        label=_("发文机关署名"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 1}),
        help_text=_("联合行文每行一个机关。"),
    )
    note = _Text(label=_("附注"), max_length=200)
    cc = _Text(label=_("抄送机关"), max_length=3000)
    printer = _Text(label=_("印发机关"), max_length=100)

    def __init__(
        self, *args: Any, bureaus: list[TenantRef], annexes: tuple[AnnexText, ...] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._bureaus = {ref.code: ref.name for ref in bureaus}
        self._annexes = annexes
        for name in NEEDED:
            self.fields[name].needed = True  # type: ignore[attr-defined]
        field = self.fields["recipient_codes"]
        field.choices = list(self._bureaus.items())  # type: ignore[attr-defined]

    def clean_body(self) -> str:
        """Setting a text costs by its lines, and a line of any length is one to nobody's use."""
        body = str(self.cleaned_data["body"])
        lines = body.splitlines()
        if len(lines) > MOST_LINES:
            raise forms.ValidationError(_("正文%(n)d行，不能超过%(most)d行。") % {"n": len(lines), "most": MOST_LINES})
        longest = max(map(len, lines), default=0)
        if longest > LONGEST_PARAGRAPH:
            values = {"n": longest, "most": LONGEST_PARAGRAPH}
            raise forms.ValidationError(_("正文有一段%(n)d字，每段不能超过%(most)d字。") % values)
        return body

    def clean_attachments(self) -> str:
        """At most as many as can be put with a document."""
        return self._listed("attachments", most=MOST_ATTACHMENTS, longest=LONGEST_NAME)

    def clean_signatures(self) -> str:
        """At most as many bureaus as can issue together on a sheet."""
        return self._listed("signatures", most=MOST_SIGNATURES, longest=LONGEST_NAME)

    def _listed(self, name: str, *, most: int, longest: int) -> str:
        text = str(self.cleaned_data[name])
        lines = text.splitlines()
        if len(lines) > most or any(len(line) > longest for line in lines):
            raise forms.ValidationError(
                _("最多%(most)d行，每行最多%(longest)d字。") % {"most": most, "longest": longest}
            )
        return text

    def clean(self) -> dict[str, Any]:
        """Picked bureaus are 主送机关 where none is written; what is written stays as the drafter wrote it.

        The page itself writes a bureau's name when it is ticked (recipients.js).
        """
        data = super().clean() or {}
        picked = [self._bureaus[code] for code in data.get("recipient_codes") or ()]
        data["recipients"] = str(data.get("recipients") or "").strip(" ：:。") or "，".join(picked)
        return data

    def draft(self) -> DraftInput:
        """What the service takes; call after `is_valid`."""
        data = self.cleaned_data
        elements = Elements(
            title=data["title"],
            mark=clean_line(data["mark"]),
            recipients=data["recipients"],
            body=data["body"],
            signatures=_lines(data["signatures"]),
            note=clean_line(data["note"]).strip("（）()"),
            cc=clean_line(data["cc"]).rstrip("。"),
            printer=clean_line(data["printer"]),
            attachments=_lines(data["attachments"]),
            recipient_codes=tuple(data["recipient_codes"]),
            annexes=self._annexes,
        )
        return DraftInput(
            kind=Kind(data["kind"]),
            urgency=Urgency(data["urgency"]),
            sensitivity=Sensitivity(data["sensitivity"]),
            elements=elements,
        )


def field_values(elements: Elements) -> dict[str, Any]:
    """Elements as the form's fields show them."""
    return {
        "title": elements.title,
        "mark": elements.mark,
        "recipients": elements.recipients,
        "recipient_codes": list(elements.recipient_codes),
        "body": elements.body,
        "attachments": "\n".join(elements.attachments),
        "signatures": "\n".join(elements.signatures),
        "note": elements.note,
        "cc": elements.cc,
        "printer": elements.printer,
    }


class IncomingForm(forms.Form):
    """收文登记 of a scan or file that came from elsewhere."""

    from_name = forms.CharField(label=_("来文单位"), max_length=120)
    number = forms.CharField(label=_("来文字号"), max_length=60, required=False)
    title = forms.CharField(label=_("标题"), max_length=LONGEST_TITLE)
    kind = forms.ChoiceField(label=_("文种"), choices=Kind.choices, initial=Kind.NOTICE)
    urgency = forms.ChoiceField(label=_("紧急程度"), choices=Urgency.choices, required=False)
    sensitivity = forms.ChoiceField(
        label=_("敏感级别"),
        choices=Sensitivity.choices,
        initial=Sensitivity.INTERNAL,
        error_messages={"invalid_choice": _SECRET},
    )
    issued_on = forms.DateField(
        label=_("成文日期"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    received_on = forms.DateField(
        label=_("收到日期"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        initial=timezone.localdate,
    )
    scan = forms.FileField(label=_("扫描件"), help_text=_("PDF、PNG 或 JPEG，小于 200 MB。"))

    def incoming(self) -> IncomingInput:
        """What the service takes; call after `is_valid`."""
        data = self.cleaned_data
        return IncomingInput(
            from_name=data["from_name"],
            number=data["number"],
            title=data["title"],
            kind=Kind(data["kind"]),
            urgency=Urgency(data["urgency"]),
            sensitivity=Sensitivity(data["sensitivity"]),
            issued_on=data["issued_on"],
            received_on=data["received_on"],
        )


class NumberForm(forms.Form):
    """编号: which book."""

    book = forms.ChoiceField(label=_("文号簿"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, books: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["book"].choices = books  # type: ignore[attr-defined]


class BookForm(forms.Form):
    """A new ledger."""

    mark = forms.CharField(label=_("机关代字"), max_length=20)
    year = forms.IntegerField(label=_("年份"), min_value=1949, max_value=2100)
    first = forms.IntegerField(label=_("起始序号"), min_value=1, max_value=999_999, initial=1)
    kinds = forms.MultipleChoiceField(
        label=_("适用文种"),
        choices=Kind.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("不选表示全部适用。"),
    )


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(label=_("原因"), max_length=200)
