"""The 40 real documents as search entries, and as many like them as a test wants."""

from __future__ import annotations

import json
import random
import re
import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from saas.search.entries import EVERYONE, SearchEntry

FILE = Path(__file__).resolve().parents[1] / "data" / "official_documents.jsonl"


@cache
def documents() -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines())


def body(document: dict[str, Any]) -> str:
    return "\n".join(paragraph["text"] for paragraph in document["paragraphs"])


def entry(document: dict[str, Any], groups: frozenset[uuid.UUID] = frozenset({EVERYONE})) -> SearchEntry:
    return SearchEntry(
        kind="document",
        object_id=uuid.uuid5(uuid.NAMESPACE_URL, str(document["index_number"])),
        title=str(document["title"]),
        groups=groups,
        org=str(document["issuer"]),
        number=str(document["document_number"]),
        date=date.fromisoformat(str(document["written_on"])) if document["written_on"] else None,
        body=body(document),
    )


@cache
def sentences() -> tuple[str, ...]:
    found = []
    for document in documents():
        found += [s for s in re.split(r"(?<=[。；])", body(document)) if 10 <= len(s) <= 300]
    return tuple(found)


def many(count: int, groups: list[frozenset[uuid.UUID]], *, characters: int = 520) -> Iterator[SearchEntry]:
    """Documents of about `characters` characters made of real sentences, with real titles and numbers in their form."""
    chance = random.Random(20260101)
    real, pieces = documents(), sentences()
    for n in range(count):
        text = ""
        while len(text) < characters:
            text += chance.choice(pieces)
        like = real[n % len(real)]
        day = date(2015, 1, 1) + timedelta(days=chance.randrange(3900))
        yield SearchEntry(
            kind=("document", "record", "regulation")[n % 3],
            object_id=uuid.UUID(int=chance.getrandbits(128), version=4),
            title=f"{like['title']}（{n}）",
            groups=chance.choice(groups),
            org=str(like["issuer"]),
            names=(chance.choice("王李张刘陈杨赵黄") + chance.choice(("建国", "敏", "晓东", "立新", "海燕")),),
            number=f"{chance.choice(('国发', '国办发', '府办', '经信发'))}〔{day.year}〕{n % 997 + 1}号",
            date=day,
            body=text,
        )
