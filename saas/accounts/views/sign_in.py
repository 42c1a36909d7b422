"""Signing in and out: password, second factor, passkey."""

from __future__ import annotations

from typing import Any

from allauth.account.views import LoginView, LogoutView
from allauth.core.internal.httpkit import redirect
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.views import LoginWebAuthnView
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from saas.accounts.known_browsers import is_shut_out
from saas.accounts.throttle import require_calm
from saas.accounts.views.pages import FormPage
from saas.core import toasts


class SignInView(FormPage, LoginView):  # type: ignore[misc]
    """User name and password, or a passkey."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Try to sign in."""
        require_calm(request, "sign-in", per_minute=settings.SIGN_IN_TRIES_PER_MINUTE)
        response: HttpResponse = super().post(request, *args, **kwargs)
        return response


class SignOutView(FormPage, LogoutView):  # type: ignore[misc]
    """Asks on GET, signs out on POST."""


class SecondFactorView(FormPage, AuthenticateView):  # type: ignore[misc]
    """The second step: a code or a passkey."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Check the code or the passkey."""
        require_calm(request, "second-factor", per_minute=settings.SIGN_IN_TRIES_PER_MINUTE)
        response: HttpResponse = super().post(request, *args, **kwargs)
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        """Show the page again; a locked account starts over."""
        if is_shut_out(self.stage.login.user, self.request):
            response: HttpResponse = self.stage.abort()
            return response
        page: HttpResponse = super().form_invalid(form)
        page.status_code = 422
        return page

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add which kinds of factor this account has."""
        context = super().get_context_data(**kwargs)
        kinds = set(Authenticator.objects.filter(user=self.stage.login.user).values_list("type", flat=True))
        context["has_passkey"] = Authenticator.Type.WEBAUTHN in kinds
        context["has_code"] = bool(kinds - {Authenticator.Type.WEBAUTHN})
        context["user"] = self.stage.login.user
        return context


class PasskeySignInView(LoginWebAuthnView):  # type: ignore[misc]
    """Signing in by a passkey alone; it is two factors by itself (the device and its PIN or biometrics)."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Handle GET (the challenge, as JSON) and POST (the answer)."""
        require_calm(request, "passkey", per_minute=settings.PASSKEY_TRIES_PER_MINUTE)
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def form_valid(self, form: Any) -> HttpResponse:
        """Sign in, unless the account is disabled.

        A lock counts guesses, and a passkey cannot be guessed: it opens a locked account, so that nobody can keep
        an owner out by wrong passwords.
        """
        if not form.cleaned_data["credential"].user.is_active:
            return self.form_invalid(form)
        response: HttpResponse = super().form_valid(form)
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        """Back to the sign-in page with the reason."""
        toasts.show_next(self.request, _("通行密钥没有通过验证，请重试或用密码登录。"), kind=toasts.Kind.PROBLEM)
        response: HttpResponse = redirect("account_login")
        return response
