"""What happens to the organisation by the clock and in the background."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import translation

from saas.core.actors import SYSTEM
from saas.core.jobs import job, periodic
from saas.organisation import changes
from saas.organisation.models import Appointment, today


@periodic(every=timedelta(hours=1))
def appointments_turn() -> None:
    """Tell who follows changes of the appointments that began today or ended yesterday.

    Runs each hour: who follows must bear hearing it again.
    """
    day = today()
    with transaction.atomic():
        turned = list(
            Appointment.objects.filter(Q(starts=day) | Q(ends=day - timedelta(days=1))).values_list(
                "post_id", "person_id"
            )
        )
        changes.announce(by=SYSTEM, posts={post for post, _ in turned}, people={person for _, person in turned})


@job(queue="imports", attempts=3)
def workbook_check(*, import_id: str, language: str) -> None:
    """Dry run of an uploaded workbook; what is wrong is said in the language of who uploaded it."""
    from saas.organisation.services.imports import run_check

    with translation.override(language):
        run_check(UUID(import_id))


@job(queue="imports", attempts=3)
def workbook_import(*, import_id: str, language: str) -> None:
    """Import of a confirmed workbook."""
    from saas.organisation.services.imports import run_import

    with translation.override(language):
        run_import(UUID(import_id))
