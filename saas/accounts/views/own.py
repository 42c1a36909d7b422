"""A person's own settings: overview, password, where he is signed in; and the extranet's first page."""

from __future__ import annotations

from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from saas.accounts import selectors, services
from saas.accounts.forms import PasswordForm
from saas.accounts.labels import role_label
from saas.accounts.requests import actor_of, user_of
from saas.accounts.signing_in import check_password
from saas.accounts.throttle import require_calm
from saas.accounts.views.pages import layout
from saas.core import toasts
from saas.core.errors import Invalid

_PASSWORD_TRIES_PER_MINUTE = 10


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Name, roles, and the ways to the other settings."""
    roles = [role_label(role) for role in sorted(user_of(request).roles)]
    return render(request, "accounts/settings.html", {"roles": roles})


@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Change the password; after a first sign-in or a reset this comes before everything else."""
    user = user_of(request)
    forced = user.must_change_password
    form = PasswordForm(request.POST or None)
    if request.method == "POST":
        require_calm(request, "password", per_minute=_PASSWORD_TRIES_PER_MINUTE)
        if form.is_valid() and _change_password(request, form):
            toasts.show_next(request, _("密码已修改，其他地方的登录已全部退出。"))
            return redirect("/" if forced else "accounts:settings")
    return render(
        request,
        "accounts/password.html",
        {"form": form, "layout": layout(request), "forced": forced},
        status=422 if form.errors else 200,
    )


def _change_password(request: HttpRequest, form: PasswordForm) -> bool:
    user = user_of(request)
    old = form.cleaned_data["oldpassword"]
    if check_password(username=user.username, password=old, request=request) is None:
        form.add_error("oldpassword", _("当前密码不正确。"))
        return False
    try:
        changed = services.password_change(
            user_id=user.pk, password=form.cleaned_data["password1"], by=actor_of(request)
        )
    except Invalid as refusal:
        for field, text in refusal.fields.items():
            form.add_error(field, str(text))
        return False
    # The signature over the session follows the password: this session alone learns the new one.
    update_session_auth_hash(request, changed)
    return True


@require_GET
def sessions(request: HttpRequest) -> HttpResponse:
    """Where this account is signed in."""
    found = selectors.sessions_of(user_of(request).pk, current_key=request.session.session_key)
    return render(request, "accounts/sessions.html", {"sessions": found})


@require_POST
def session_end(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign out elsewhere."""
    services.session_end(session_id=session_id, by=actor_of(request))
    toasts.show_next(request, _("已退出该处登录。"))
    return redirect("usersessions_list")


@require_GET
def extranet_home(request: HttpRequest) -> HttpResponse:
    """What this zone is for, until its services stand here."""
    return render(request, "accounts/extranet_home.html", {})
