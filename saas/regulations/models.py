"""The rules a bureau works by, kept by article so that a document can cite and open one."""

from __future__ import annotations

import uuid

from django.db import models


class Regulation(models.Model):
    """One version of a law, regulation or rule; `version_on` is its latest adoption or amendment.

    Of several versions of a title the newest is `current`; the others stay readable.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=200)
    title_key = models.CharField(max_length=200)
    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=100, blank=True, default="")
    history = models.TextField(blank=True, default="")
    issued_on = models.DateField(null=True)
    version_on = models.DateField(null=True)
    current = models.BooleanField(default=True)
    preamble = models.TextField(blank=True, default="")
    digest = models.CharField(max_length=64)
    position = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["title_key", "version_on"], name="regulations_regulation_version", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return self.title


class Article(models.Model):
    """One article: 第十二条之一 has `number` 12 and `suffix` 1. Its id outlives a corrected text."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    regulation = models.ForeignKey(Regulation, on_delete=models.CASCADE, related_name="articles", db_index=False)
    position = models.IntegerField()
    label = models.CharField(max_length=30)
    number = models.IntegerField()
    suffix = models.SmallIntegerField(default=0)
    chapter = models.CharField(max_length=200, blank=True, default="")
    section = models.CharField(max_length=200, blank=True, default="")
    text = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["regulation", "position"], name="regulations_article_position")]

    def __str__(self) -> str:
        return self.label

    @property
    def anchor(self) -> str:
        """Where the article stands on its regulation's page."""
        if not self.number:
            return f"p{self.position}"
        return f"a{self.number}-{self.suffix}" if self.suffix else f"a{self.number}"

    @property
    def paragraphs(self) -> list[str]:
        """The paragraphs (款) of the article."""
        return [line for line in self.text.split("\n") if line.strip()]
