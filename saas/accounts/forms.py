"""The forms of sign-in, own settings and account administration."""

from __future__ import annotations

import hashlib
from typing import Any

from allauth.account.forms import LoginForm
from allauth.account.forms import ReauthenticateForm as AllauthReauthenticateForm
from allauth.core import context
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from saas.accounts.known_browsers import is_shut_out
from saas.accounts.names import NAME_LONGEST, USERNAME_LONGEST
from saas.accounts.passwords import MAX_LENGTH
from saas.accounts.signing_in import count_failure

# A code counts for three periods of 30 s (one of tolerance on each side); it is refused again for longer than that.
_CODE_REMEMBERED_SECONDS = 120
_CODE_LONGEST = 16


class SignInForm(LoginForm):  # type: ignore[misc]
    """User name and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = forms.CharField(
            label=_("用户名"),
            max_length=64,
            widget=forms.TextInput(
                attrs={"autocomplete": "username webauthn", "autocapitalize": "none", "spellcheck": "false"}
            ),
        )
        self.fields["password"] = forms.CharField(
            label=_("密码"),
            max_length=MAX_LENGTH,
            strip=False,
            widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        )
        self.order_fields(["login", "password"])


def _code_field() -> forms.CharField:
    return forms.CharField(
        label=_("验证码"),
        max_length=_CODE_LONGEST,
        help_text=_("验证器应用里的 6 位数字，或者一个恢复码。"),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}),
    )


class _CountedCode(forms.Form):
    """A code whose failures are counted with the account, as wrong passwords are, and which opens only once."""

    user: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = _code_field()

    def clean_code(self) -> str:
        """Check the code.

        Raises:
            ValidationError: wrong, used before, or the account is locked; the same words for all.
        """
        if is_shut_out(self.user, context.request):
            raise get_mfa_adapter().validation_error("incorrect_code")
        try:
            code: str = super().clean_code()  # type: ignore[misc]
        except ValidationError:
            count_failure(self.user.pk, reason="second factor", request=context.request)
            self.user.refresh_from_db(fields=["locked_until", "failed_count"])
            raise
        digest = hashlib.sha256(f"{self.user.pk}:{code}".encode()).hexdigest()
        if not cache.add(f"code:{digest}", 1, timeout=_CODE_REMEMBERED_SECONDS):
            raise get_mfa_adapter().validation_error("incorrect_code")
        return code


class SecondFactorForm(_CountedCode, AuthenticateForm):  # type: ignore[misc]
    """The second step of signing in."""


class ReauthenticateCodeForm(_CountedCode, ReauthenticateForm):  # type: ignore[misc]
    """A code asked for again before a sensitive change."""


class ReauthenticatePasswordForm(AllauthReauthenticateForm):  # type: ignore[misc]
    """The password asked for again before a sensitive change."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"] = forms.CharField(
            label=_("密码"),
            max_length=MAX_LENGTH,
            strip=False,
            widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        )


class AuthenticatorAppForm(ActivateTOTPForm):  # type: ignore[misc]
    """The first code of a newly scanned authenticator app."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = _code_field()
        self.fields["code"].help_text = _("扫码后，输入应用显示的 6 位数字。")


class _SafeAnswer(forms.Form):
    """A passkey's answer as the browser made it, or anything else somebody sends: never more than a refusal."""

    def clean_credential(self) -> Any:
        """Check the answer.

        Raises:
            ValidationError: it is malformed, or does not prove the passkey.
        """
        try:
            return super().clean_credential()  # type: ignore[misc]
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            # allauth and fido2 expect the shape a browser sends; whatever else comes fails in their own ways.
            raise get_mfa_adapter().validation_error("incorrect_code") from error


class PasskeySignInForm(_SafeAnswer, LoginWebAuthnForm):  # type: ignore[misc]
    """Signing in by a passkey alone."""


class PasskeySecondForm(_SafeAnswer, AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey as the second factor."""


class PasskeyProofForm(_SafeAnswer, ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey again, before a sensitive change."""


class PasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A new passkey with its name; it may be used without a password, since it proves two factors by itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"] = forms.CharField(label=_("名称"), max_length=40, required=False)
        self.fields["name"].initial = self.initial.get("name")
        self.fields["passwordless"].label = _("也用于免密码登录")
        self.fields["passwordless"].help_text = _("登录时不必输入用户名和密码；设备会要求指纹、面容或 PIN。")
        self.order_fields(["name", "passwordless", "credential"])

    def clean(self) -> dict[str, Any]:
        """Check the new passkey.

        Raises:
            ValidationError: the answer is malformed, or not to our challenge.
        """
        try:
            cleaned: dict[str, Any] = super().clean()
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise get_mfa_adapter().validation_error("incorrect_code") from error
        return cleaned


class PasskeyNameForm(EditWebAuthnForm):  # type: ignore[misc]
    """A passkey's name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"] = forms.CharField(label=_("名称"), max_length=40)


class PasswordForm(forms.Form):
    """The current password and the new one, twice. The policy itself is the service's."""

    oldpassword = forms.CharField(
        label=_("当前密码"),
        max_length=MAX_LENGTH,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    password1 = forms.CharField(
        label=_("新密码"),
        max_length=MAX_LENGTH,
        strip=False,
        help_text=_("至少 10 个字符，包含字母、数字、符号中的至少两种，不要与姓名、用户名相近，也不要用常见密码。"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    password2 = forms.CharField(
        label=_("再输一次新密码"),
        max_length=MAX_LENGTH,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        """Compare the two new passwords."""
        cleaned = super().clean() or {}
        first, second = cleaned.get("password1"), cleaned.get("password2")
        if first and second and first != second:
            self.add_error("password2", _("两次输入的新密码不一致。"))
        return cleaned


class AccountForm(forms.Form):
    """A new account."""

    username = forms.CharField(
        label=_("用户名"),
        max_length=USERNAME_LONGEST,
        help_text=_("工号或姓名拼音，用于登录。"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    name = forms.CharField(
        label=_("姓名"), max_length=NAME_LONGEST, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
