"""What all of these pages share: the frame they stand in and the status of a form that was refused."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse

BARE = "portal/bare.html"
FRAMED = "portal/base.html"


def layout(request: HttpRequest) -> str:
    """The frame: without a menu before sign-in and while a step is pending, since no other page opens then."""
    user = request.user
    return FRAMED if user.is_authenticated and user.pending_step is None else BARE


class FormPage:
    """Mixed into allauth's form views: our frame, and 422 for a form that was refused."""

    request: HttpRequest

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the frame."""
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        context["layout"] = layout(self.request)
        return context

    def form_invalid(self, form: Any) -> HttpResponse:
        """Show the form again with its errors."""
        response: HttpResponse = super().form_invalid(form)  # type: ignore[misc]
        if response.status_code == HTTPStatus.OK:
            response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
        return response
