"""Flows and their versions: a list editor of nodes over the definition's own JSON, published when it can run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Count, Func, Max, OuterRef, Q, Subquery
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from saas.accounts.requests import actor_of
from saas.approvals import services
from saas.approvals.definition import DefinitionInvalid, Problem, RuleKind, parse
from saas.approvals.definition.check import problems_here
from saas.approvals.definition.editing import added, cards, free_key, moved, removed
from saas.approvals.definition.schema import definition_schema
from saas.approvals.engine.state import Status
from saas.approvals.models import Flow, FlowVersion, Instance, VersionState
from saas.approvals.views import flow_cards, flow_panel
from saas.approvals.views.flow_controls import World
from saas.core import toasts
from saas.core.access import Permission, access
from saas.core.errors import Conflict, Invalid, NotFound, TooLarge
from saas.organisation import selectors as organisation
from saas.organisation.forms import post_choices

MAX_TEXT = 1_000_000


def _empty() -> dict[str, Any]:
    """What a new flow begins with."""
    return {
        "nodes": [
            {"kind": "start", "key": "start", "name": _("拟稿")},
            {"kind": "end", "key": "end", "name": _("结束")},
        ]
    }


class FlowForm(forms.Form):
    """A new flow."""

    name = forms.CharField(label=gettext_lazy("流程名称"), max_length=60)
    key = forms.CharField(
        label=gettext_lazy("标识"), max_length=40, help_text=gettext_lazy("小写英文字母、数字和下划线，发布后不再改变")
    )


@require_GET
@access(Permission.DESIGN_FLOWS)
def flows(request: HttpRequest) -> HttpResponse:
    """All flows with the version in force and whether a draft is being made."""
    rows = Flow.objects.annotate(
        published=Max("versions__number", filter=Q(versions__state=VersionState.PUBLISHED)),
        published_at=Max("versions__published_at", filter=Q(versions__state=VersionState.PUBLISHED)),
        draft=Max("versions__number", filter=Q(versions__state=VersionState.DRAFT)),
        count=Count("versions"),
    )
    return render(request, "approvals/admin/flows.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@access(Permission.DESIGN_FLOWS)
def flow_new(request: HttpRequest) -> HttpResponse:
    """Begin a flow."""
    form, status = FlowForm(request.POST or None), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            chosen = form.cleaned_data
            try:
                made = services.flow_create(key=chosen["key"], name=chosen["name"], tree=_empty(), by=actor_of(request))
            except Invalid as refused:
                for field, text in refused.fields.items():
                    form.add_error(field, str(text))
            except Conflict as refused:
                status = refused.status
                form.add_error("key", str(refused.message))
            else:
                return redirect("approvals_admin:flow", flow_id=made.flow_id)
    return render(request, "approvals/admin/flow_new.html", {"form": form}, status=status)


@require_GET
@access(Permission.STAFF)
def schema(request: HttpRequest) -> JsonResponse:
    """The JSON Schema of a definition, for editors and imports."""
    del request
    return JsonResponse(definition_schema(), content_type="application/schema+json")


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the editor shows: the text as it was typed, and what is wrong with it."""

    text: str
    based_on: str
    problems: Sequence[Problem] = ()
    message: str = ""
    status: int = 200
    panel: str = ""


@require_http_methods(["GET", "POST"])
@access(Permission.DESIGN_FLOWS)
def flow(request: HttpRequest, flow_id: UUID) -> HttpResponse:
    """A flow with its versions and the editor of its draft; a POST changes the list or keeps the draft."""
    wanted = _flow(flow_id)
    versions = list(wanted.versions.order_by("-number"))
    if request.method == "GET":
        return _page(request, wanted, versions, _as_kept(versions))
    text, based_on = _posted(request)
    try:
        tree = _edited(request, text)
        text = _written(tree) if request.POST.get("panel") else text
        change = request.POST.get("change", "")
        if change:
            panel = _panel_after(request, change)
            shown = _Shown(_written(_changed(request, tree, change)), based_on, panel=panel)
            return _page(request, wanted, versions, shown)
        services.flow_draft_save(flow_id=flow_id, tree=tree, by=actor_of(request), based_on=_number_and_time(based_on))
    except (Invalid, Conflict) as refused:
        panel = request.POST.get("panel", "")
        shown = _Shown(text, based_on, message=str(refused.message), status=refused.status, panel=panel)
        return _page(request, wanted, versions, shown)
    toasts.show_next(request, _("草稿已保存。"))
    return redirect("approvals_admin:flow", flow_id=flow_id)


@require_POST
@access(Permission.DESIGN_FLOWS)
def publish(request: HttpRequest, flow_id: UUID) -> HttpResponse:
    """Keep the text as the draft and publish it; when it cannot run, every error is shown at once."""
    wanted = _flow(flow_id)
    text, based_on = _posted(request)
    by = actor_of(request)
    try:
        tree = _edited(request, text)
        text = _written(tree) if request.POST.get("panel") else text
        version = services.flow_draft_save(flow_id=flow_id, tree=tree, by=by, based_on=_number_and_time(based_on))
        based_on = _mark(version)
        published = services.flow_publish(version_id=version.id, by=by)
    except DefinitionInvalid as refused:
        message = _("流程没有发布，草稿已保存。请改正以下各处：")
        shown = _Shown(text, based_on, refused.problems, message, 422)
    except (Invalid, Conflict) as refused:
        shown = _Shown(text, based_on, message=str(refused.message), status=refused.status)
    else:
        toasts.show_next(request, _("第 %(number)d 版已发布，新事项按它办理。") % {"number": published.number})
        return redirect("approvals_admin:flow", flow_id=flow_id)
    return _page(request, wanted, list(wanted.versions.order_by("-number")), shown)


@require_POST
@access(Permission.DESIGN_FLOWS)
def retire(request: HttpRequest, flow_id: UUID) -> HttpResponse:
    """Stop a flow: nothing new starts on it."""
    services.flow_retire(flow_id=flow_id, by=actor_of(request))
    toasts.show_next(request, _("流程已停用，已经在办的事项继续办完。"))
    return redirect("approvals_admin:flow", flow_id=flow_id)


def _flow(flow_id: UUID) -> Flow:
    """The flow, with how many matters run on another version than the published one."""
    states = [Status.RUNNING.value, Status.SUSPENDED.value]
    running = Instance.objects.filter(version__flow=OuterRef("pk"), status__in=states)
    older = running.exclude(version__state=VersionState.PUBLISHED).order_by().annotate(n=Func("id", function="count"))
    found = Flow.objects.annotate(older=Subquery(older.values("n"))).filter(id=flow_id).first()
    if found is None:
        raise NotFound(_("没有这个流程。"))
    return found


def _posted(request: HttpRequest) -> tuple[str, str]:
    text = request.POST.get("definition", "")
    if len(text) > MAX_TEXT:
        raise TooLarge(_("流程定义超过 %(limit)d 个字符。") % {"limit": MAX_TEXT})
    return text, request.POST.get("based_on", "")


def _mark(version: FlowVersion | None) -> str:
    """Names the state of a draft an editor starts from."""
    return f"{version.number} {version.edited_at.isoformat()}" if version else ""


def _number_and_time(mark: str) -> tuple[int, str]:
    number, _space, at = mark.partition(" ")
    return (int(number), at) if number.isascii() and number.isdigit() and len(number) < 9 else (0, "")


def _as_kept(versions: Sequence[FlowVersion]) -> _Shown:
    draft = next((one for one in versions if one.state == VersionState.DRAFT), None)
    shown = draft or next((one for one in versions if one.state == VersionState.PUBLISHED), None)
    shown = shown or next(iter(versions), None)
    return _Shown(_written(shown.tree if shown else _empty()), _mark(draft))


def _written(tree: Any) -> str:
    return json.dumps(tree, ensure_ascii=False, indent=2)


def _read(text: str) -> Any:
    """The text as a tree the database can keep.

    Raises:
        Invalid: no JSON, or with what PostgreSQL's jsonb has no place for (NUL, lone surrogates, infinite numbers).
    """
    try:
        tree = json.loads(text)
        again = json.dumps(tree, ensure_ascii=False, allow_nan=False)
        again.encode()
    except json.JSONDecodeError as error:
        message = _("定义不是正确的 JSON：第 %(line)d 行第 %(column)d 个字符附近有误。")
        raise Invalid(message % {"line": error.lineno, "column": error.colno}) from error
    except RecursionError as error:
        raise Invalid(_("定义嵌套太深。")) from error
    except ValueError as error:
        raise Invalid(_("定义里有不能保存的数字或字符。")) from error
    if "\\u0000" in again:
        raise Invalid(_("定义里有不能保存的数字或字符。"))
    return tree


def _edited(request: HttpRequest, text: str) -> Any:
    """The text as a tree, with what the open panel says."""
    tree = _read(text)
    panel = request.POST.get("panel", "")
    try:
        changed = flow_panel.applied(tree, panel, request.POST, World(tree)) if panel else tree
    except RecursionError as error:
        raise Invalid(_("定义嵌套太深。")) from error
    return _read(_written(changed))


def _panel_after(request: HttpRequest, change: str) -> str:
    """Which panel is open after a press."""
    what, _colon, key = change.partition(":")
    if what == "open":
        return key
    if what == "close":
        return ""
    return request.POST.get("panel", "")


def _changed(request: HttpRequest, tree: Any, change: str) -> Any:
    """The definition after a press of one of the list's buttons, named ``what:key``."""
    what, _colon, key = change.partition(":")
    try:
        return _change(request, tree, what, key)
    except RecursionError as error:
        raise Invalid(_("定义嵌套太深。")) from error


def _change(request: HttpRequest, tree: Any, what: str, key: str) -> Any:
    match what:
        case "open" | "close" | "keep":
            changed = tree
        case "up" | "down":
            changed = moved(tree, key, steps=-1 if what == "up" else 1)
        case "remove":
            changed = removed(tree, key)
        case "branch":
            changed = flow_panel.with_branch(tree, key)
        case "unbranch":
            node, _colon, number = key.rpartition(":")
            changed = flow_panel.with_branch(tree, node, without=int(number) if number.isdigit() else -1)
        case "add":
            changed = added(tree, _new_node(request, tree), into=request.POST.get("new_into", ""))
        case _:
            raise Invalid(_("不认识的修改。"))
    return changed


def _new_node(request: HttpRequest, tree: Any) -> dict[str, Any]:
    name, kind = request.POST.get("new_name", "").strip(), request.POST.get("new_kind", "approve")
    if not name:
        raise Invalid(_("请填写新环节的名称。"))
    if kind not in NEW_KINDS:
        raise Invalid(_("不认识的修改。"))
    node: dict[str, Any] = {"kind": kind, "key": free_key(tree), "name": name}
    if kind in {"approve", "circulate"}:
        return {**node, "who": _new_who(request)}
    if kind == "condition":
        return {**node, "branches": [{"name": _("满足条件"), "nodes": []}, {"name": _("其他"), "nodes": []}]}
    if kind == "parallel":
        return {**node, "branches": [{"name": _("分支一"), "nodes": []}, {"name": _("分支二"), "nodes": []}]}
    return node


def _new_who(request: HttpRequest) -> list[dict[str, Any]]:
    rule = request.POST.get("new_rule", "")
    if rule in SIMPLE_RULES:
        return [{"rule": rule}]
    post = request.POST.get("new_post", "")
    if not post:
        raise Invalid(_("请选择办理新环节的岗位。"))
    return [{"rule": RuleKind.POST.value, "id": post}]


NEW_KINDS = ("approve", "circulate", "condition", "parallel", "subflow", "automatic")
# Those that need nothing but their name.
SIMPLE_RULES = (RuleKind.UNIT_LEADER, RuleKind.IN_CHARGE, RuleKind.LEADER_ABOVE, RuleKind.CHOSEN)


def _page(request: HttpRequest, wanted: Flow, versions: Sequence[FlowVersion], shown: _Shown) -> HttpResponse:
    try:
        tree = _read(shown.text)
    except Invalid:
        tree = None
    problems = shown.problems or ([] if tree is None else _problems(tree, wanted.key))
    published = next((one for one in versions if one.state == VersionState.PUBLISHED), None)
    shown_cards = flow_cards.views_of(list(cards(tree)))
    world = World(tree, flows=lambda: _others(wanted))
    context = {
        "flow": wanted,
        "versions": versions,
        "published": published,
        "draft": next((one for one in versions if one.state == VersionState.DRAFT), None),
        "shown": shown,
        "problems": problems,
        "cards": shown_cards,
        "panel": flow_panel.panel_of(tree, shown.panel, world) if shown.panel else None,
        "form_size": len(world.fields()),
        "older": getattr(wanted, "older", 0),
        "kinds": [(kind, flow_cards.KINDS[kind]) for kind in NEW_KINDS],
        "places": [(card.into, card.branch) for card in shown_cards if card.into],
        "rules": [(rule.value, flow_cards.RULES[rule]) for rule in SIMPLE_RULES],
        "posts": post_choices(organisation.active_posts(), none=_("请选择")),
        "new": {name: request.POST.get(name, "") for name in _NEW} if shown.status != 200 else {},
    }
    return render(request, "approvals/admin/flow.html", context, status=shown.status)


_NEW = ("new_name", "new_kind", "new_rule", "new_post", "new_into")


def _others(wanted: Flow) -> list[tuple[str, str]]:
    """Flows that may be run as a sub-flow of this one."""
    rows = Flow.objects.filter(versions__state=VersionState.PUBLISHED).exclude(id=wanted.id).order_by("position")
    return list(rows.values_list("key", "name"))


def _problems(tree: Any, key: str) -> list[Problem]:
    """What keeps the text from being published, as a hint while it is edited."""
    try:
        return problems_here(parse(tree), key=key)
    except DefinitionInvalid as refused:
        return refused.problems
