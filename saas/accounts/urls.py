"""Routes of sign-in, own settings and accounts; every one of allauth's views passes through our access rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import View

from saas.accounts.views import administration, own, second_factor, sign_in
from saas.core.access import EVERYWHERE, Permission, access
from saas.env import Zone

Page = Callable[..., HttpResponseBase]


def _open(view: type[View]) -> Page:
    """A page before sign-in."""
    return access(Permission.PUBLIC, zones=EVERYWHERE)(view.as_view())


def _own(view: Page) -> Page:
    """A page of one's own, once no step is pending."""
    return access(Permission.SIGNED_IN, zones=EVERYWHERE)(view)


def _step(view: Page) -> Page:
    """A page that is itself a pending step, so it opens before the account is settled."""

    def before_settled(*args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(*args, **kwargs)

    before_settled.before_settled = True  # type: ignore[attr-defined]
    return access(Permission.SIGNED_IN, zones=EVERYWHERE)(before_settled)


_manage = access(Permission.MANAGE_ACCOUNTS, zones=EVERYWHERE)
_grant = access(Permission.GRANT_ROLES, zones=EVERYWHERE)


def _to_overview(_request: object) -> HttpResponseBase:
    """Where allauth's list of passkeys would be: they stand on the overview."""
    return redirect("mfa_index")


# The names without a namespace are the ones allauth itself reverses.
_signing_in: list[URLPattern | URLResolver] = [
    path("", _open(sign_in.SignInView), name="account_login"),
    path("second-factor/", _open(sign_in.SecondFactorView), name="mfa_authenticate"),
    path("passkey/", _open(sign_in.PasskeySignInView), name="mfa_login_webauthn"),
]
_second_factor: list[URLPattern | URLResolver] = [
    path("", _step(second_factor.overview), name="mfa_index"),
    path("app/", _step(second_factor.AppAddView.as_view()), name="mfa_activate_totp"),
    path("app/remove/", _own(second_factor.AppRemoveView.as_view()), name="mfa_deactivate_totp"),
    path("passkeys/", _step(_to_overview), name="mfa_list_webauthn"),
    path("passkeys/add/", _step(second_factor.PasskeyAddView.as_view()), name="mfa_add_webauthn"),
    path("passkeys/<int:pk>/name/", _own(second_factor.PasskeyRenameView.as_view()), name="mfa_edit_webauthn"),
    path("passkeys/<int:pk>/remove/", _own(second_factor.PasskeyRemoveView.as_view()), name="mfa_remove_webauthn"),
    path("recovery/", _own(second_factor.RecoveryView.as_view()), name="mfa_view_recovery_codes"),
    path("recovery/make/", _own(second_factor.RecoveryMakeView.as_view()), name="mfa_generate_recovery_codes"),
]
_proof: list[URLPattern | URLResolver] = [
    path("", _step(second_factor.ProofByPasswordView.as_view()), name="account_reauthenticate"),
    path("code/", _step(second_factor.ProofByCodeView.as_view()), name="mfa_reauthenticate"),
    path("passkey/", _step(second_factor.ProofByPasskeyView.as_view()), name="mfa_reauthenticate_webauthn"),
]
_ours: list[URLPattern | URLResolver] = [
    path("settings/", _own(own.overview), name="settings"),
    path("settings/sessions/<int:session_id>/end/", _own(own.session_end), name="session_end"),
    path("accounts/", _manage(administration.accounts), name="accounts"),
    path("accounts/new/", _manage(administration.account_new), name="account_new"),
    path("accounts/<uuid:user_id>/", _manage(administration.account), name="account"),
    path("accounts/<uuid:user_id>/reset/", _manage(administration.account_reset), name="account_reset"),
    path("accounts/<uuid:user_id>/do/<slug:act>/", _manage(administration.account_act), name="account_act"),
    path("roles/", _grant(administration.roles), name="roles"),
    path("roles/<uuid:user_id>/", _grant(administration.account_roles), name="account_roles"),
    path("roles/<uuid:user_id>/change/", _grant(administration.role_change), name="role_change"),
    path("sessions/", _grant(administration.all_sessions), name="all_sessions"),
    path("sessions/<int:session_id>/end/", _grant(administration.somebodys_session_end), name="somebodys_session_end"),
    path("roles/<uuid:user_id>/do/<slug:act>/", _grant(administration.security_act), name="security_act"),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-in/", include(_signing_in)),
    path("sign-out/", _open(sign_in.SignOutView), name="account_logout"),
    path("settings/password/", _step(own.password), name="account_change_password"),
    path("settings/second-factor/", include(_second_factor)),
    path("settings/proof/", include(_proof)),
    path("settings/sessions/", _own(own.sessions), name="usersessions_list"),
    path("", include((_ours, "accounts"))),
]
extranet_home = access(Permission.SIGNED_IN, zones=[Zone.EXTRANET])(own.extranet_home)
