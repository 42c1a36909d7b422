"""Putting by: stars and saved filters. They are a person's own and change nothing for anybody else."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.http import QueryDict
from django.utils.translation import gettext as _

from saas.approvals.selectors.for_desks import subject_of
from saas.core.errors import Conflict, Invalid, NotFound
from saas.documents.access import Reader, visible_document
from saas.portal.desk.models import SavedFilter, Star

MOST_STARS = 500
MOST_FILTERS = 20
# What says where in a list one is, not what it shows.
_PLACE = ("after", "before", "page")


def star_add(*, user_id: UUID, object_id: UUID, reader: Reader) -> None:
    """Star a document; twice is once.

    Args:
        user_id: whose star.
        object_id: the document, or a matter it is dealt with in.
        reader: who asks.

    Raises:
        NotFound: the person may not read it.
        Conflict: there are too many stars.
    """
    document = visible_document(_document_id(object_id), reader)
    with transaction.atomic():
        if Star.objects.filter(user_id=user_id).count() >= MOST_STARS:
            raise Conflict(_("收藏已满 %(most)d 件，请先取消一些。") % {"most": MOST_STARS}, code="star.full")
        Star.objects.get_or_create(user_id=user_id, document=document)


def star_remove(*, user_id: UUID, object_id: UUID) -> None:
    """Take the star of a document (or of the matter it is dealt with in) away, if it has one."""
    Star.objects.filter(user_id=user_id, document_id=_document_id(object_id)).delete()


def _document_id(object_id: UUID) -> UUID:
    return subject_of(object_id) or object_id


def filter_query(query: str) -> str:
    """A list's query string without what is empty and without the place in the list."""
    values = QueryDict(query, mutable=True)
    for key in [key for key, value in values.items() if not value or key in _PLACE]:
        values.pop(key)
    return values.urlencode()


def filter_save(*, user_id: UUID, page: str, name: str, query: str) -> SavedFilter:
    """Keep a list's filters under a name; the same name is replaced.

    Args:
        user_id: whose.
        page: the list's path.
        name: at most 30 characters.
        query: the list's query string.

    Raises:
        Invalid: there is no name, nothing is filtered, or it is too long.
        Conflict: there are too many for this list.
    """
    title = " ".join(name.split())
    kept = filter_query(query)
    if not title or len(title) > 30:
        raise Invalid(_("请给这组筛选起一个不超过 30 字的名称。"), fields={"name": _("不超过 30 字，不能为空。")})
    if not kept:
        raise Invalid(_("现在没有筛选条件。请先筛选或排序，再保存。"))
    if len(kept) > 500 or len(page) > 100:
        raise Invalid(_("筛选条件太长，不能保存。"))
    with transaction.atomic():
        others = SavedFilter.objects.filter(user_id=user_id, page=page).exclude(name=title)
        if others.count() >= MOST_FILTERS:
            raise Conflict(_("每个列表最多保存 %(most)d 组筛选。") % {"most": MOST_FILTERS}, code="filter.full")
        saved, _made = SavedFilter.objects.update_or_create(
            user_id=user_id, page=page, name=title, defaults={"query": kept}
        )
    return saved


def filter_remove(*, user_id: UUID, filter_id: UUID) -> None:
    """Forget a saved filter.

    Raises:
        NotFound: it is not there, or somebody else's.
    """
    gone, _kinds = SavedFilter.objects.filter(user_id=user_id, id=filter_id).delete()
    if not gone:
        raise NotFound(_("没有这组筛选。"))
