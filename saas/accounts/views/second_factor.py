"""Own second factors: authenticator app, passkeys, recovery codes. Each change stands in the audit trail."""

from __future__ import annotations

from typing import Any

from allauth.account.views import ReauthenticateView
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.views import ReauthenticateView as ReauthenticateCodeView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import (
    AddWebAuthnView,
    EditWebAuthnView,
    ReauthenticateWebAuthnView,
    RemoveWebAuthnView,
)
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.translation import gettext as _

from saas.accounts.requests import user_of
from saas.accounts.signing_in import account_target
from saas.accounts.views.pages import FormPage, layout
from saas.core import toasts
from saas.core.audit.events import Event
from saas.core.audit.services import record


def overview(request: HttpRequest) -> HttpResponse:
    """Which second factors this account has, and what it still needs."""
    user = user_of(request)
    found = list(Authenticator.objects.filter(user_id=user.pk).order_by("created_at"))
    by_kind: dict[str, list[Authenticator]] = {}
    for item in found:
        by_kind.setdefault(item.type, []).append(item)
    return render(
        request,
        "accounts/second_factor.html",
        {
            "layout": layout(request),
            "app": next(iter(by_kind.get(Authenticator.Type.TOTP, [])), None),
            "passkeys": by_kind.get(Authenticator.Type.WEBAUTHN, []),
            "recovery": next(iter(by_kind.get(Authenticator.Type.RECOVERY_CODES, [])), None),
            "required": user.needs_second_factor,
            "enrolled": user.second_factor_enrolled(),
        },
    )


class _Recorded(FormPage):
    """Does what allauth's view does and records it in one transaction."""

    event = Event.SECOND_FACTOR_ADDED
    kind = ""

    def form_valid(self, form: Any) -> HttpResponse:
        """Make the change and record it."""
        user = user_of(self.request)
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
            record(self.event, by=user.actor, target=account_target(user), detail={"kind": self.kind})
        # The request's user knows its factors from before the change.
        user.__dict__.pop("has_second_factor", None)
        return response


class AppAddView(_Recorded, ActivateTOTPView):  # type: ignore[misc]
    """Enrol an authenticator app by QR code."""

    kind = "totp"


class AppRemoveView(_Recorded, DeactivateTOTPView):  # type: ignore[misc]
    """Remove the authenticator app."""

    event = Event.SECOND_FACTOR_REMOVED
    kind = "totp"


class PasskeyAddView(_Recorded, AddWebAuthnView):  # type: ignore[misc]
    """Enrol a passkey."""

    kind = "webauthn"


class PasskeyRemoveView(_Recorded, RemoveWebAuthnView):  # type: ignore[misc]
    """Remove a passkey, unless it is the last factor of an account that must have one."""

    event = Event.SECOND_FACTOR_REMOVED
    kind = "webauthn"
    success_url = reverse_lazy("mfa_index")

    def form_valid(self, form: Any) -> HttpResponse:
        """Remove it or say why not."""
        if not get_adapter().can_delete_authenticator(self.get_object()):
            message = str(get_adapter().error_messages["cannot_delete_authenticator"])
            toasts.show_next(self.request, message, kind=toasts.Kind.PROBLEM)
            return redirect("mfa_index")
        response: HttpResponse = super().form_valid(form)
        return response


class PasskeyRenameView(FormPage, EditWebAuthnView):  # type: ignore[misc]
    """Name a passkey."""

    success_url = reverse_lazy("mfa_index")


class RecoveryView(FormPage, ViewRecoveryCodesView):  # type: ignore[misc]
    """Show the recovery codes, once."""


class RecoveryMakeView(_Recorded, GenerateRecoveryCodesView):  # type: ignore[misc]
    """Replace the recovery codes."""

    kind = "recovery_codes"


class ProofByPasswordView(FormPage, ReauthenticateView):  # type: ignore[misc]
    """The password again, before a sensitive change."""


class ProofByCodeView(FormPage, ReauthenticateCodeView):  # type: ignore[misc]
    """A code again, before a sensitive change."""


class ProofByPasskeyView(FormPage, ReauthenticateWebAuthnView):  # type: ignore[misc]
    """A passkey again, before a sensitive change."""

    def form_invalid(self, form: Any) -> HttpResponse:
        """Back to the choice of proofs."""
        toasts.show_next(self.request, _("通行密钥没有通过验证，请重试。"), kind=toasts.Kind.PROBLEM)
        return redirect("account_reauthenticate")
