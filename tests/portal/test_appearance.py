"""A bureau's own look: who may change it, for whom it changes, and that every colour on offer can be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings
from django.test import Client

from saas.accounts.models import User
from saas.accounts.services import role_grant
from saas.core.access import Role
from saas.core.actors import SYSTEM
from saas.core.audit import Event
from saas.core.audit.models import AuditRecord
from saas.core.tenancy import TenantRef
from saas.env import env
from tenants.appearance import Theme
from tenants.context import use_tenant
from tenants.registry import hosts

TOKENS = Path(settings.BASE_DIR) / "saas" / "portal" / "static" / "portal" / "css" / "tokens.css"
CHANGE = {"name": "云州 数据局", "emblem": "数据", "theme": "red"}


@pytest.fixture(autouse=True)
def fresh_look_ups() -> Iterator[None]:
    """The cache learns of a change from a notice, which a test's transaction never sends."""
    hosts.drop()
    yield
    hosts.drop()


@pytest.fixture
def administrator(in_alpha: TenantRef, as_user: Callable[..., Client]) -> Client:
    user = User.objects.create(username="look-admin", name="系统管理员")
    user.set_password("a-demo-password-2026")
    user.save()
    role_grant(user_id=user.pk, role=Role.SYSTEM_ADMIN, by=SYSTEM)
    TOTP.activate(user, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    return as_user(user)


def sign_in_page(bureau: TenantRef) -> str:
    return Client(headers={"host": f"{bureau.code}.{env.host_suffix}"}).get("/sign-in/").content.decode()


def test_a_change_shows_on_every_page_of_the_bureau_and_on_no_other(
    administrator: Client, alpha: TenantRef, beta: TenantRef
) -> None:
    assert administrator.post("/appearance/", CHANGE).status_code == 302
    hosts.drop()
    page = sign_in_page(alpha)
    assert 'data-theme="red"' in page
    assert "<b>云州 数据局</b>" in page
    assert '<span class="emblem" aria-hidden="true">数据</span>' in page
    other = sign_in_page(beta)
    assert 'data-theme="blue"' in other
    assert f"<b>{beta.name}</b>" in other
    with use_tenant(alpha):
        kept = AuditRecord.objects.get(event=Event.APPEARANCE_CHANGED)
    assert kept.detail == {"name": "云州 数据局", "emblem": "数据", "theme": "red"}


def test_nothing_chosen_is_the_legal_name_and_the_clouds_sign(alpha: TenantRef, db: None) -> None:
    page = sign_in_page(alpha)
    assert f"<b>{alpha.name}</b>" in page
    assert 'class="emblem"' not in page


@pytest.mark.parametrize("change", [{"name": "长" * 31}, {"emblem": "三个字"}, {"theme": "pink"}, {"theme": ""}])
def test_what_does_not_fit_is_refused_and_changes_nothing(
    administrator: Client, alpha: TenantRef, change: dict[str, str]
) -> None:
    assert administrator.post("/appearance/", CHANGE | change).status_code == 422
    hosts.drop()
    assert 'data-theme="blue"' in sign_in_page(alpha)


def test_nobody_else_may_change_it(in_alpha: TenantRef, as_user: Callable[..., Client]) -> None:
    user = User.objects.create(username="look-other", name="李建国")
    assert as_user(user).post("/appearance/", CHANGE).status_code == 403
    hosts.drop()
    assert 'data-theme="blue"' in sign_in_page(in_alpha)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", list(Theme))
def test_every_colour_keeps_the_contrast_of_aa(theme: Theme) -> None:
    source = TOKENS.read_text("utf-8")
    block = ":root {" if theme is Theme.BLUE else f':root[data-theme="{theme.value}"] {{'
    colours = dict(re.findall(r"--(brand(?:-text|-weak)?): (#[0-9a-f]{6})", source.split(block, 1)[1].split("}")[0]))
    assert contrast(colours["brand"], "#ffffff") >= 4.5
    assert contrast(colours["brand-text"], "#ffffff") >= 4.5
    assert contrast(colours["brand-text"], colours["brand-weak"]) >= 4.5
