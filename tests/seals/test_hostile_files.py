"""A file made to break the checker is told to be unreadable; it is never an error of ours."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import pytest

from saas.core.errors import Invalid
from saas.core.tenancy import TenantRef
from saas.seals.verification import verify

SIG = "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached /ByteRange {} /Contents {} >>"


def pdf(objects: Mapping[int, str], root: str = "1 0 R") -> bytes:
    out, at = b"%PDF-1.7\n", {}
    for number, text in objects.items():
        at[number] = len(out)
        out += f"{number} 0 obj\n{text}\nendobj\n".encode()
    start = len(out)
    out += f"xref\n0 {max(objects) + 1}\n0000000000 65535 f \n".encode()
    for number in range(1, max(objects) + 1):
        out += f"{at.get(number, 0):010d} 00000 {'n' if number in at else 'f'} \n".encode()
    return out + f"trailer << /Size {max(objects) + 1} /Root {root} >>\nstartxref\n{start}\n%%EOF\n".encode()


def form(field: str, **more: str) -> dict[int, str]:
    return {
        1: "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [3 0 R] /SigFlags 3 >> >>",
        2: "<< /Type /Pages /Kids [] /Count 0 >>",
        3: field,
        **{int(number[1:]): text for number, text in more.items()},
    }


SIGNED = "<< /FT /Sig /T (s) /V 4 0 R >>"
FILES = {
    "no form": pdf({1: "<< /Type /Catalog /AcroForm 5 >>"}),
    "form is a list": pdf({1: "<< /Type /Catalog /AcroForm [] >>"}),
    "fields is a number": pdf({1: "<< /Type /Catalog /AcroForm << /Fields 7 >> >>"}),
    "field is a name": pdf(form("/Name")),
    "value is a number": pdf(form("<< /FT /Sig /T (s) /V 5 >>")),
    "name is a number": pdf(form("<< /FT /Sig /T 5 /V 4 0 R >>", o4=SIG.format("[0 1 2 3]", "<00>"))),
    "root is a number": pdf({1: "<< /Type /Catalog >>"}, root="7"),
    "root is not there": pdf({1: "<< /Type /Catalog >>"}, root="9 0 R"),
    "nested lists": pdf({1: "<< /Type /Catalog /AcroForm << /Fields " + "[" * 20_000 + "]" * 20_000 + " >> >>"}),
    "field in itself": pdf(form("<< /FT /Sig /T (s) /Kids [3 0 R] >>")),
    "object is itself": pdf(form("3 0 R")),
    "no signature in it": pdf(form(SIGNED, o4=SIG.format("[0 10 20 30]", "<00>"))),
    "bytes range of words": pdf(form(SIGNED, o4=SIG.format("[/a /b /c /d]", "<3000>"))),
    "bytes range too short": pdf(form(SIGNED, o4=SIG.format("[0]", "<3000>"))),
    "bytes range of a number": pdf(form(SIGNED, o4=SIG.format("5", "<3000>"))),
    "contents is a number": pdf(form(SIGNED, o4=SIG.format("[0 10 20 30]", "5"))),
    "contents is no CMS": pdf(form(SIGNED, o4=SIG.format("[0 10 20 30]", "<3003020105>"))),
    "negative bytes range": pdf(form(SIGNED, o4=SIG.format("[-5 -9 -1 -2]", "<3003020105>"))),
    "nothing": b"%PDF-1.7\n",
    "no file": b"",
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_a_hostile_file_is_refused_or_reported_as_not_valid(in_alpha: TenantRef, content: bytes) -> None:
    valid = []
    with contextlib.suppress(Invalid):
        valid = [report.field_name for report in verify(content, roots=[]) if report.valid]
    assert valid == []
