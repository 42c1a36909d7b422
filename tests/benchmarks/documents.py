"""``document_pdf_short`` and ``document_whole``: a document laid out, and one numbered, laid out and sealed."""

from __future__ import annotations

import hashlib
import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.benchmarks.figure import Benchmark, Figure

_ROUNDS = 60
_WHOLE_ROUNDS = 15


def document_pdf_short() -> Figure:
    """Milliseconds for a two-page document, warm; every round has another text, so nothing comes from a cache."""
    import typst

    from saas.documents.layout import parse_body, render, rendering
    from saas.documents.layout.fonts import require
    from tests.documents.samples import BODY, FONTS, sample

    def content(number: int, side: str) -> object:
        body = parse_body(f"{BODY}\n第{number}轮{side}。")
        return sample(body=body, attachments=(), annexes=(), number=f"云数发〔2026〕{number}号")

    bare = typst.Compiler(
        input=rendering.TEMPLATE_PATH,
        root=rendering.TEMPLATE_PATH.parent,
        font_paths=require(FONTS),
        ignore_system_fonts=True,
    )
    ours, floors = [], []
    pages = 0
    for number in range(_ROUNDS + 5):
        wanted = content(number, "甲")
        started = time.perf_counter()
        pages = render(wanted, FONTS).pages  # type: ignore[arg-type]
        ours.append(time.perf_counter() - started)
        data = rendering._data(content(number, "乙"), FONTS, rendering._Pass())  # type: ignore[arg-type]
        text = json.dumps(data, ensure_ascii=False)
        started = time.perf_counter()
        bare.compile(format="pdf", sys_inputs={"data": text}, timestamp=0)
        floors.append(time.perf_counter() - started)
    value, floor = (statistics.median(times[5:]) * 1000 for times in (ours, floors))
    note = f"{pages} pages, warm; with glyph check, title breaking and seal positions"
    return Figure(name="document_pdf_short", value=value, unit="ms", floor=floor, note=note)


@contextmanager
def _clocked(spent: dict[str, float]) -> Iterator[None]:
    """Note how long each part of the way takes; the parts are called by name, as they are in the product."""
    from saas.core import keys
    from saas.documents import sealing
    from saas.documents.services import production
    from saas.seals import pades, picture
    from saas.seals import services as seals

    parts: list[tuple[Any, str, str]] = [
        (production, "number_mark_raise", "mark in Vault"),
        (production, "render", "laid out"),
        (production, "text_of", "read back"),
        (production, "store", "stored"),
        (sealing, "store", "stored"),
        (seals, "wait_for_signed_head", "intent under a signed head"),
        (keys, "sign_as_certified", "signed in Vault"),
        (picture, "draw", "seal drawn"),
        (pades, "stamp", "signature embedded"),
    ]
    kept = [getattr(module, name) for module, name, _label in parts]

    def clocked(function: Callable[..., Any], label: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                spent[label] = spent.get(label, 0.0) + time.perf_counter() - started

        return call

    try:
        for module, name, label in parts:
            setattr(module, name, clocked(getattr(module, name), label))
        yield
    finally:
        for (module, name, _label), function in zip(parts, kept, strict=True):
            setattr(module, name, function)


def _seal(office: Any) -> Any:
    """An active seal the clerk keeps."""
    from saas.core.keys import SealKeyKind
    from saas.seals import jobs, services
    from saas.seals.models import Seal

    seal = services.seal_create(
        name="云州市大数据发展管理局",
        caption="",
        diameter_mm=42,
        key_kind=SealKeyKind.RSA_3072,
        holder_posts=[office.clerk.post_id],
        by=office.clerk,
    )
    jobs.make_key(seal_id=str(seal.id))
    return Seal.objects.get(id=seal.id)


def document_whole() -> Figure:
    """Milliseconds from the clerk's 登记 to the sealed PDF, jobs run at once one after the other."""
    import typst

    from saas.core import keys
    from saas.core.audit.sealer import Sealer
    from saas.core.keys import KeyName, SealKeyKind
    from saas.documents import sealing, services
    from saas.documents.layout import rendering
    from saas.documents.layout.fonts import require
    from tenants.context import use_tenant
    from tenants.selectors import bureau_by_code
    from tests.documents.conftest import install_flow, make_office
    from tests.documents.samples import FONTS
    from tests.documents.test_services import signed_off

    bare = typst.Compiler(
        input=rendering.TEMPLATE_PATH,
        root=rendering.TEMPLATE_PATH.parent,
        font_paths=require(FONTS),
        ignore_system_fonts=True,
    )
    stop = threading.Event()
    sealer = threading.Thread(target=Sealer().run, args=(stop,))
    sealer.start()
    totals, compiles, signatures = [], [], []
    splits: dict[str, list[float]] = {}
    ref = bureau_by_code("alpha")
    try:
        with use_tenant(ref):
            office = make_office()
            install_flow(office)
            seal = _seal(office)
            kind = SealKeyKind(seal.key_kind)
            book = services.book_create(mark="测发", year=2026, kinds=[], first=1, by=office.clerk)
            for turn in range(_WHOLE_ROUNDS + 2):
                document = signed_off(office)
                spent: dict[str, float] = {}
                with _clocked(spent):
                    began = time.perf_counter()
                    services.document_register_number(document_id=document.id, book_id=book.id, by=office.clerk)
                    spent["numbered"] = time.perf_counter() - began
                    services.document_render(document_id=document.id)
                    sealing.seal_document(
                        document_id=str(document.id),
                        seal_id=str(seal.id),
                        appointment_id=str(office.clerk.appointment_id),
                    )
                    total = time.perf_counter() - began
                document.refresh_from_db()
                if document.state != "sealed":
                    message = f"the document is {document.state}"
                    raise AssertionError(message)
                document.number += "甲"
                _pinned, content = services.production.pinned_content(document)
                data = rendering._data(content, FONTS, rendering._Pass())
                text = json.dumps(data, ensure_ascii=False)
                began = time.perf_counter()
                bare.compile(format="pdf", sys_inputs={"data": text}, timestamp=0)
                compiled = time.perf_counter()
                keys.sign(KeyName.seal(ref, seal.id), hashlib.sha256(text.encode()).digest(), kind.algorithm)
                signed = time.perf_counter()
                if turn < 2:
                    continue
                spent["signature embedded"] -= spent["signed in Vault"]
                totals.append(total)
                compiles.append(compiled - began)
                signatures.append(signed - compiled)
                for label, seconds in (*spent.items(), ("the rest", total - sum(spent.values()))):
                    splits.setdefault(label, []).append(seconds)
    finally:
        stop.set()
        sealer.join()
    split = ", ".join(f"{label} {statistics.median(times) * 1000:.0f}" for label, times in splits.items())
    value, compiling, signing = (statistics.median(times) * 1000 for times in (totals, compiles, signatures))
    note = f"ms split: {split}; floor: typst {compiling:.0f} + transit {signing:.0f}; median of {_WHOLE_ROUNDS}"
    return Figure(name="document_whole", value=value, unit="ms", floor=compiling + signing, note=note)


FIGURES: dict[str, Benchmark] = {"document_pdf_short": document_pdf_short, "document_whole": document_whole}
