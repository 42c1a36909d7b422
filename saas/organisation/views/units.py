"""Administration of units and posts."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from saas.core import toasts
from saas.core.errors import NotFound
from saas.organisation import selectors, services
from saas.organisation.forms import PostForm, UnitForm, post_choices, unit_choices
from saas.organisation.models import Post, Unit
from saas.organisation.services import Shift
from saas.organisation.views.submit import actor_of, submitted


@require_GET
def units(request: HttpRequest) -> HttpResponse:
    """The whole tree in order, with how many posts and people each unit has."""
    return render(request, "organisation/units.html", {"rows": selectors.unit_rows()})


@require_http_methods(["GET", "POST"])
def unit_new(request: HttpRequest) -> HttpResponse:
    """Add a unit."""
    form = UnitForm(request.POST or None, initial={"parent": request.GET.get("parent", "")})
    del form.fields["in_charge_post"]
    form.fields["parent"].choices = unit_choices(selectors.flat_units(), none=_("（无，作为最上级）"))  # type: ignore[attr-defined]
    made: list[Unit] = []

    def act() -> None:
        data = form.cleaned_data
        made.append(
            services.unit_create(
                code=data["code"],
                name=data["name"],
                short_name=data["short_name"],
                parent_id=data["parent"],
                by=actor_of(request),
            )
        )

    status = submitted(request, form, act)
    if not status:
        toasts.show_next(request, _("已新建部门“%(name)s”。") % {"name": made[0].name})
        return redirect("organisation:unit", made[0].id)
    return render(request, "organisation/unit_new.html", {"form": form}, status=status)


@require_http_methods(["GET", "POST"])
def unit(request: HttpRequest, unit_id: UUID) -> HttpResponse:
    """One unit: its names, place and leader in charge, and its posts."""
    nodes = selectors.flat_units(including_inactive=True)
    node = next((node for node in nodes if node.unit.id == unit_id), None)
    if node is None:
        raise NotFound(_("没有这个部门。"))
    below = {one.unit.id for one in node.walk()}
    current = node.unit
    initial = {
        "name": current.name,
        "short_name": current.short_name,
        "code": current.code,
        "parent": str(current.parent_id or ""),
        "in_charge_post": str(current.in_charge_post_id or ""),
    }
    form = UnitForm(request.POST or None, initial=initial)
    parents = [one for one in nodes if one.unit.active and one.unit.id not in below]
    form.fields["parent"].choices = unit_choices(parents, none=_("（无，作为最上级）"))  # type: ignore[attr-defined]
    form.fields["in_charge_post"].choices = post_choices(selectors.leading_posts(), none=_("（未指定）"))  # type: ignore[attr-defined]

    def act() -> None:
        data = form.cleaned_data
        services.unit_save(
            unit_id=unit_id,
            code=data["code"],
            name=data["name"],
            short_name=data["short_name"],
            parent_id=data["parent"],
            in_charge_post_id=data["in_charge_post"],
            by=actor_of(request),
        )

    status = submitted(request, form, act)
    if not status:
        toasts.show_next(request, _("已保存。"))
        return redirect("organisation:unit", unit_id)
    posts = selectors.posts_with_holders(unit_id)
    context = {"form": form, "unit": current, "posts": posts}
    return render(request, "organisation/unit.html", context, status=status)


@require_POST
def unit_act(request: HttpRequest, unit_id: UUID, act: str) -> HttpResponse:
    """Move a unit up or down, or take it out of use or back."""
    if act in set(Shift):
        services.unit_shift(unit_id=unit_id, shift=Shift(act), by=actor_of(request))
        return redirect("organisation:units")
    if act == "deactivate":
        services.unit_deactivate(unit_id=unit_id, by=actor_of(request))
        toasts.show_next(request, _("已停用。"))
    else:
        services.unit_reactivate(unit_id=unit_id, by=actor_of(request))
        toasts.show_next(request, _("已启用。"))
    return redirect("organisation:unit", unit_id)


@require_http_methods(["GET", "POST"])
def post_new(request: HttpRequest, unit_id: UUID) -> HttpResponse:
    """Add a post to a unit."""
    unit = Unit.objects.filter(id=unit_id).first()
    if unit is None:
        raise NotFound(_("没有这个部门。"))
    form = PostForm(request.POST or None)

    def act() -> None:
        data = form.cleaned_data
        services.post_create(
            unit_id=unit_id, name=data["name"], kind=data["kind"], position=data["position"], by=actor_of(request)
        )

    status = submitted(request, form, act)
    if not status:
        toasts.show_next(request, _("已新建岗位“%(name)s”。") % {"name": form.cleaned_data["name"]})
        return redirect("organisation:unit", unit_id)
    return render(request, "organisation/post.html", {"form": form, "unit": unit, "post": None}, status=status)


@require_http_methods(["GET", "POST"])
def post(request: HttpRequest, post_id: UUID) -> HttpResponse:
    """One post: name, kind, place, and who holds it."""
    found = Post.objects.select_related("unit").filter(id=post_id).first()
    if found is None:
        raise NotFound(_("没有这个岗位。"))
    form = PostForm(request.POST or None, initial={"name": found.name, "kind": found.kind, "position": found.position})

    def act() -> None:
        data = form.cleaned_data
        services.post_change(
            post_id=post_id, name=data["name"], kind=data["kind"], position=data["position"], by=actor_of(request)
        )

    status = submitted(request, form, act)
    if not status:
        toasts.show_next(request, _("已保存。"))
        return redirect("organisation:unit", found.unit_id)
    context = {"form": form, "unit": found.unit, "post": found, "holders": selectors.holders(post_id)}
    return render(request, "organisation/post.html", context, status=status)


@require_POST
def post_act(request: HttpRequest, post_id: UUID, act: str) -> HttpResponse:
    """Take a post out of use or back."""
    if act == "deactivate":
        changed = services.post_deactivate(post_id=post_id, by=actor_of(request))
        toasts.show_next(request, _("已停用。"))
    else:
        changed = services.post_reactivate(post_id=post_id, by=actor_of(request))
        toasts.show_next(request, _("已启用。"))
    return redirect("organisation:unit", changed.unit_id)
