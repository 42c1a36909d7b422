"""How allauth is used here: no sign-up, no e-mail, lock-out of our own, encrypted second-factor secrets."""

from __future__ import annotations

import base64
import os
import time
from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from saas.accounts.actors import client_ip
from saas.accounts.signing_in import STARTED, close_session, open_session
from saas.core.tenancy import current_tenant

if TYPE_CHECKING:
    from saas.accounts.models import User

_ALGORITHM = "a256gcm-1"
_NONCE_BYTES = 12


def display_name(user: User) -> str:
    """The name a person is shown by."""
    return user.name or user.username


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-in by user name and password; one message for every reason it fails."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _(
            "用户名或密码不正确，或者账号因多次输错已被暂时锁定。锁定 15 分钟后自动解除，也可请本单位安全管理员解锁。"
        ),
        "invalid_login": _("用户名或密码不正确。"),
        "account_inactive": _("用户名或密码不正确。"),
        "incorrect_password": _("密码不正确。"),
        "incorrect_code": _("验证码不正确或已用过，请等下一个验证码出现后再试。"),
        "too_many_login_attempts": _("尝试次数过多，请稍后再试。"),
        "rate_limited": _("尝试次数过多，请稍后再试。"),
        "enter_current_password": _("当前密码不正确。"),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are made by the system administrator alone."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address the front proxy established."""
        return client_ip(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Nothing: throttling and lock-out are in `saas.accounts.signing_in`."""

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Whether to ask for the password again: not right after signing in, when all factors were just shown."""
        from allauth.core import context

        started = context.request.session.get(STARTED, 0)
        return bool(time.time() - started > settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)

    def login(self, request: HttpRequest, user: User) -> None:
        """Open the session: its clock starts, and the sign-in is recorded."""
        open_session(request, user)

    def logout(self, request: HttpRequest) -> None:
        """Close the session and record it."""
        close_session(request)

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """A disabled account is told what a wrong password is told."""
        from django.shortcuts import redirect

        return redirect("account_login")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """No mail leaves the cloud."""

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """No mail leaves the cloud; what happens to an account stands in its audit trail."""

    def add_message(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Notices are ours (`saas.core.toasts`), set by our views."""


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Names the second factors and keeps their secrets encrypted under a key of this tenant and zone."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("验证码不正确或已用过，请等下一个验证码出现后再试。"),
        "cannot_delete_authenticator": _("您的账号必须保留一种双重验证方式。请先添加另一种，再停用这一种。"),
        "cannot_generate_recovery_codes": _("请先添加验证器应用或通行密钥，再生成恢复码。"),
    }

    def get_totp_issuer(self) -> str:
        """Shown in the authenticator app: which bureau this code is for."""
        return f"云署 {current_tenant().name}"

    def _get_site_name(self) -> str:
        return current_tenant().name

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The relying party is this host alone, so a passkey of one bureau or zone is no use at another."""
        from allauth.core import context

        return {"id": context.request.get_host().partition(":")[0], "name": f"云署 {current_tenant().name}"}

    def generate_authenticator_name(self, user: User, type: Any) -> str:  # noqa: A002 - allauth's name
        """A name to start with for a new passkey."""
        from allauth.mfa.models import Authenticator

        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return gettext("通行密钥 %(number)d") % {"number": number}

    def can_delete_authenticator(self, authenticator: Any) -> bool:
        """Whether the account keeps a second factor when it must have one."""
        from allauth.mfa.models import Authenticator

        user: User = authenticator.user
        if not user.needs_second_factor or authenticator.type == Authenticator.Type.RECOVERY_CODES:
            return True
        return bool(
            Authenticator.objects.filter(
                user_id=user.pk, type__in=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
            )
            .exclude(pk=authenticator.pk)
            .exists()
        )

    def encrypt(self, text: str) -> str:
        """Encrypt a second factor's secret (AES-256-GCM; the key is bound to this zone and tenant)."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(_key(settings.SECRET_KEY)).encrypt(nonce, text.encode(), _ALGORITHM.encode())
        return f"{_ALGORITHM}:{base64.b64encode(nonce + sealed).decode()}"

    def decrypt(self, encrypted_text: str) -> str:
        """Counterpart of `encrypt`; also under a former secret key.

        Raises:
            ValueError: the text was encrypted for another tenant or zone, or changed.
        """
        algorithm, _colon, body = encrypted_text.partition(":")
        if algorithm != _ALGORITHM:
            message = "unknown algorithm of a second factor's secret"
            raise ValueError(message)
        raw = base64.b64decode(body)
        for secret_key in [settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS)]:
            try:
                opened = AESGCM(_key(secret_key)).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], algorithm.encode())
            except InvalidTag:
                continue
            return opened.decode()
        message = "a second factor's secret does not open here"
        raise ValueError(message)


def _key(secret_key: str) -> bytes:
    info = f"yunshu second factor {settings.ZONE} {current_tenant().schema}".encode()
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(secret_key.encode())
