"""Makes the demonstration's administrators ready to sign in: a known password and an authenticator app.

Everywhere else they set both themselves at the first sign-in; a visitor of the demonstration would need a phone.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from saas.accounts.models import User
from saas.accounts.services import role_grant, user_create
from saas.core.access import EXCLUSIVE_ROLES, Role
from saas.core.actors import SYSTEM
from saas.core.tenancy import directory
from saas.env import Zone, env

PLATFORM = (
    ("ops", "平台运维", Role.OPERATIONS),
    ("security", "安全主管", Role.SECURITY_OFFICER),
    ("auditor", "平台审计", Role.PLATFORM_AUDITOR),
)


@dataclass(frozen=True, slots=True)
class Secrets:
    """The demonstration's one password, and the secret of its administrators' authenticator (base 32)."""

    password: str
    authenticator: str

    def code(self) -> str:
        """The six digits that are asked for now."""
        return str(format_hotp_value(hotp_value(self.authenticator, int(time.time()) // app_settings.TOTP_PERIOD)))


def load() -> Secrets:
    """The secrets of this demonstration, made at its first start and readable by its owner alone."""
    path = _path()
    if path.exists():
        return Secrets(**json.loads(path.read_text()))
    password = f"yunshu-{secrets.token_hex(4)}"
    made = Secrets(password=password, authenticator=base64.b32encode(secrets.token_bytes(20)).decode())
    path.touch(mode=0o600)
    path.write_text(json.dumps(asdict(made)))
    return made


def _path() -> Path:
    # The folder of the intranet's processes, whichever zone asks.
    return env.run_folder.parent / "demo.json"


def make_ready(demo: Secrets) -> None:
    """Give the administrators of this process's zone the demonstration's password and authenticator; repeatable."""
    hashed = make_password(demo.password)
    if settings.ZONE is Zone.MANAGEMENT:
        for username, name, role in PLATFORM:
            if not User.objects.filter(username=username).exists():
                with transaction.atomic():
                    issued = user_create(username=username, name=name, by=SYSTEM, password_hash=hashed)
                    role_grant(user_id=issued.user.pk, role=role, by=SYSTEM)
    for tenant in directory().active():
        with directory().activate(tenant.schema), transaction.atomic():
            for user in User.objects.filter(grants__role__in=EXCLUSIVE_ROLES).distinct():
                if Authenticator.objects.filter(user=user).exists():
                    continue
                User.objects.filter(pk=user.pk).update(password=hashed, must_change_password=False)
                TOTP.activate(user, demo.authenticator)
