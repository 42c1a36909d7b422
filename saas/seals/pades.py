"""Puts a seal on a PDF: a visible vector impression and a PAdES B-B signature made by a key that stays in Vault.

ETSI EN 319 142-1 (PAdES baseline). The signer hands over digests only, so no private key is ever in the process.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

from asn1crypto import algos, pem, x509
from django.utils.translation import gettext as _
from pyhanko.pdf_utils.content import ImportedPdfPage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import AxisAlignment, InnerScaling, Margins, SimpleBoxLayoutRule
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from saas.core.errors import Conflict, Invalid

POINTS_PER_MM = 72 / 25.4
PAGE_HEIGHT_MM = 297.0
RESERVED_BYTES = 16_384

DigestSigner = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the middle of an impression goes.

    Args:
        page: counted from 0.
        x_mm: from the left edge of the sheet.
        y_mm: from the top edge of the sheet.
    """

    page: int
    x_mm: float
    y_mm: float


class VaultSigner(signers.Signer):
    """A pyHanko signer whose raw signature is one call with a SHA-256 digest."""

    def __init__(self, *, certificate: x509.Certificate, chain: list[x509.Certificate], sign: DigestSigner) -> None:
        store = SimpleCertificateStore()
        store.register_multiple([certificate, *chain])
        key_type = certificate.public_key.algorithm
        mechanism = "sha256_ecdsa" if key_type == "ec" else "sha256_rsa"
        super().__init__(
            signing_cert=certificate,
            cert_registry=store,
            signature_mechanism=algos.SignedDigestAlgorithm({"algorithm": mechanism}),
        )
        self._sign = sign
        # P-256 in DER is at most 72 bytes; an RSA signature is as long as its modulus.
        self._length = 72 if key_type == "ec" else certificate.public_key.byte_size

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        """Sign `data`; a dry run only needs the room."""
        if dry_run:
            return bytes(self._length)
        if digest_algorithm != "sha256":
            raise ValueError(digest_algorithm)
        return self._sign(hashlib.sha256(data).digest())


def certificates(text: str) -> list[x509.Certificate]:
    """The certificates of a PEM text, in order."""
    return [x509.Certificate.load(der) for _kind, _headers, der in pem.unarmor(text.encode(), multiple=True)]


def stamp(
    pdf: bytes,
    *,
    signer: VaultSigner,
    picture: bytes,
    diameter_mm: float,
    place: Place,
    field_name: str,
    reason: str,
) -> bytes:
    """Add one impression with its signature as an incremental update; the bytes before stay as they are.

    Args:
        pdf: the document.
        signer: knows the certificate and reaches the key.
        picture: the seal drawn by `picture.draw`.
        diameter_mm: size of the impression, millimetres.
        place: its middle.
        field_name: unique in the document, e.g. ``seal-1``.
        reason: shown by viewers, e.g. the document number.

    Raises:
        Invalid: the PDF cannot be read, or the place is not on one of its pages.
    """
    half = diameter_mm / 2
    box = (
        round((place.x_mm - half) * POINTS_PER_MM),
        round((PAGE_HEIGHT_MM - place.y_mm - half) * POINTS_PER_MM),
        round((place.x_mm + half) * POINTS_PER_MM),
        round((PAGE_HEIGHT_MM - place.y_mm + half) * POINTS_PER_MM),
    )
    if box[0] < 0 or box[1] < 0:
        raise Invalid(_("印章位置超出纸面。"), code="seal.place")
    with tempfile.NamedTemporaryFile(suffix=".pdf") as drawn:
        drawn.write(picture)
        drawn.flush()
        style = StaticStampStyle(
            border_width=0,
            background=ImportedPdfPage(drawn.name),
            background_layout=SimpleBoxLayoutRule(
                x_align=AxisAlignment.ALIGN_MID,
                y_align=AxisAlignment.ALIGN_MID,
                margins=Margins(0, 0, 0, 0),
                inner_content_scaling=InnerScaling.STRETCH_TO_FIT,
            ),
        )
        metadata = signers.PdfSignatureMetadata(
            field_name=field_name,
            md_algorithm="sha256",
            reason=reason,
            subfilter=fields.SigSeedSubFilter.PADES,
        )
        try:
            writer = IncrementalPdfFileWriter(io.BytesIO(pdf), strict=False)
            spec = fields.SigFieldSpec(sig_field_name=field_name, on_page=place.page, box=box)
            output = signers.PdfSigner(metadata, signer, stamp_style=style, new_field_spec=spec).sign_pdf(
                writer, bytes_reserved=RESERVED_BYTES, output=io.BytesIO()
            )
        except (PdfError, IndexError, KeyError) as error:
            raise Invalid(_("这个 PDF 无法加盖印章：文件已损坏或结构异常。"), code="seal.pdf") from error
    return bytes(output.getvalue())


def require_sound(
    sealed: bytes, *, field_name: str, certificate: x509.Certificate, chain: list[x509.Certificate]
) -> None:
    """Read a seal just put on as a stranger would: it must cover the whole file and hold under its certificate.

    Args:
        sealed: the file with the seal.
        field_name: its signature field.
        certificate: the seal's.
        chain: the certificates above it; the last is the authority's.

    Raises:
        Conflict: it does not hold, so nobody may be told that the document is sealed.
    """
    reader = PdfFileReader(io.BytesIO(sealed), strict=False)
    for signature in reader.embedded_regular_signatures:
        if signature.field_name == field_name and signature.signer_cert.dump() == certificate.dump():
            context = ValidationContext(trust_roots=chain[-1:], other_certs=chain[:-1], allow_fetching=False)
            status = validate_pdf_signature(signature, context, skip_diff=True)
            if status.bottom_line and status.coverage is SignatureCoverageLevel.ENTIRE_FILE:
                return
    raise Conflict(
        _("刚加盖的印章未能通过验证（密钥与证书不符，或证书已过期），本次用印作废。请联系安全管理员。"),
        code="seal.not_sound",
    )
