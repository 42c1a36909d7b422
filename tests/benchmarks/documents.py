"""``document_pdf_short``: one short document laid out, against the bare typst compile of the same source and data."""

from __future__ import annotations

import json
import statistics
import time

from tests.benchmarks.figure import Benchmark, Figure

_ROUNDS = 60


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


FIGURES: dict[str, Benchmark] = {"document_pdf_short": document_pdf_short}
