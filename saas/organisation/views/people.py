"""Administration of people, their accounts and their appointments."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from saas.core import toasts
from saas.core.errors import NotFound
from saas.organisation import selectors, services
from saas.organisation.forms import AccountForm, AppointmentForm, PersonForm, post_choices
from saas.organisation.models import Appointment, Person, today
from saas.organisation.views.directory import LONGEST_QUERY, whole_number
from saas.organisation.views.submit import actor_of, submitted

PAGE_SIZE = 50


@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """Everybody in rank order, searchable; those who left too when asked for."""
    words = request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST_QUERY]
    start = whole_number(request.GET.get("after", ""))
    state = request.GET.get("state", "")
    rows = selectors.people(words=words, state=state, offset=start, limit=PAGE_SIZE + 1)
    return render(
        request,
        "organisation/people.html",
        {
            "q": words,
            "state": state,
            "rows": rows[:PAGE_SIZE],
            "after": start + PAGE_SIZE if len(rows) > PAGE_SIZE else "",
            "before": str(start - PAGE_SIZE) if start >= PAGE_SIZE else "",
        },
    )


@require_http_methods(["GET", "POST"])
def person_new(request: HttpRequest) -> HttpResponse:
    """Add a person."""
    form = PersonForm(request.POST or None)
    made: list[Person] = []

    def act() -> None:
        data = form.cleaned_data
        made.append(
            services.person_create(
                staff_number=data["staff_number"],
                name=data["name"],
                mobile=data["mobile"],
                email=data["email"],
                rank=data["rank"],
                by=actor_of(request),
            )
        )

    status = submitted(request, form, act)
    if not status:
        toasts.show_next(request, _("已新建人员“%(name)s”，请为其任职。") % {"name": made[0].name})
        return redirect("organisation:person", made[0].id)
    return render(request, "organisation/person_new.html", {"form": form}, status=status)


@require_http_methods(["GET", "POST"])
def person(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """One person: what is known, the account, all appointments."""
    found = _person(person_id)
    initial = {
        "name": found.name,
        "staff_number": found.staff_number,
        "mobile": found.mobile,
        "email": found.email,
        "rank": found.rank,
    }
    form = PersonForm(request.POST or None, initial=initial)

    def act() -> None:
        data = form.cleaned_data
        services.person_change(
            person_id=person_id,
            staff_number=data["staff_number"],
            name=data["name"],
            mobile=data["mobile"],
            email=data["email"],
            rank=data["rank"],
            by=actor_of(request),
        )

    status = submitted(request, form, act)
    if not status:
        toasts.show_next(request, _("已保存。"))
        return redirect("organisation:person", person_id)
    context = {"form": form, "person": found, "appointments": selectors.all_appointments(person_id), "today": today()}
    return render(request, "organisation/person.html", context, status=status)


@require_POST
def person_act(request: HttpRequest, person_id: UUID, act: str) -> HttpResponse:
    """Take a person off the lists or put them back."""
    if act == "deactivate":
        services.person_deactivate(person_id=person_id, by=actor_of(request))
        toasts.show_next(request, _("已停用。"))
    else:
        services.person_reactivate(person_id=person_id, by=actor_of(request))
        toasts.show_next(request, _("已启用。"))
    return redirect("organisation:person", person_id)


@never_cache
@require_http_methods(["GET", "POST"])
def account_new(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Open an account for a person; the answer shows its one-time password, once."""
    found = _person(person_id)
    form = AccountForm(request.POST or None, initial={"username": found.staff_number.lower()})
    issued: list[services.OpenedAccount] = []

    def act() -> None:
        issued.append(
            services.person_open_account(
                person_id=person_id, username=form.cleaned_data["username"], by=actor_of(request)
            )
        )

    status = submitted(request, form, act)
    context = {"form": form, "person": found, "issued": issued[0] if issued else None}
    return render(request, "organisation/account_new.html", context, status=status or 200)


@require_http_methods(["GET", "POST"])
def appointment_new(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Appoint a person to a post."""
    found = _person(person_id)
    form = AppointmentForm(request.POST or None, initial={"starts": today()})
    form.fields["post"].choices = post_choices(selectors.active_posts(), none=_("请选择"))  # type: ignore[attr-defined]

    def act() -> None:
        data = form.cleaned_data
        services.appointment_begin(
            person_id=person_id,
            post_id=data["post"],
            starts=data["starts"],
            ends=data["ends"],
            acting=data["acting"],
            primary=data["primary"],
            by=actor_of(request),
        )

    status = submitted(request, form, act)
    if not status:
        toasts.show_next(request, _("已任职。"))
        return redirect("organisation:person", person_id)
    context = {"form": form, "person": found, "appointment": None}
    return render(request, "organisation/appointment.html", context, status=status)


@require_http_methods(["GET", "POST"])
def appointment(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Correct an appointment, or end it by its last day."""
    found = Appointment.objects.select_related("person", "post__unit").filter(id=appointment_id).first()
    if found is None:
        raise NotFound(_("没有这条任职。"))
    initial = {"starts": found.starts, "ends": found.ends, "acting": found.acting, "primary": found.primary}
    form = AppointmentForm(request.POST or None, initial=initial)
    del form.fields["post"]

    def act() -> None:
        data = form.cleaned_data
        services.appointment_change(
            appointment_id=appointment_id,
            starts=data["starts"],
            ends=data["ends"],
            acting=data["acting"],
            primary=data["primary"],
            by=actor_of(request),
        )

    status = submitted(request, form, act)
    if not status:
        toasts.show_next(request, _("已保存。"))
        return redirect("organisation:person", found.person_id)
    context = {"form": form, "person": found.person, "appointment": found}
    return render(request, "organisation/appointment.html", context, status=status)


def _person(person_id: UUID) -> Person:
    found = Person.objects.select_related("user").filter(id=person_id).first()
    if found is None:
        raise NotFound(_("没有这个人员。"))
    return found
