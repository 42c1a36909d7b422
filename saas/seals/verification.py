"""Checks a sealed PDF step by step and says the outcome of each; a step that was not run is never a pass.

The order follows GB/T 38540-2020 as far as it applies to PDF: parse → signature → certificate (chain, period, usage)
→ is the seal ours and in use then → are the sealed bytes the pinned ones → what was added later.
"""

from __future__ import annotations

import enum
import hashlib
import io
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import x509
from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.translation import gettext as _
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import PdfSignatureStatus
from pyhanko_certvalidator import ValidationContext

from saas.core.errors import Invalid
from saas.core.keys import RevocationList
from saas.seals.models import Impression
from saas.seals.revocation import SignedTime, delivered_time, seal_of_serial, signed_time

# What pyhanko and asn1crypto raise on a file that was made to break them. No query runs where these are caught.
_UNREADABLE = (
    PdfError,
    SignatureValidationError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    AssertionError,
    ArithmeticError,
    RecursionError,
    NotImplementedError,
    OSError,
)
_ALLOWED_LATER = {None, ModificationLevel.NONE, ModificationLevel.LTA_UPDATES, ModificationLevel.FORM_FILLING}


class Outcome(enum.StrEnum):
    """What a step found."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not_run"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, outcome and a sentence."""

    name: str
    outcome: Outcome
    text: str


@dataclass(frozen=True, slots=True)
class SealReport:
    """The report on one signature of the PDF."""

    field_name: str
    signer: str
    signed_at: datetime | None
    steps: tuple[Step, ...]

    @property
    def valid(self) -> bool:
        """No step failed, and those that prove integrity and trust were run."""
        return all(step.outcome is not Outcome.FAILED for step in self.steps) and any(
            step.name == "signature" and step.outcome is Outcome.PASSED for step in self.steps
        )


def _step(name: str, passed: bool, yes: str, no: str) -> Step:
    return Step(name, Outcome.PASSED if passed else Outcome.FAILED, yes if passed else no)


def _ours(impression: Impression | None, *, pdf: bytes, certificate: x509.Certificate) -> list[Step]:
    if impression is None and seal_of_serial(certificate.serial_number) is not None:
        text = _("印章是本单位的，却没有这次用印的记录：不是经本系统盖的章。")
        return [Step("seal", Outcome.FAILED, text), Step("pinned", Outcome.NOT_RUN, text)]
    if impression is None:
        text = _("本单位没有这次用印的记录，无法核对印章与签发内容。")
        return [Step("seal", Outcome.NOT_RUN, text), Step("pinned", Outcome.NOT_RUN, text)]
    seal = impression.seal
    serial_matches = f"{certificate.serial_number:x}" == impression.certificate_serial
    stopped_before = seal.stopped_at is not None and seal.stopped_at < impression.at
    return [
        _step(
            "seal",
            serial_matches and not stopped_before,
            _("印章“%(name)s”，用印时有效，用印人 %(person)s（%(post)s）。")
            % {"name": seal.name, "person": impression.person_name, "post": impression.post_name},
            _("证书与用印记录不一致，或印章在用印前已停用。"),
        ),
        _step(
            "pinned",
            hashlib.sha256(pdf[: impression.size_before]).hexdigest() == impression.digest_before,
            _("盖章前的文件与签发内容逐字节一致。"),
            _("盖章前的文件与签发内容不一致。"),
        ),
    ]


def _revocation(
    certificate: x509.Certificate, *, proven: SignedTime | None, claimed: datetime | None, listed: RevocationList | None
) -> Step:
    """Whether the certificate was revoked when the seal was put on.

    Args:
        certificate: the seal's.
        proven: when a signed head of our audit trail covered the sealing, or the arrival of the sealed file.
        claimed: the signature's own word, which proves nothing when it names a time before the revocation.
        listed: what the authority has revoked.
    """
    seal = seal_of_serial(certificate.serial_number)
    revoked_at = seal.revoked_at if seal else None
    if revoked_at is None and listed is not None:
        revoked_at = listed.revoked_at.get(certificate.serial_number)
    if revoked_at is None:
        if seal is None and listed is None:
            return Step("revocation", Outcome.NOT_RUN, _("暂时取不到证书吊销列表，未查询。"))
        return Step("revocation", Outcome.PASSED, _("证书未被吊销。"))
    revoked = date_format(timezone.localtime(revoked_at), "Y-m-d H:i:s")
    if proven is not None:
        sealed = date_format(timezone.localtime(proven.at), "Y-m-d H:i:s")
        values = {"revoked": revoked, "sealed": sealed, "seq": proven.seq}
        if proven.at < revoked_at:
            text = _("证书于%(revoked)s吊销；此章在吊销之前已经盖上（审计链第%(seq)s号签名，%(sealed)s），仍然有效。")
            return Step("revocation", Outcome.PASSED, text % values)
        text = _("证书于%(revoked)s吊销；此章盖于吊销之后（审计链第%(seq)s号签名，%(sealed)s），无效。")
        return Step("revocation", Outcome.FAILED, text % values)
    # A signature tells whole seconds.
    if claimed is not None and claimed < revoked_at.replace(microsecond=0):
        text = _("证书于%(revoked)s吊销；签名自称的时间在此之前，但没有可信的时间可以证明。")
        return Step("revocation", Outcome.FAILED, text % {"revoked": revoked})
    return Step("revocation", Outcome.FAILED, _("证书已于%(revoked)s吊销，此章盖于吊销之后。") % {"revoked": revoked})


def verify(pdf: bytes, *, roots: list[x509.Certificate], listed: RevocationList | None = None) -> list[SealReport]:
    """Check every seal on a PDF.

    Args:
        pdf: the file.
        roots: certificates of the authorities that issue seal certificates.
        listed: what the authority has revoked; None when it cannot be asked.

    Raises:
        Invalid: it is not a PDF that can be read, or carries no seal.
    """
    try:
        reader = PdfFileReader(io.BytesIO(pdf), strict=False)
        embedded = list(reader.embedded_regular_signatures)
    except _UNREADABLE as error:
        raise Invalid(_("这不是一个可读取的 PDF 文件。"), code="seal.pdf") from error
    if not embedded:
        raise Invalid(_("这个 PDF 上没有电子印章。"), code="seal.none")
    return [_report(pdf, signature, roots, listed) for signature in embedded]


@dataclass(frozen=True, slots=True)
class _Checked:
    """What the file alone says of a signature."""

    field_name: str
    signed_at: datetime | None
    status: PdfSignatureStatus
    covered: int


def _checked(signature: EmbeddedPdfSignature, roots: list[x509.Certificate]) -> _Checked:
    signed_at = signature.self_reported_timestamp
    context = ValidationContext(
        trust_roots=roots,
        allow_fetching=False,
        revocation_mode="soft-fail",
        moment=signed_at,
        best_signature_time=signed_at,
    )
    status = validate_pdf_signature(signature, context)
    _first, _length, start, length = (int(number) for number in signature.byte_range)
    return _Checked(signature.field_name, signed_at, status, start + length)


def _report(
    pdf: bytes, signature: EmbeddedPdfSignature, roots: list[x509.Certificate], listed: RevocationList | None
) -> SealReport:
    try:
        checked = _checked(signature, roots)
    except _UNREADABLE as error:
        step = Step("signature", Outcome.FAILED, _("签名结构无法解析：%(reason)s") % {"reason": str(error)[:200]})
        return SealReport(_field_name(signature), "", None, (step,))
    signed_at, status = checked.signed_at, checked.status
    certificate = status.signing_cert
    impression = (
        Impression.objects.select_related("seal")
        .filter(field_name=checked.field_name, digest_after=hashlib.sha256(pdf[: checked.covered]).hexdigest())
        .first()
    )
    whole = hashlib.sha256(pdf).hexdigest()
    proven = signed_time(impression.audit_record) if impression else delivered_time(whole)
    steps = (
        Step("parse", Outcome.PASSED, _("文件与签名结构可读取。")),
        _step(
            "signature",
            bool(status.intact and status.valid),
            _("签名有效，盖章所覆盖的内容未被改动。"),
            _("签名无效，或盖章所覆盖的内容已被改动。"),
        ),
        _step(
            "certificate",
            bool(status.trusted),
            _("证书由受信任的机构签发，用印时在有效期内。"),
            _("证书不是受信任的机构签发，或不在有效期内。"),
        ),
        _revocation(certificate, proven=proven, claimed=signed_at, listed=listed),
        *_ours(impression, pdf=pdf, certificate=certificate),
        _step(
            "later_changes",
            status.modification_level in _ALLOWED_LATER,
            _("盖章后没有不允许的增改。"),
            _("盖章后有不允许的增改。"),
        ),
    )
    return SealReport(checked.field_name, str(certificate.subject.human_friendly), signed_at, steps)


def _field_name(signature: EmbeddedPdfSignature) -> str:
    try:
        return str(signature.field_name)[:200]
    except _UNREADABLE:
        return ""
