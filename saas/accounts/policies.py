"""Who may do what to accounts. None of the separated administrators can take another's rights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext as _

from saas.accounts.models import User
from saas.core.access import Permission, Role
from saas.core.actors import SYSTEM, Actor
from saas.core.errors import Conflict, Forbidden
from saas.env import Zone

if TYPE_CHECKING:
    from collections.abc import Mapping

THREE_ADMINISTRATORS = (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN)
ROLES_OF_ZONE: Mapping[Zone, tuple[Role, ...]] = {
    Zone.INTRANET: (*THREE_ADMINISTRATORS, Role.CLERK, Role.ARCHIVIST, Role.FLOW_ADMIN),
    Zone.EXTRANET: THREE_ADMINISTRATORS,
    Zone.MANAGEMENT: (Role.OPERATIONS, Role.SECURITY_OFFICER, Role.PLATFORM_AUDITOR),
}


def roles_here() -> tuple[Role, ...]:
    """The roles that exist in this zone."""
    return ROLES_OF_ZONE[settings.ZONE]


def require(by: Actor, permission: Permission) -> None:
    """Authorise `by`; provisioning (`SYSTEM`) acts for the platform and has no account.

    Raises:
        Forbidden: the account is disabled or holds no role with `permission`.
    """
    if by == SYSTEM:
        return
    user = User.objects.for_request().filter(pk=by.user_id).first() if by.user_id else None
    if user is None or not user.has_permission(permission):
        raise Forbidden(_("您没有办理此事的权限。"))


def require_provisioning(by: Actor) -> None:
    """Only the platform's own provisioning does this, never somebody who is signed in.

    Raises:
        Forbidden: `by` is anybody else.
    """
    if by != SYSTEM:
        raise Forbidden(_("您没有办理此事的权限。"))


def require_other(by: Actor, user: User) -> None:
    """Nobody administers himself.

    Raises:
        Forbidden: `user` is the actor.
    """
    if by.user_id == user.pk:
        raise Forbidden(_("不能对自己的账号做这项操作，请由另一位管理员办理。"), code="account.self")


def require_not_administrator(user: User) -> None:
    """The system administrator does not touch administrators: with a new password he could take their rights.

    The security administrator first revokes the role, which makes it an act of two persons.

    Raises:
        Forbidden: `user` holds an administrator's role.
    """
    if user.administrator:
        raise Forbidden(
            _("这是管理员账号。请先由安全管理员收回其管理员角色，再办理，以保证权限分离。"),
            code="account.administrator",
        )


def require_own_password(user: User) -> None:
    """A new administrator has set his own password before: whoever made the account must not know it.

    Raises:
        Conflict: the account still has the password it was given.
    """
    if user.must_change_password:
        raise Conflict(
            _("该账号还没有自行设置密码。请本人先登录并修改密码，再授予管理员角色。"), code="account.not_settled"
        )
