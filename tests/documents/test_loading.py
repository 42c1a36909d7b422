"""Past documents: all real lines load, bad ones are refused by line and field, nothing is half-loaded."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from saas.core.actors import SYSTEM
from saas.core.tenancy import TenantRef
from saas.documents import hooks
from saas.documents.loading import documents_load
from saas.documents.models import Document
from saas.search.models import SearchRow
from tests.documents.samples import REAL

DATA = Path(__file__).parents[1] / "data" / "official_documents.jsonl"


def as_line(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode()


def with_line(record: dict[str, Any], text: str) -> dict[str, Any]:
    return record | {"paragraphs": [*record["paragraphs"], record["paragraphs"][-1] | {"text": text}]}


def test_all_real_documents_load_with_pdf_and_index_and_once_only(in_alpha: TenantRef) -> None:
    lines = DATA.read_bytes().split(b"\n")
    report = documents_load(lines=lines, by=SYSTEM)
    assert (report.added, report.refused) == (40, {})
    assert Document.objects.exclude(pdf_name="").count() == 40
    assert SearchRow.objects.filter(kind="document_incoming", chunk=0).count() == 40
    again = documents_load(lines=lines, by=SYSTEM)
    assert (again.added, again.unchanged) == (0, 40)


BAD = {
    2: (b'{"title": ', "line"),
    3: (as_line(REAL[2]).decode().encode("gb18030"), "line"),
    4: (as_line({k: v for k, v in REAL[3].items() if k != "title"}), "title"),
    5: (as_line(REAL[4] | {"written_on": "2019-02-30"}), "written_on"),
    6: (as_line(REAL[5] | {"title": "题" * 4000}), "title"),
    7: (b"[1, 2]", "line"),
    8: (
        as_line(REAL[6] | {"paragraphs": [{"align": "left", "text": "😀：正文😀。"}, {"text": "正文😀"}]}),
        "paragraphs",
    ),
    9: (as_line(REAL[7] | {"title": "机密★ 关于某事的通知"}), "title"),
    10: (as_line(REAL[8] | {"paragraphs": [{"text": "正\u0000文"}]}), "line"),
    11: (b"[" * 100_000, "line"),
    12: (as_line(with_line(REAL[36], "密级：秘密")), "paragraphs"),  # its end is an annex
}


def test_bad_lines_are_refused_by_line_and_field_and_the_others_load(in_alpha: TenantRef) -> None:
    lines = [as_line(REAL[0]), *(line for line, _ in BAD.values()), b"", as_line(REAL[9])]
    report = documents_load(lines=lines, by=SYSTEM)
    assert report.added == 2
    assert {number: findings[0].field for number, findings in report.refused.items()} == {
        number: name for number, (_, name) in BAD.items()
    }
    assert Document.objects.count() == 2


def test_a_line_the_archive_refuses_leaves_nothing(in_alpha: TenantRef, monkeypatch: pytest.MonkeyPatch) -> None:
    from saas.core.errors import Conflict

    def refuse(document: Document, by: Any) -> None:
        raise Conflict("not this one")

    monkeypatch.setattr(hooks, "_LOADED", [refuse])
    report = documents_load(lines=[as_line(REAL[0])], by=SYSTEM)
    assert list(report.refused) == [1]
    assert not Document.objects.exists()
    assert not SearchRow.objects.filter(kind="document_incoming").exists()


@pytest.mark.parametrize(
    ("lines", "code"), [([as_line(REAL[7])], 0), ([as_line(REAL[7]), b"{"], 3), ([b"{"], 1), ([], 1)]
)
def test_the_exit_code_says_whether_all_some_or_none_were_loaded(
    in_alpha: TenantRef, tmp_path: Path, lines: list[bytes], code: int
) -> None:
    file = tmp_path / "past.jsonl"
    file.write_bytes(b"\n".join(lines))
    out, err = StringIO(), StringIO()
    exited = 0
    try:
        call_command("load_documents", str(file), tenant="alpha", stdout=out, stderr=err)
    except SystemExit as stop:
        exited = int(stop.code or 0)
    assert exited == code
    assert ("line" in err.getvalue()) is (b"{" in lines)


def test_an_unknown_bureau_or_file_is_named(in_alpha: TenantRef, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="nowhere"):
        call_command("load_documents", str(DATA), tenant="nowhere")
    with pytest.raises(CommandError, match=r"absent\.jsonl"):
        call_command("load_documents", str(tmp_path / "absent.jsonl"), tenant="alpha")
