"""Default deny: every route declares its permission and the zones it is served in, and is refused without them."""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from saas.core.errors import Forbidden
from saas.env import Zone


class Permission(enum.StrEnum):
    """The closed set of rights. Roles are sets of these; nothing else grants anything."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    STAFF = "staff"
    MANAGE_ORGANISATION = "manage_organisation"
    MANAGE_ACCOUNTS = "manage_accounts"
    GRANT_ROLES = "grant_roles"
    READ_AUDIT = "read_audit"
    DESIGN_FLOWS = "design_flows"
    KEEP_NUMBERS = "keep_numbers"
    USE_SEALS = "use_seals"
    REGISTER_INCOMING = "register_incoming"
    KEEP_ARCHIVE = "keep_archive"
    KEEP_REGULATIONS = "keep_regulations"
    SEE_JOBS = "see_jobs"
    OPERATE_PLATFORM = "operate_platform"
    OVERSEE_SECURITY = "oversee_security"
    CELL_AGENT = "cell_agent"


class Role(enum.StrEnum):
    """What is granted to a user. The three administrators of a bureau exclude one another and all office work."""

    SYSTEM_ADMIN = "system_admin"
    SECURITY_ADMIN = "security_admin"
    AUDIT_ADMIN = "audit_admin"
    CLERK = "clerk"
    ARCHIVIST = "archivist"
    FLOW_ADMIN = "flow_admin"
    OPERATIONS = "operations"
    SECURITY_OFFICER = "security_officer"
    PLATFORM_AUDITOR = "platform_auditor"


P = Permission
ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.SYSTEM_ADMIN: frozenset({P.MANAGE_ORGANISATION, P.MANAGE_ACCOUNTS, P.SEE_JOBS}),
    Role.SECURITY_ADMIN: frozenset({P.GRANT_ROLES}),
    Role.AUDIT_ADMIN: frozenset({P.READ_AUDIT}),
    Role.CLERK: frozenset({P.KEEP_NUMBERS, P.USE_SEALS, P.REGISTER_INCOMING}),
    Role.ARCHIVIST: frozenset({P.KEEP_ARCHIVE, P.KEEP_REGULATIONS}),
    Role.FLOW_ADMIN: frozenset({P.DESIGN_FLOWS}),
    Role.OPERATIONS: frozenset({P.OPERATE_PLATFORM, P.SEE_JOBS, P.MANAGE_ACCOUNTS}),
    Role.SECURITY_OFFICER: frozenset({P.OVERSEE_SECURITY, P.GRANT_ROLES}),
    Role.PLATFORM_AUDITOR: frozenset({P.OVERSEE_SECURITY, P.READ_AUDIT}),
}
# At most one of these each; held together with nothing else. 等保三级 (GB/T 22239-2019): three administrators.
EXCLUSIVE_ROLES = frozenset(
    {
        Role.SYSTEM_ADMIN,
        Role.SECURITY_ADMIN,
        Role.AUDIT_ADMIN,
        Role.OPERATIONS,
        Role.SECURITY_OFFICER,
        Role.PLATFORM_AUDITOR,
    }
)

CELLS = frozenset({Zone.INTRANET, Zone.EXTRANET})
EVERYWHERE = frozenset(Zone)
View = Callable[..., HttpResponseBase]


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """Send a reader to the sign-in page and back again; what somebody was submitting is refused and kept."""
    if request.method not in {"GET", "HEAD"} or request.headers.get("HX-Request"):
        raise Forbidden(_("您的登录已过期。请重新登录，再继续刚才的操作。"), code="session.expired")
    return redirect(f"{settings.LOGIN_URL}?{urlencode({'next': request.get_full_path()})}")


def access(permission: Permission, *, zones: Iterable[Zone] = (Zone.INTRANET,)) -> Callable[[View], View]:
    """Declare and enforce what a route needs.

    Args:
        permission: the right the signed-in user must hold; `PUBLIC` needs no sign-in.
        zones: the security domains that serve the route; elsewhere it is 404.

    A user who still has to change the password or enrol a second factor is sent there first (the views in
    `accounts` that do this are marked with `before_settled`).
    """
    served = frozenset(zones)

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if settings.ZONE not in served:
                raise Http404
            if permission is Permission.PUBLIC:
                return view(request, *args, **kwargs)
            user = request.user
            if not user.is_authenticated:
                return _to_sign_in(request)
            pending = None if getattr(view, "before_settled", False) else getattr(user, "pending_step", None)
            if pending:
                return redirect(pending)
            if permission is not Permission.SIGNED_IN and not user.has_permission(permission):
                raise Forbidden(_("您没有办理此事的权限。需要时请联系本单位安全管理员授权。"))
            return view(request, *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        guarded.zones = served  # type: ignore[attr-defined]
        return guarded

    return decorate
