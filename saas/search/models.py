"""The search index: one table of rows that carry their words and the groups that may read them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models


class SearchRow(models.Model):
    """One piece of one object (`chunk` 0 is all of it unless its body is very long).

    The planner has no statistics of words and groups (a migration says so), so it always asks the index: checking a
    row's words by reading them costs a hundred times the look-up, which its cost model does not know.

    `groups`: ids of the units, posts and people who may find it (see README). `title_words`: bigrams of title,
    organisations and names. `body_words`: words of everything, by the dictionary of version `dictionary`; without
    positions, so that neither the 16,383rd word nor a phrase operator matters. `number_key`: the document number
    in the one normal form of `saas.search.numbers`.
    """

    pk = models.CompositePrimaryKey("object_id", "chunk")
    object_id = models.UUIDField()
    chunk = models.SmallIntegerField(default=0)
    kind = models.CharField(max_length=20)
    title = models.TextField()
    org = models.TextField(blank=True, default="")
    number = models.CharField(max_length=100, blank=True, default="")
    number_key = models.CharField(max_length=100, blank=True, default="", db_collation="C")
    date = models.DateField()
    groups = ArrayField(models.UUIDField())
    text = models.TextField(blank=True, default="")
    title_words = SearchVectorField()
    body_words = SearchVectorField()
    dictionary = models.SmallIntegerField()

    class Meta:
        indexes = [
            # Whoever reads much or little, one look answers words and permission together.
            GinIndex(
                fields=["body_words", "title_words", "groups"],
                name="search_row_words_groups",
                gin_pending_list_limit=256,
            ),
            models.Index(fields=["number_key"], name="search_row_number", condition=~models.Q(number_key="")),
        ]

    def __str__(self) -> str:
        return self.title
