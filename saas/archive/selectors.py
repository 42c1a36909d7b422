"""Reads records among those the asker may see."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from saas.archive.models import Record
from saas.core.errors import NotFound


def records_readable(*, groups: Collection[UUID], keeps_archive: bool) -> QuerySet[Record]:
    """Records of which the asker is a reader; who keeps the archive sees all.

    Args:
        groups: what the asker may read as (`organisation.selectors.person_groups`).
        keeps_archive: holds `Permission.KEEP_ARCHIVE`.
    """
    found = Record.objects.defer("items", "checks", "readers")
    return found if keeps_archive else found.filter(readers__overlap=list(groups))


def record_readable(record_id: UUID, *, groups: Collection[UUID], keeps_archive: bool) -> Record:
    """One record.

    Raises:
        NotFound: there is none, or it is not the asker's to read.
    """
    found = records_readable(groups=groups, keeps_archive=keeps_archive).defer(None).filter(id=record_id).first()
    if found is None:
        raise NotFound(_("没有这份档案，或您不在其阅读范围内。"))
    return found
