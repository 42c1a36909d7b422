"""Puts a service's refusal back onto the form it came from."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.http import HttpRequest

from saas.core.actors import Actor
from saas.core.errors import Conflict, Invalid


def actor_of(request: HttpRequest) -> Actor:
    """Who acts in this request."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def submitted(request: HttpRequest, form: forms.Form, act: Callable[[], object]) -> int:
    """Try `act` with a posted form.

    Args:
        request: with or without a post.
        form: bound to it.
        act: calls the service with the form's cleaned data.

    Returns:
        0 when the act was done, else the status to show the form with (200 before any post).
    """
    if request.method != "POST":
        return 200
    if not form.is_valid():
        return 422
    try:
        act()
    except (Invalid, Conflict) as refusal:
        for field, text in refusal.fields.items():
            form.add_error(field if field in form.fields else None, str(text))
        if not refusal.fields:
            form.add_error(None, str(refusal.message))
        return refusal.status
    return 0
