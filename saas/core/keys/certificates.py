"""Gets a seal its certificate: the request is signed inside Vault by the seal's key, which never leaves it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import algos, csr, keys, pem, x509
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate, load_pem_x509_crl
from django.conf import settings
from django.utils.translation import gettext as _

from saas.core.errors import Conflict, NotFound, Unavailable
from saas.core.keys.algorithms import SealKeyKind
from saas.core.keys.client import KeyMissing, client
from saas.core.keys.names import KeyName
from saas.core.keys.policies import pki_mount
from saas.core.keys.services import public_keys_pem, sign
from saas.core.keys.signatures import holds
from saas.core.tenancy import TenantRef
from saas.env import Zone

_SIGNATURE_OIDS = {SealKeyKind.RSA_3072: "sha256_rsa", SealKeyKind.ECDSA_P256: "sha256_ecdsa"}


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate, the certificates above it (nearest first), both PEM, and its serial number."""

    pem: str
    chain: tuple[str, ...]
    serial: str


def issue_seal_certificate(
    ref: TenantRef, key: KeyName, kind: SealKeyKind, *, common_name: str, days: int = 1095
) -> Certificate:
    """Have this zone's seal authority certify a seal's key.

    Args:
        ref: the tenant; its name becomes the subject's organisation, set by the authority.
        key: the seal's key.
        kind: what the key is.
        common_name: the seal's name.
        days: validity, at most five years.

    Raises:
        NotFound: the key or the tenant's certificate role does not exist.
        Unavailable: Vault is sealed or away.
    """
    request = certificate_request(key, kind, common_name=common_name)
    path = f"{pki_mount(Zone(settings.ZONE))}/sign/{ref.schema}"
    body = {"csr": request, "common_name": common_name, "exclude_cn_from_sans": True, "ttl": f"{days * 24}h"}
    try:
        data = client().call("post", path, body)
    except KeyMissing:
        raise NotFound(_("本单位尚无签章证书的签发权限。请联系系统管理员。"), code="keys.missing") from None
    chain = data.get("ca_chain") or [data["issuing_ca"]]
    return Certificate(str(data["certificate"]), tuple(str(item) for item in chain), str(data["serial_number"]))


def certificate_request(key: KeyName, kind: SealKeyKind, *, common_name: str) -> str:
    """A PKCS#10 request (RFC 2986) for a key in Vault, PEM; `cryptography` can sign only with keys it holds."""
    versions = public_keys_pem(key)
    # One version from beginning to end, whoever rotates the key meanwhile.
    version = max(versions)
    _type, _headers, der = pem.unarmor(versions[version].encode())
    info = csr.CertificationRequestInfo(
        {
            "version": "v1",
            "subject": x509.Name.build({"common_name": common_name}),
            "subject_pk_info": keys.PublicKeyInfo.load(der),
            "attributes": csr.CRIAttributes([]),
        }
    )
    digest = hashlib.sha256(info.dump()).digest()
    request = csr.CertificationRequest(
        {
            "certification_request_info": info,
            "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": _SIGNATURE_OIDS[kind]}),
            "signature": sign(key, digest, kind.algorithm, version=version),
        }
    )
    return str(pem.armor("CERTIFICATE REQUEST", request.dump()), "ascii")


def sign_as_certified(key: KeyName, kind: SealKeyKind, certificate: str, digest: bytes) -> bytes:
    """Sign with the version of a seal's key that its certificate certifies, and with no newer one.

    Args:
        key: the seal's key; it may have been rotated since.
        kind: what the key is.
        certificate: PEM.
        digest: SHA-256, 32 bytes.

    Raises:
        Conflict: the certificate is of no version of the key, or Vault's signature does not hold under it.
        NotFound: there is no such key.
        Unavailable: Vault is sealed or away.
    """
    certified = load_pem_x509_certificate(certificate.encode()).public_key()
    for version, public in public_keys_pem(key).items():
        if load_pem_public_key(public.encode()) == certified:
            signature = sign(key, digest, kind.algorithm, version=version)
            if holds(public, digest, signature, kind.algorithm):
                return signature
    raise Conflict(
        _("印章的密钥与证书不一致，没有盖章。请联系安全管理员停用此章并重新制作。"), code="seal.key_not_certified"
    )


def seal_authority_pem() -> str:
    """The root certificate that this zone's seals are checked against, PEM.

    Raises:
        NotFound: the authority is not set up.
        Unavailable: Vault is sealed or away.
    """
    try:
        return str(client().call("get", f"{pki_mount(Zone(settings.ZONE))}/cert/ca")["certificate"])
    except KeyMissing:
        raise NotFound(_("签章证书机构尚未建立。请联系系统管理员。"), code="keys.missing") from None


@dataclass(frozen=True, slots=True)
class RevocationList:
    """The authority's list of revoked certificates: when it was issued, and when each serial number was revoked."""

    issued_at: datetime
    revoked_at: Mapping[int, datetime]


def revoke_certificate(certificate: str) -> None:
    """Put a seal's certificate onto the authority's list; one that is on it stays.

    Args:
        certificate: PEM.

    Raises:
        NotFound: the authority does not know it.
        Unavailable: Vault is sealed or away.
    """
    serial = load_pem_x509_certificate(certificate.encode()).serial_number
    digits = f"{serial:x}"
    digits = digits.zfill(len(digits) + len(digits) % 2)
    written = ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))
    try:
        client().call("post", f"{pki_mount(Zone(settings.ZONE))}/revoke", {"serial_number": written})
    except KeyMissing:
        raise NotFound(_("签章证书机构没有这张证书。请联系系统管理员。"), code="keys.missing") from None


def revocation_list() -> RevocationList:
    """What this zone's seal authority has revoked, its signature checked.

    Raises:
        NotFound: the authority is not set up.
        Unavailable: Vault is sealed or away, or the list is not the authority's.
    """
    root = load_pem_x509_certificate(seal_authority_pem().encode())
    try:
        text = str(client().call("get", f"{pki_mount(Zone(settings.ZONE))}/cert/crl")["certificate"])
    except KeyMissing:
        raise NotFound(_("签章证书机构尚未建立。请联系系统管理员。"), code="keys.missing") from None
    found = load_pem_x509_crl(text.encode())
    if not found.is_signature_valid(root.public_key()):  # type: ignore[arg-type]
        raise Unavailable(_("证书吊销列表的签名无效，不能采信。请联系安全管理员。"), code="keys.list")
    revoked = {entry.serial_number: entry.revocation_date_utc for entry in found}
    return RevocationList(found.last_update_utc, revoked)
