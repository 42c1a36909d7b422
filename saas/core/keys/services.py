"""What the product does with keys: wrap data keys, sign digests, make and destroy a tenant's own, all inside Vault."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from saas.core.errors import NotFound, Unavailable
from saas.core.keys.algorithms import Algorithm, SealKeyKind, require
from saas.core.keys.cache import DataKeyCache
from saas.core.keys.client import Health, KeyMissing, client, sealed, unreachable
from saas.core.keys.marks import forget_number_marks
from saas.core.keys.names import KeyName
from saas.core.keys.policies import pki_mount
from saas.core.tenancy import TenantRef
from saas.env import Zone

SIGNATURES = frozenset({Algorithm.ECDSA_P256_SHA256, Algorithm.RSA_PKCS1_SHA256})
NEWEST = 0
_DIGEST_BYTES = 32
_cache = DataKeyCache()


class WrongKey(Unavailable):
    """What was to be unwrapped or decrypted was not made under this tenant's key and context."""

    status = 500
    code = "keys.mismatch"


@dataclass(frozen=True, slots=True)
class DataKey:
    """A 256-bit key to encrypt one object with, and the same key wrapped by the tenant's key."""

    plaintext: bytes = field(repr=False)
    wrapped: str


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature and what verifies it."""

    algorithm: Algorithm
    key_version: int
    value: bytes


def create_tenant_keys(ref: TenantRef) -> None:
    """Make a tenant's wrapping and signing keys and its certificate role in this zone; doing it twice changes nothing.

    Raises:
        Unavailable: Vault is sealed or away.
    """
    _create(KeyName.wrap(ref), "aes256-gcm96", {"derived": True})
    _create(KeyName.packages(ref), "ecdsa-p256", {})
    if Zone(settings.ZONE) is not Zone.MANAGEMENT:
        # The bureau's own name stands in its certificates whatever a request says.
        role = {
            "allow_any_name": True,
            "enforce_hostnames": False,
            "use_csr_sans": False,
            "cn_validations": ["disabled"],
            "key_type": "any",
            "key_usage": ["DigitalSignature", "ContentCommitment"],
            "server_flag": False,
            "client_flag": False,
            "organization": [ref.name],
            "country": ["CN"],
            "ttl": "26280h",
            "max_ttl": "43800h",
            "not_before_duration": "120s",
            "no_store": False,
        }
        client().call("post", f"{pki_mount(Zone(settings.ZONE))}/roles/{ref.schema}", role)


def destroy_tenant_keys(ref: TenantRef) -> None:
    """Destroy every key of a tenant in this zone: what was enveloped under them can never be read again.

    Raises:
        Unavailable: Vault is sealed or away; run it again, it goes on where it stopped.
    """
    wrap = KeyName.wrap(ref)
    vault = client()
    try:
        names = vault.call("list", f"{wrap.mount}/keys").get("keys", [])
    except KeyMissing:
        names = []
    own = {wrap.text, KeyName.packages(ref).text}
    seals = KeyName.seal(ref, UUID(int=0)).text.removesuffix(UUID(int=0).hex)
    for name in sorted(names):
        if name in own or name.startswith(seals):
            vault.call("post", f"{wrap.mount}/keys/{name}/config", {"deletion_allowed": True})
            vault.call("delete", f"{wrap.mount}/keys/{name}")
    if Zone(settings.ZONE) is not Zone.MANAGEMENT:
        vault.call("delete", f"{pki_mount(Zone(settings.ZONE))}/roles/{ref.schema}")
        forget_number_marks(ref)
    _cache.forget(ref.schema)


def create_seal_key(ref: TenantRef, seal_id: UUID, kind: SealKeyKind) -> KeyName:
    """Make the key of a tenant's seal; one that exists (the job ran before) is kept.

    Args:
        ref: the tenant.
        seal_id: the seal's id, which no other seal ever has.
        kind: RSA-3072 or P-256.
    """
    key = KeyName.seal(ref, seal_id)
    _create(key, kind.value, {})
    return key


def data_key(ref: TenantRef, context: bytes) -> DataKey:
    """Have Vault make a data key, bound to `context`: it can be unwrapped only by naming the same context.

    Raises:
        NotFound: the tenant's keys were destroyed or never made.
        Unavailable: Vault is sealed or away.
    """
    key = KeyName.wrap(ref)
    body = {"context": _context(key, context), "bits": 256}
    try:
        data = client().call("post", f"{key.mount}/datakey/plaintext/{key.text}", body)
    except KeyMissing:
        raise _no_keys() from None
    made = DataKey(base64.b64decode(data["plaintext"]), str(data["ciphertext"]))
    _cache.put(ref.schema, made.wrapped, context, made.plaintext)
    return made


def unwrap(ref: TenantRef, wrapped: str, context: bytes) -> bytes:
    """The plain data key.

    Raises:
        WrongKey: it was wrapped for another tenant, zone or context, or changed.
        Unavailable: Vault is sealed or away.
    """
    kept = _cache.get(ref.schema, wrapped, context)
    if kept is not None:
        return kept
    plaintext = decrypt(ref, wrapped, context)
    _cache.put(ref.schema, wrapped, context, plaintext)
    return plaintext


def encrypt(ref: TenantRef, plaintext: bytes, context: bytes) -> str:
    """Encrypt a few bytes (a stored secret, not a file) under the tenant's key, bound to `context`.

    Raises:
        NotFound: the tenant's keys were destroyed or never made.
        Unavailable: Vault is sealed or away.
    """
    key = KeyName.wrap(ref)
    body = {"context": _context(key, context), "plaintext": base64.b64encode(plaintext).decode()}
    try:
        return str(client().call("post", f"{key.mount}/encrypt/{key.text}", body)["ciphertext"])
    except KeyMissing:
        raise _no_keys() from None


def decrypt(ref: TenantRef, ciphertext: str, context: bytes) -> bytes:
    """The reverse of `encrypt`.

    Raises:
        WrongKey: it was encrypted for another tenant, zone or context, or changed, or the keys were destroyed.
        Unavailable: Vault is sealed or away.
    """
    key = KeyName.wrap(ref)
    body = {"context": _context(key, context), "ciphertext": ciphertext}
    try:
        data = client().call("post", f"{key.mount}/decrypt/{key.text}", body)
    except KeyMissing:
        raise WrongKey(_("内容无法解密：密钥已销毁，或内容被改动。请联系系统管理员。")) from None
    return base64.b64decode(data["plaintext"])


def sign(key: KeyName, digest: bytes, algorithm: Algorithm, *, version: int = NEWEST) -> bytes:
    """Sign a SHA-256 digest; ECDSA signatures are DER, RSA ones PKCS#1 v1.5.

    Args:
        key: which key.
        digest: 32 bytes.
        algorithm: one that fits the key.
        version: of the key; a certificate certifies one of them, and an operator may rotate the key at any time.

    Raises:
        Invalid: the algorithm is reserved or makes no signatures.
        NotFound: there is no such key or version.
        Unavailable: Vault is sealed or away.
    """
    return sign_many(key, [digest], algorithm, version=version)[0].value


def sign_many(
    key: KeyName, digests: Sequence[bytes], algorithm: Algorithm, *, version: int = NEWEST
) -> list[Signature]:
    """Sign up to a few hundred SHA-256 digests in one call; takes and raises what `sign` does."""
    require(algorithm, among=SIGNATURES)
    if any(len(digest) != _DIGEST_BYTES for digest in digests):
        raise ValueError("a SHA-256 digest has 32 bytes")
    if not digests:
        return []
    body: dict[str, object] = {
        "batch_input": [{"input": base64.b64encode(digest).decode()} for digest in digests],
        "prehashed": True,
        "hash_algorithm": "sha2-256",
        "marshaling_algorithm": "asn1",
        "key_version": version,
    }
    if algorithm is Algorithm.RSA_PKCS1_SHA256:
        body["signature_algorithm"] = "pkcs1v15"
    try:
        data = client().call("post", f"{key.mount}/sign/{key.text}", body)
    except KeyMissing:
        raise _no_keys() from None
    signatures = []
    for result in data["batch_results"]:
        if "signature" not in result:
            raise _no_keys()
        _vault, used, value = str(result["signature"]).split(":", 2)
        signatures.append(Signature(algorithm, int(used.removeprefix("v")), base64.b64decode(value)))
    return signatures


def public_keys_pem(key: KeyName) -> dict[int, str]:
    """All public halves of a key, PEM, by version.

    Raises:
        NotFound: there is no such key.
        Unavailable: Vault is sealed or away.
    """
    try:
        data = client().call("get", f"{key.mount}/keys/{key.text}")
    except KeyMissing:
        raise _no_keys() from None
    return {int(version): str(entry["public_key"]) for version, entry in data["keys"].items()}


def public_key_pem(key: KeyName) -> str:
    """The public half of a key's newest version, PEM; raises as `public_keys_pem` does."""
    versions = public_keys_pem(key)
    return versions[max(versions)]


def health() -> Health:
    """How Vault is; never raises."""
    return client().health()


def require_ready() -> None:
    """Let an act that needs a signature begin only while there is somebody to sign.

    Raises:
        Unavailable: Vault is sealed or away.
    """
    state = client().health()
    if state is Health.SEALED:
        raise sealed()
    if state is not Health.READY:
        raise unreachable()


def forget_cached_keys() -> None:
    """Drop every cached data key of this process."""
    _cache.clear()


def _create(key: KeyName, kind: str, options: dict[str, object]) -> None:
    body = {"type": kind, **options}
    client().call("post", f"{key.mount}/keys/{key.text}", body)


def _context(key: KeyName, context: bytes) -> str:
    """Bind tenant and zone too, at a fixed length, so no two (key, context) pairs run into one another."""
    bound = b"\x00".join((b"yunshu-context-1", key.zone.encode(), key.text.encode(), context))
    return base64.b64encode(hashlib.sha256(bound).digest()).decode()


def _no_keys() -> NotFound:
    return NotFound(_("没有所需的密钥：尚未生成或已销毁。请联系系统管理员。"), code="keys.missing")
