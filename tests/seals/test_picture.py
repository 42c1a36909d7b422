"""The specimen of a seal is shown to whoever the list of seals is shown to."""

from __future__ import annotations

from collections.abc import Callable

from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client

from saas.accounts.models import User
from saas.core.access import Role
from saas.core.actors import Actor
from saas.core.keys import SealKeyKind
from saas.core.tenancy import TenantRef
from saas.seals import services
from tests.accounts.conftest import make_account

BY = Actor(user_id=None, user_name="安全管理员")


def test_the_security_administrator_sees_the_picture_on_the_list(
    in_alpha: TenantRef, as_user: Callable[..., Client]
) -> None:
    seal = services.seal_create(
        name="云州市经济和信息化局", caption="", diameter_mm=42, key_kind=SealKeyKind.ECDSA_P256, holder_posts=[], by=BY
    )
    account = make_account("security", Role.SECURITY_ADMIN)
    User.objects.filter(id=account.id).update(must_change_password=False)
    TOTP.activate(account, "A" * 32)
    administrator = as_user(account)
    picture = f"/seals/{seal.id}/picture.png"
    assert picture in administrator.get("/seals/").content.decode()
    answer = administrator.get(picture)
    assert (answer.status_code, answer.content[:4]) == (200, b"\x89PNG")
