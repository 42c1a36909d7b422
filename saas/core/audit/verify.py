"""Checks a trail against its chain and signed heads, without database or Vault, so an auditor can do it alone."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from saas.core.audit.chain import GENESIS, Content, Head, Link, Trail, head_digest, link_digest
from saas.core.keys import HeadMark
from saas.core.keys.algorithms import Algorithm

PublicKeys = Mapping[str, Mapping[int, str]]
"""PEM by key name and version."""


class Fault(enum.StrEnum):
    """Every way a trail can be wrong."""

    GAP = "gap"
    CHANGED = "changed"
    MISSING_RECORD = "missing_record"
    EXTRA_RECORD = "extra_record"
    CUT = "cut"
    NOT_AS_MARKED = "not_as_marked"
    HEAD_MISMATCH = "head_mismatch"
    HEAD_BEYOND_CHAIN = "head_beyond_chain"
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_KEY = "unknown_key"
    UNKNOWN_ALGORITHM = "unknown_algorithm"
    INCOMPLETE_BUNDLE = "incomplete_bundle"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault and where it is."""

    fault: Fault
    place: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A link with the record it stands for; one of them is None when the other has no partner."""

    link: Link | None
    content: Content | None


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification saw."""

    links: int
    heads: int
    signed_up_to: int
    last_signed_at: datetime | None
    findings: tuple[Finding, ...]


def verify(
    *, trail: Trail, heads: Iterable[Head], entries: Iterable[Entry], keys: PublicKeys, mark: HeadMark | None = None
) -> Report:
    """Check every link, record, head and signature.

    Args:
        trail: whose trail it claims to be.
        heads: all heads.
        entries: all links in order of `seq`, then records without a link; read once.
        keys: the public keys to believe.
        mark: how far the trail was signed as Vault knows it, read before the entries. Only it tells that the newest
            links, records and heads were all removed; None where Vault cannot be asked.
    """
    by_seq = {head.seq: head for head in heads}
    findings: list[Finding] = []
    good: dict[int, Head] = {}
    for head in by_seq.values():
        fault = _signature_fault(trail, head, keys)
        if fault:
            findings.append(Finding(fault, f"head {head.seq}"))
        else:
            good[head.seq] = head
    links, last = 0, 0
    signed_up_to, last_signed_at = 0, None
    previous, marked, last_at = GENESIS, b"", None
    for entry in entries:
        if entry.link is None:
            findings.append(Finding(Fault.EXTRA_RECORD, f"record {(entry.content or {}).get('id')}"))
            continue
        link = entry.link
        findings.extend(_link_faults(link, entry.content, previous=previous, last=last))
        links, last, previous = links + 1, link.seq, link.digest
        last_at = (entry.content or {}).get("at", last_at)
        if mark is not None and link.seq == mark.seq:
            marked = link.digest
        signed = by_seq.get(link.seq)
        if signed is not None and signed.digest != link.digest:
            findings.append(Finding(Fault.HEAD_MISMATCH, f"head {link.seq}"))
        elif link.seq in good:
            signed_up_to, last_signed_at = link.seq, good[link.seq].signed_at
    findings.extend(Finding(Fault.HEAD_BEYOND_CHAIN, f"head {seq}") for seq in sorted(by_seq) if seq > last)
    if mark is not None and mark.seq > last:
        place = f"links {last + 1}–{mark.seq}: {mark.seq - last} records, all later than {last_at or '-'}"
        findings.append(Finding(Fault.CUT, place))
    elif mark is not None and mark.seq and marked.hex() != mark.digest:
        findings.append(Finding(Fault.NOT_AS_MARKED, f"link {mark.seq}"))
    return Report(links, len(by_seq), signed_up_to, last_signed_at, tuple(findings))


def _link_faults(link: Link, content: Content | None, *, previous: bytes, last: int) -> Iterator[Finding]:
    place = f"link {link.seq}"
    if link.seq != last + 1:
        yield Finding(Fault.GAP, f"links {last + 1}–{link.seq - 1}")
        # What stood before is gone, so this digest has nothing to be checked against.
        return
    if link.algorithm != Algorithm.SHA_256:
        yield Finding(Fault.UNKNOWN_ALGORITHM, place)
    elif content is None:
        yield Finding(Fault.MISSING_RECORD, f"{place}, record {link.record_id}")
    elif content.get("id") not in {link.record_id, str(link.record_id)} or link.digest != link_digest(
        previous=previous, seq=link.seq, record_id=link.record_id, content=content
    ):
        yield Finding(Fault.CHANGED, f"{place}, record {link.record_id}")


def _signature_fault(trail: Trail, head: Head, keys: PublicKeys) -> Fault | None:
    pem = keys.get(head.key_name, {}).get(head.key_version)
    if pem is None:
        return Fault.UNKNOWN_KEY
    if head.algorithm != Algorithm.ECDSA_P256_SHA256:
        return Fault.UNKNOWN_ALGORITHM
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return Fault.UNKNOWN_KEY
    digest = head_digest(
        trail=trail, seq=head.seq, digest=head.digest, signed_at=head.signed_at, algorithm=head.algorithm
    )
    try:
        key.verify(head.signature, digest, ec.ECDSA(utils.Prehashed(SHA256())))
    except InvalidSignature:
        return Fault.BAD_SIGNATURE
    return None
