"""Reads the audit list's filter from its address."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from saas.core.audit.events import Event
from saas.core.audit.selectors import AuditFilter
from saas.core.audit.wording import EVENT_LABELS


def _choices() -> list[tuple[str, object]]:
    return [("", _("全部事件")), *((event.value, label) for event, label in EVENT_LABELS.items())]


class AuditFilterForm(forms.Form):
    """Event, person, first and last day; all optional."""

    event = forms.ChoiceField(required=False, choices=_choices, label=_("事件"))
    person = forms.CharField(required=False, max_length=100, label=_("操作人"))
    since = forms.DateField(required=False, label=_("起始日期"), widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(required=False, label=_("截止日期"), widget=forms.DateInput(attrs={"type": "date"}))
    after = forms.UUIDField(required=False, widget=forms.HiddenInput)
    before = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, object]:
        """The first day is not after the last."""
        values: dict[str, object] = super().clean() or {}
        since, until = values.get("since"), values.get("until")
        if since and until and since > until:  # type: ignore[operator]
            self.add_error("until", _("截止日期不能早于起始日期。"))
        return values

    @property
    def wanted(self) -> AuditFilter:
        """The filter of a valid form."""
        values = self.cleaned_data
        return AuditFilter(
            event=Event(values["event"]) if values["event"] else None,
            person=values["person"],
            since=values["since"],
            until=values["until"],
        )
