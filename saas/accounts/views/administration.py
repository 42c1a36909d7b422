"""Accounts for the system administrator, roles for the security administrator; the same in management."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from saas.accounts import policies, selectors, services
from saas.accounts.forms import AccountForm
from saas.accounts.labels import role_duty, role_label
from saas.accounts.models import User
from saas.accounts.requests import actor_of
from saas.core import toasts
from saas.core.access import EXCLUSIVE_ROLES, Role
from saas.core.actors import Actor
from saas.core.errors import Invalid, NotFound, YunshuError

PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account as the lists show it."""

    user: User
    roles: list[str]


@dataclass(frozen=True, slots=True)
class RoleRow:
    """One role on an account's page."""

    role: Role
    label: str
    duty: str
    held: bool
    exclusive: bool


def _page(request: HttpRequest) -> dict[str, Any]:
    query = request.GET.get("q", "")[: selectors.LONGEST_QUERY]
    page = selectors.accounts_page(
        query=query, after=request.GET.get("after", ""), before=request.GET.get("before", ""), size=PAGE_SIZE
    )
    rows = [AccountRow(user, [role_label(role) for role in sorted(user.roles)]) for user in page.users]
    return {"q": query, "page": page, "rows": rows}


@require_GET
def accounts(request: HttpRequest) -> HttpResponse:
    """All accounts, searchable."""
    return render(request, "accounts/accounts.html", _page(request))


@require_GET
def roles(request: HttpRequest) -> HttpResponse:
    """All accounts with their roles, searchable."""
    return render(request, "accounts/roles.html", _page(request))


@never_cache
@require_http_methods(["GET", "POST"])
def account_new(request: HttpRequest) -> HttpResponse:
    """Make an account; the answer shows its one-time password."""
    form = AccountForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                issued = services.user_create(
                    username=form.cleaned_data["username"], name=form.cleaned_data["name"], by=actor_of(request)
                )
            except YunshuError as refusal:
                status = refusal.status
                _put_errors(form, refusal)
            else:
                return render(request, "accounts/password_once.html", {"issued": issued, "is_new": True})
    return render(request, "accounts/account_new.html", {"form": form}, status=status)


def _put_errors(form: AccountForm, refusal: YunshuError) -> None:
    if not refusal.fields:
        raise refusal
    for field, text in refusal.fields.items():
        form.add_error(field, str(text))


@require_GET
def account(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """One account and what the system administrator can do with it."""
    return render(request, "accounts/account.html", {"row": _row(user_id)})


@require_GET
def account_roles(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """One account and what the security administrator can do with it."""
    row = _row(user_id)
    held = row.user.roles
    options = [
        RoleRow(role, role_label(role), role_duty(role), role in held, role in EXCLUSIVE_ROLES)
        for role in policies.roles_here()
    ]
    return render(request, "accounts/account_roles.html", {"row": row, "options": options})


def _row(user_id: UUID) -> AccountRow:
    user = User.objects.for_request().filter(pk=user_id).first()
    if user is None:
        raise NotFound(_("没有这个账号。"))
    return AccountRow(user, [role_label(role) for role in sorted(user.roles)])


@never_cache
@require_POST
def account_reset(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Reset the password; the answer shows the one-time password, and no other page ever does."""
    issued = services.password_reset(user_id=user_id, by=actor_of(request))
    return render(request, "accounts/password_once.html", {"issued": issued, "is_new": False})


Act = Callable[[UUID, Actor], object]


def _disable(user_id: UUID, by: Actor) -> object:
    return services.user_disable(user_id=user_id, by=by)


def _enable(user_id: UUID, by: Actor) -> object:
    return services.user_enable(user_id=user_id, by=by)


def _unlock(user_id: UUID, by: Actor) -> object:
    return services.unlock(user_id=user_id, by=by)


def _reset_factor(user_id: UUID, by: Actor) -> object:
    return services.second_factor_reset(user_id=user_id, by=by)


def _require_factor(user_id: UUID, by: Actor) -> object:
    return services.second_factor_require(user_id=user_id, required=True, by=by)


def _end_sessions(user_id: UUID, by: Actor) -> object:
    return services.sessions_end(user_id=user_id, by=by)


def _waive_factor(user_id: UUID, by: Actor) -> object:
    return services.second_factor_require(user_id=user_id, required=False, by=by)


_ACCOUNT_ACTS: dict[str, Act] = {"disable": _disable, "enable": _enable}
_SECURITY_ACTS: dict[str, Act] = {
    "unlock": _unlock,
    "reset-factor": _reset_factor,
    "require-factor": _require_factor,
    "waive-factor": _waive_factor,
    "end-sessions": _end_sessions,
}


def _done(act: str) -> str:
    return {
        "disable": _("账号已停用，其登录已全部退出。"),
        "enable": _("账号已重新启用。"),
        "unlock": _("账号已解锁。"),
        "reset-factor": _("双重验证已清除，本人下次登录时重新设置。"),
        "require-factor": _("该账号今后必须使用双重验证。"),
        "waive-factor": _("该账号可不使用双重验证。"),
        "end-sessions": _("该账号的登录已全部退出。"),
    }[act]


@require_POST
def account_act(request: HttpRequest, user_id: UUID, act: str) -> HttpResponse:
    """Disable or enable an account."""
    if act not in _ACCOUNT_ACTS:
        raise NotFound(_("没有这项操作。"))
    _ACCOUNT_ACTS[act](user_id, actor_of(request))
    toasts.show_next(request, _done(act))
    return redirect("accounts:account", user_id=user_id)


@require_POST
def security_act(request: HttpRequest, user_id: UUID, act: str) -> HttpResponse:
    """Unlock an account, or say something about its second factor."""
    if act not in _SECURITY_ACTS:
        raise NotFound(_("没有这项操作。"))
    _SECURITY_ACTS[act](user_id, actor_of(request))
    toasts.show_next(request, _done(act))
    return redirect("accounts:account_roles", user_id=user_id)


@require_GET
def all_sessions(request: HttpRequest) -> HttpResponse:
    """Who is signed in now, everywhere in this bureau and zone."""
    query = request.GET.get("q", "")[: selectors.LONGEST_QUERY]
    page = selectors.sessions_page(
        query=query, after=request.GET.get("after", ""), current_key=request.session.session_key
    )
    return render(request, "accounts/all_sessions.html", {"q": query, "page": page})


@require_POST
def somebodys_session_end(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign somebody out at one place."""
    services.session_end(session_id=session_id, by=actor_of(request))
    toasts.show_next(request, _("已退出该处登录。"))
    return redirect("accounts:all_sessions")


@require_POST
def role_change(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Grant or revoke one role: `grant` or `revoke` carries the role's name."""
    try:
        granted, revoked = request.POST.get("grant"), request.POST.get("revoke")
        role = Role(granted or revoked or "")
    except ValueError as error:
        raise Invalid(_("没有这个角色。"), fields={"role": _("没有这个角色。")}) from error
    if granted:
        services.role_grant(user_id=user_id, role=role, by=actor_of(request))
        toasts.show_next(request, _("已授予：%(role)s。") % {"role": role_label(role)})
    else:
        services.role_revoke(user_id=user_id, role=role, by=actor_of(request))
        toasts.show_next(request, _("已收回：%(role)s。") % {"role": role_label(role)})
    return redirect("accounts:account_roles", user_id=user_id)
