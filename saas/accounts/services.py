"""Every change to accounts, roles and sessions: authorise, lock, change, record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from saas.accounts import blockers, policies
from saas.accounts.models import RoleGrant, User
from saas.accounts.names import clean_name, clean_username
from saas.accounts.passwords import require_acceptable
from saas.accounts.signing_in import account_target
from saas.core.access import EXCLUSIVE_ROLES, Permission, Role
from saas.core.actors import SYSTEM, Actor
from saas.core.audit.events import Event
from saas.core.audit.services import record
from saas.core.errors import Conflict, Invalid, NotFound
from saas.core.one_time import one_time_password


@dataclass(frozen=True, slots=True)
class IssuedPassword:
    """An account with the password it was given; shown once, stored nowhere in clear."""

    user: User
    password: str


def user_create(*, username: str, name: str, by: Actor, password_hash: str = "") -> IssuedPassword:
    """Make an account without any role.

    Args:
        username: staff number or pinyin; lower case letters, digits, ``.``, ``-``, ``_``.
        name: the person's name.
        by: a system administrator (operations in management), or provisioning.
        password_hash: an encoded hash (imports and the demo); then no one-time password is made and none is forced
            to be changed. Only provisioning may give one.

    Raises:
        Forbidden: `by` may not.
        Invalid: a name breaks its rule.
        Conflict: the user name is taken.
    """
    policies.require(by, Permission.MANAGE_ACCOUNTS)
    if password_hash:
        policies.require_provisioning(by)
    username, name = clean_username(username), clean_name(name)
    password = "" if password_hash else one_time_password()
    user = User(username=username, name=name, must_change_password=not password_hash)
    if password_hash:
        user.password = password_hash
    else:
        user.set_password(password)
    with transaction.atomic():
        try:
            with transaction.atomic():
                user.save(force_insert=True)
        except IntegrityError as error:
            message = _("用户名 %(name)s 已被使用，请换一个。") % {"name": username}
            raise Conflict(message, code="account.username_taken", fields={"username": message}) from error
        record(Event.ACCOUNT_CREATED, by=by, target=account_target(user))
    return IssuedPassword(user, password)


def user_disable(*, user_id: UUID, by: Actor) -> User:
    """Close an account and end its sessions; its history stays.

    Raises:
        Forbidden: `by` may not, is the account himself, or the account is an administrator's.
        Conflict: an upper layer still needs the account (open tasks to hand over); says which.
    """
    policies.require(by, Permission.MANAGE_ACCOUNTS)
    with transaction.atomic():
        user = _locked(user_id)
        policies.require_other(by, user)
        policies.require_not_administrator(user)
        reasons = blockers.reasons(user.pk)
        if reasons:
            raise Conflict(_("暂不能停用：%(reasons)s") % {"reasons": "；".join(reasons)}, code="account.still_needed")
        if user.is_active:
            user.is_active = False
            user.save(update_fields=["is_active"])
            _end_all_sessions(user)
            record(Event.ACCOUNT_DISABLED, by=by, target=account_target(user))
    return user


def user_enable(*, user_id: UUID, by: Actor) -> User:
    """Open a disabled account again.

    Raises:
        Forbidden: `by` may not.
    """
    policies.require(by, Permission.MANAGE_ACCOUNTS)
    with transaction.atomic():
        user = _locked(user_id)
        policies.require_other(by, user)
        policies.require_not_administrator(user)
        if not user.is_active:
            user.is_active = True
            user.save(update_fields=["is_active"])
            record(Event.ACCOUNT_ENABLED, by=by, target=account_target(user))
    return user


def password_reset(*, user_id: UUID, by: Actor) -> IssuedPassword:
    """Give an account a one-time password, which must be changed at the next sign-in; ends its sessions.

    The second factor stays: only the security administrator can remove that, so nobody alone can enter the account.

    Raises:
        Forbidden: `by` may not, is the account himself, or the account is an administrator's.
    """
    policies.require(by, Permission.MANAGE_ACCOUNTS)
    password = one_time_password()
    with transaction.atomic():
        user = _locked(user_id)
        policies.require_other(by, user)
        policies.require_not_administrator(user)
        user.set_password(password)
        user.must_change_password = True
        user.save(update_fields=["password", "must_change_password"])
        _end_all_sessions(user)
        record(Event.PASSWORD_RESET, by=by, target=account_target(user))
    return IssuedPassword(user, password)


def password_change(*, user_id: UUID, password: str, by: Actor) -> User:
    """Set one's own password; ends the account's other sessions (the caller keeps its own).

    Raises:
        Invalid: the password breaks the policy.
        NotFound: `by` is somebody else.
    """
    with transaction.atomic():
        user = _locked(user_id)
        if by.user_id != user.pk:
            raise NotFound(_("没有这个账号。"))
        require_acceptable(password, user, field="password1")
        user.set_password(password)
        user.must_change_password = False
        user.password_changed_at = timezone.now()
        user.save(update_fields=["password", "must_change_password", "password_changed_at"])
        record(Event.PASSWORD_CHANGED, by=by, target=account_target(user))
    return user


def unlock(*, user_id: UUID, by: Actor) -> User:
    """Open an account that failed sign-ins have closed.

    Raises:
        Forbidden: `by` is no security administrator.
    """
    policies.require(by, Permission.GRANT_ROLES)
    with transaction.atomic():
        user = _locked(user_id)
        policies.require_other(by, user)
        if user.is_locked or user.failed_count:
            user.locked_until, user.failed_count = None, 0
            user.save(update_fields=["locked_until", "failed_count"])
            record(Event.UNLOCKED, by=by, target=account_target(user))
    return user


def second_factor_require(*, user_id: UUID, required: bool, by: Actor) -> User:
    """Say whether a member of staff must show two factors (administrators always must).

    Raises:
        Forbidden: `by` is no security administrator.
    """
    policies.require(by, Permission.GRANT_ROLES)
    with transaction.atomic():
        user = _locked(user_id)
        if user.second_factor_required != required:
            user.second_factor_required = required
            user.save(update_fields=["second_factor_required"])
            event = Event.SECOND_FACTOR_ADDED if required else Event.SECOND_FACTOR_REMOVED
            record(event, by=by, target=account_target(user), detail={"policy": required})
    return user


def second_factor_reset(*, user_id: UUID, by: Actor) -> User:
    """Remove all second factors of an account whose holder lost them; ends its sessions.

    Raises:
        Forbidden: `by` is no security administrator, or is the account himself.
    """
    from allauth.mfa.models import Authenticator

    policies.require(by, Permission.GRANT_ROLES)
    with transaction.atomic():
        user = _locked(user_id)
        policies.require_other(by, user)
        kinds = sorted(Authenticator.objects.filter(user=user).values_list("type", flat=True))
        if kinds:
            Authenticator.objects.filter(user=user).delete()
            _end_all_sessions(user)
            record(
                Event.SECOND_FACTOR_REMOVED, by=by, target=account_target(user), detail={"kinds": kinds, "reset": True}
            )
    return user


def role_grant(*, user_id: UUID, role: Role, by: Actor) -> RoleGrant:
    """Give a role. An administrator's role stands alone in an account; the database holds to that too.

    Raises:
        Forbidden: `by` is no security administrator, or grants himself something.
        Invalid: the role does not exist in this zone.
        Conflict: the account has it already, or has roles that exclude it, or does not have its own password yet.
    """
    policies.require(by, Permission.GRANT_ROLES)
    if role not in policies.roles_here():
        raise Invalid(_("本安全域没有这个角色。"), code="role.not_here", fields={"role": _("本安全域没有这个角色。")})
    with transaction.atomic():
        user = _locked(user_id)
        policies.require_other(by, user)
        if not user.is_active:
            raise Conflict(_("账号已停用，不能授予角色。"), code="account.disabled")
        grant = _insert_grant(user, role, by, own_password_needed=by != SYSTEM)
        record(Event.ROLE_GRANTED, by=by, target=account_target(user), detail={"role": role.value})
    return grant


def role_revoke(*, user_id: UUID, role: Role, by: Actor) -> None:
    """Take a role back.

    Raises:
        Forbidden: `by` is no security administrator, or it is his own.
        Conflict: it is the last account with that administrator's role.
        NotFound: the account does not hold it.
    """
    policies.require(by, Permission.GRANT_ROLES)
    with transaction.atomic():
        user = _locked(user_id)
        policies.require_other(by, user)
        # All grants of this role are locked, so that two revocations at once cannot remove the last two.
        held = list(RoleGrant.objects.select_for_update().filter(role=role.value).select_related("user"))
        grant = next((item for item in held if item.user_id == user.pk), None)
        if grant is None:
            raise NotFound(_("该账号没有这个角色。"))
        if role in EXCLUSIVE_ROLES and not any(item.user_id != user.pk and item.user.is_active for item in held):
            raise Conflict(
                _("这是最后一位担任该管理员角色的人。请先授予他人，再收回。"), code="role.last_administrator"
            )
        grant.delete()
        if role in EXCLUSIVE_ROLES:
            user.administrator = False
            user.save(update_fields=["administrator"])
        _end_all_sessions(user)
        record(Event.ROLE_REVOKED, by=by, target=account_target(user), detail={"role": role.value})


def session_end(*, session_id: int, by: Actor) -> None:
    """End one session: one's own, or anybody's by a security administrator.

    Raises:
        NotFound: no such session, or it is not `by`'s to end.
    """
    from allauth.usersessions.models import UserSession

    with transaction.atomic():
        session = UserSession.objects.select_for_update().select_related("user").filter(pk=session_id).first()
        if session is None or by.user_id is None:
            raise NotFound(_("没有这个登录。"))
        if session.user_id != by.user_id:
            actor = User.objects.for_request().filter(pk=by.user_id).first()
            if actor is None or not actor.has_permission(Permission.GRANT_ROLES):
                raise NotFound(_("没有这个登录。"))
        Session.objects.filter(session_key=session.session_key).delete()
        target = account_target(session.user)
        session.delete()
        record(Event.SESSION_ENDED, by=by, target=target)


def sessions_end(*, user_id: UUID, by: Actor) -> int:
    """End every session of somebody else's account; recorded once, with how many there were.

    Raises:
        Forbidden: not a security administrator, or one's own account.
        NotFound: no such account.
    """
    policies.require(by, Permission.GRANT_ROLES)
    with transaction.atomic():
        user = _locked(user_id)
        policies.require_other(by, user)
        ended = _end_all_sessions(user)
        record(Event.SESSION_ENDED, by=by, target=account_target(user), detail={"sessions": ended})
    return ended


def create_initial_administrators(*, hashes: Mapping[Role, str], by: Actor) -> dict[Role, User]:
    """Make the first administrator of each role in a new bureau (or in management).

    Args:
        hashes: an encoded Argon2 hash for each role; the user name is the role's name with dashes.
        by: provisioning.

    Raises:
        Forbidden: called by anybody else.
        Conflict: the accounts exist already.
    """
    policies.require_provisioning(by)
    made: dict[Role, User] = {}
    with transaction.atomic():
        for role, encoded in hashes.items():
            user = User(
                username=role.value.replace("_", "-"),
                name=str(INITIAL_NAMES[role]),
                password=encoded,
                must_change_password=True,
                administrator=role in EXCLUSIVE_ROLES,
            )
            try:
                with transaction.atomic():
                    user.save(force_insert=True)
            except IntegrityError as error:
                raise Conflict(_("初始管理员账号已存在。"), code="account.username_taken") from error
            record(Event.ACCOUNT_CREATED, by=by, target=account_target(user))
            _insert_grant(user, role, by, own_password_needed=False)
            record(Event.ROLE_GRANTED, by=by, target=account_target(user), detail={"role": role.value})
            made[role] = user
    return made


INITIAL_NAMES: Mapping[Role, str] = {
    Role.SYSTEM_ADMIN: "系统管理员",
    Role.SECURITY_ADMIN: "安全管理员",
    Role.AUDIT_ADMIN: "审计管理员",
    Role.OPERATIONS: "平台运维",
    Role.SECURITY_OFFICER: "安全主管",
    Role.PLATFORM_AUDITOR: "平台审计",
}


def _locked(user_id: UUID) -> User:
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        raise NotFound(_("没有这个账号。"))
    return user


def _insert_grant(user: User, role: Role, by: Actor, *, own_password_needed: bool) -> RoleGrant:
    exclusive = role in EXCLUSIVE_ROLES
    held = set(RoleGrant.objects.filter(user=user).values_list("role", flat=True))
    if role.value in held:
        raise Conflict(_("该账号已有这个角色。"), code="role.held")
    if held and (exclusive or user.administrator):
        raise Conflict(_("管理员角色不能与其他角色由同一人担任（三员分立）。请先收回现有角色。"), code="role.exclusive")
    if exclusive and own_password_needed:
        policies.require_own_password(user)
    if user.administrator != exclusive:
        user.administrator = exclusive
        user.save(update_fields=["administrator"])
    return RoleGrant.objects.create(
        user=user, role=role.value, exclusive=exclusive, granted_by_id=by.user_id, granted_by_name=by.label
    )


def _end_all_sessions(user: User) -> int:
    from allauth.usersessions.models import UserSession

    keys = list(UserSession.objects.filter(user=user).values_list("session_key", flat=True))
    ended, _kinds = Session.objects.filter(session_key__in=keys).delete()
    UserSession.objects.filter(user=user).delete()
    return ended
