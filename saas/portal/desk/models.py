"""What a person has put by for later: stars on documents, and filters of lists under a name."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from saas.documents.models import Document


class Star(models.Model):
    """One document that one account has starred; what it is called is read anew each time."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="+", db_index=False)
    starred_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "document"], name="desk_star_once")]

    def __str__(self) -> str:
        return str(self.document_id)


class SavedFilter(models.Model):
    """A list's filters that one account keeps under a name.

    `page` is the list's path, `query` its query string without the place in the list.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    page = models.CharField(max_length=100)
    name = models.CharField(max_length=30)
    query = models.CharField(max_length=500)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "page", "name"], name="desk_filter_once")]

    def __str__(self) -> str:
        return self.name
