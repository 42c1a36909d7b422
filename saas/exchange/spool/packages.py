"""Posts and takes packages through the spool's functions, as the current tenant."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from saas.core import keys
from saas.core.errors import Conflict, Invalid
from saas.core.keys import Algorithm, KeyName
from saas.core.tenancy import TenantRef, current_tenant

Manifest = dict[str, object]


@dataclass(frozen=True, slots=True)
class Recipient:
    """A bureau of this cell that documents can be addressed to."""

    ref: TenantRef
    short_name: str
    active: bool


@dataclass(frozen=True, slots=True)
class Package:
    """A package addressed to the current tenant, its signature not yet checked.

    `object_names` are the files that lie among the tenant's own: the document, then its attachments in the
    manifest's order; empty for an answer.
    """

    id: UUID
    kind: str
    sender: TenantRef
    manifest_text: str
    signature: str
    object_names: tuple[str, ...]
    posted_at: datetime


def recipients() -> list[Recipient]:
    """The other bureaus of the cell, by code; suspended ones are shown but cannot be sent to."""
    own = current_tenant().schema
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, schema_name, code, name, short_name, state FROM cell.exchange_bureaus()")
        rows = cursor.fetchall()
    return [
        Recipient(TenantRef(id=row[0], schema=row[1], code=row[2], name=row[3]), row[4] or row[3], row[5] == "active")
        for row in rows
        if row[1] != own
    ]


def recipient(code: str) -> Recipient | None:
    """Another bureau of the cell by its code, None when none has it."""
    return next((item for item in recipients() if item.ref.code == code), None)


def waiting_objects(names: Collection[str]) -> set[str]:
    """Which of these files are named by a package that waits for the current tenant."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT object_name FROM cell.exchange_waiting()")
        return {row[0] for row in cursor.fetchall()}.intersection(names)


def canonical(manifest: Manifest) -> str:
    """The one text of a manifest: sorted keys, no spaces, UTF-8."""
    return json.dumps(manifest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def post(*, package_id: UUID, kind: str, to_code: str, manifest: Manifest, object_names: tuple[str, ...] = ()) -> None:
    """Sign a manifest with the current tenant's key and hand it to the receiver, in the caller's transaction.

    Files do not go through the database: they lie with the receiver already (`saas.core.storage.deliver`, streamed),
    and the package only names them. So its size is the manifest's.

    Raises:
        Conflict: the receiver is unknown to the cell or suspended, or this bureau used the id for another package.
        Unavailable: Vault does not answer.
    """
    text = canonical(manifest)
    digest = hashlib.sha256(text.encode()).digest()
    value = keys.sign(KeyName.packages(current_tenant()), digest, Algorithm.ECDSA_P256_SHA256)
    signature = f"{Algorithm.ECDSA_P256_SHA256}:{base64.b64encode(value).decode()}"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT cell.exchange_post(%s::uuid, %s, %s, %s, %s, %s)",
            [package_id, kind, to_code, text, signature, "\n".join(object_names)],
        )
        row = cursor.fetchone()
    if not row[0]:
        raise Conflict(_("收文单位“%(code)s”已停用或不在本云上，无法送达。") % {"code": to_code}, code="exchange.to")


def packages(package_id: UUID) -> list[Package]:
    """The untaken packages of that id addressed to the current tenant (a document, or what came back for one)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, from_id, from_schema, from_code, from_name, manifest, signature, object_name, posted_at "
            "FROM cell.exchange_package(%s::uuid)",
            [package_id],
        )
        rows = cursor.fetchall()
    return [
        Package(
            id=package_id,
            kind=row[0],
            sender=TenantRef(id=row[1], schema=row[2], code=row[3], name=row[4]),
            manifest_text=row[5],
            signature=row[6],
            object_names=tuple(row[7].splitlines()),
            posted_at=row[8],
        )
        for row in rows
    ]


def taken(package: Package) -> None:
    """Say that the current tenant has the package; it is not handed out again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT cell.exchange_taken(%s::uuid, %s, %s)", [package.id, package.kind, package.sender.schema]
        )


def checked_manifest(package: Package) -> Manifest:
    """The manifest, once the sender's signature over it holds.

    Raises:
        Invalid: the signature is of an unknown algorithm or does not hold, or the manifest is no JSON object.
    """
    name, _colon, encoded = package.signature.partition(":")
    digest = hashlib.sha256(package.manifest_text.encode()).digest()
    try:
        value = base64.b64decode(encoded, validate=True)
    except ValueError:
        value = b""
    if name != Algorithm.ECDSA_P256_SHA256 or not keys.verifies(
        KeyName.packages(package.sender), digest, value, Algorithm.ECDSA_P256_SHA256
    ):
        raise Invalid(_("来件的签名无效，已拒收。"), code="exchange.signature")
    manifest = json.loads(package.manifest_text)
    if not isinstance(manifest, dict) or manifest.get("id") != str(package.id):
        raise Invalid(_("来件内容与编号不符，已拒收。"), code="exchange.manifest")
    return manifest
