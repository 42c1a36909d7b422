"""Files: the only package that speaks to the disk or to S3. What lies there is enveloped; names carry the tenant."""

from saas.core.storage.content_types import (
    SNIFF_BYTES,
    ContentType,
    require_content_type,
    require_honest_name,
    sniff_content_type,
)
from saas.core.storage.envelope import Damaged, OpenedObject
from saas.core.storage.services import LIMIT_BYTES, StoredObject, delete, deliver, exists, open_object, store

__all__ = [
    "LIMIT_BYTES",
    "SNIFF_BYTES",
    "ContentType",
    "Damaged",
    "OpenedObject",
    "StoredObject",
    "delete",
    "deliver",
    "exists",
    "open_object",
    "require_content_type",
    "require_honest_name",
    "sniff_content_type",
    "store",
]
