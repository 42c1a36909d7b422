"""Collects the interface's texts and writes the English catalogue, without GNU gettext being installed.

The msgid is the Chinese text. English stands in `saas/locale/parts/<app>.json`, one file per app, so that apps do not
share a file; the `.po` (to read) and `.mo` (to load) are made from them.
"""

from __future__ import annotations

import ast
import json
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.utils.translation.template import templatize

SOURCES = ("saas", "tenants", "billing", "monitoring")
CONTEXT_END = "\x04"
HEADER = (
    "Project-Id-Version: yunshu\nLanguage: en\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n"
    "Content-Transfer-Encoding: 8bit\nPlural-Forms: nplurals=2; plural=(n != 1);\n"
)
_TAKES = {  # name: (index of context or None, index of msgid, index of plural or None)
    "gettext": (None, 0, None),
    "gettext_lazy": (None, 0, None),
    "gettext_noop": (None, 0, None),
    "ngettext": (None, 0, 1),
    "ngettext_lazy": (None, 0, 1),
    "pgettext": (0, 1, None),
    "pgettext_lazy": (0, 1, None),
    "npgettext": (0, 1, 2),
    "npgettext_lazy": (0, 1, 2),
}
_IN_TEMPLATE = re.compile(r"\b(npgettext|ngettext|pgettext|gettext|_)\(\s*")
_LITERAL = re.compile(r"""\s*,?\s*u?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\"{3}.*?\"{3})""", re.S)


@dataclass(slots=True)
class Message:
    """A text of the interface: its Chinese, its plural form if it counts something, and where it is used."""

    text: str
    plural: str = ""
    context: str = ""
    places: set[str] = field(default_factory=set)

    @property
    def key(self) -> str:
        """What `parts/*.json` and the catalogue know it by."""
        return f"{self.context}{CONTEXT_END}{self.text}" if self.context else self.text


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Texts in use with their English, and what is wrong with the parts."""

    messages: list[Message]
    english: dict[str, list[str]]
    missing: list[Message]
    unused: list[str]
    conflicts: list[str]


def _literals(node: ast.Call, indices: Iterable[int]) -> dict[int, str]:
    values = {}
    for index in indices:
        if index < len(node.args):
            argument = node.args[index]
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                values[index] = argument.value
    return values


def _message(name: str, texts: dict[int, str]) -> Message | None:
    context, text, plural = _TAKES[name]
    if not texts.get(text):
        return None
    return Message(
        text=texts[text],
        plural=texts.get(plural, "") if plural is not None else "",
        context=texts.get(context, "") if context is not None else "",
    )


def in_python(source: str) -> Iterator[Message]:
    """Texts marked in Python `source`, whatever the module calls the gettext functions."""
    tree = ast.parse(source)
    names = {
        (alias.asname or alias.name): alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
        if alias.name in _TAKES
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        name = names.get(function.id, "") if isinstance(function, ast.Name) else ""
        if isinstance(function, ast.Attribute) and function.attr in _TAKES:
            name = function.attr
        if name:
            found = _message(name, _literals(node, range(3)))
            if found:
                yield found


def in_template(source: str) -> Iterator[Message]:
    """Texts marked in a Django template, by Django's own reading of it."""
    code = templatize(source)
    for match in _IN_TEMPLATE.finditer(code):
        name = "gettext" if match[1] == "_" else match[1]
        texts: dict[int, str] = {}
        at = match.end()
        for index in range(3):
            literal = _LITERAL.match(code, at)
            if literal is None:
                break
            texts[index] = ast.literal_eval(literal[1].replace("\n", "\\n") if literal[1][:3] != '"""' else literal[1])
            at = literal.end()
        found = _message(name, texts)
        if found:
            yield found


def collect(root: Path) -> list[Message]:
    """Every text of the product under `root`, by key, with the files that use it."""
    messages: dict[str, Message] = {}
    for top in SOURCES:
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in {".py", ".html", ".txt"} or "migrations" in path.parts or "data" in path.parts:
                continue
            source = path.read_text(encoding="utf-8")
            found = in_python(source) if path.suffix == ".py" else in_template(source)
            for message in found:
                known = messages.setdefault(message.key, message)
                known.plural = known.plural or message.plural
                known.places.add(path.relative_to(root).as_posix())
    return sorted(messages.values(), key=lambda m: m.key)


def read_parts(folder: Path) -> tuple[dict[str, list[str]], list[str]]:
    """The English of every part (singular, and plural where there is one), and keys two parts disagree about."""
    english: dict[str, list[str]] = {}
    conflicts = []
    for path in sorted(folder.glob("*.json")):
        for key, value in json.loads(path.read_text(encoding="utf-8")).items():
            forms = [value] if isinstance(value, str) else [str(form) for form in value]
            if english.setdefault(key, forms) != forms:
                conflicts.append(f"{path.name}: {key}")
    return english, conflicts


def catalogue(root: Path) -> Catalogue:
    """Texts in use joined with the English of the parts."""
    messages = collect(root)
    english, conflicts = read_parts(root / "saas" / "locale" / "parts")
    known = {message.key for message in messages}
    return Catalogue(
        messages=messages,
        english=english,
        missing=[m for m in messages if has_chinese(m.text) and not all(english.get(m.key, [""]))],
        unused=sorted(set(english) - known),
        conflicts=conflicts,
    )


def has_chinese(text: str) -> bool:
    """Whether `text` has anything to translate."""
    return any("\u3400" <= character <= "\u9fff" for character in text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def po(joined: Catalogue) -> str:
    """The catalogue as a `.po` file; places are files without line numbers, so that it changes only with texts."""
    lines = ['msgid ""', 'msgstr ""', *(_quoted(line + "\n") for line in HEADER.strip().split("\n")), ""]
    for message in joined.messages:
        forms = joined.english.get(message.key, [""])
        lines += [f"#: {place}" for place in sorted(message.places)]
        if "%(" in message.text:
            lines.append("#, python-format")
        if message.context:
            lines.append(f"msgctxt {_quoted(message.context)}")
        lines.append(f"msgid {_quoted(message.text)}")
        if message.plural:
            lines.append(f"msgid_plural {_quoted(message.plural)}")
            lines += [f"msgstr[{n}] {_quoted(form)}" for n, form in enumerate((forms[0], forms[-1]))]
        else:
            lines.append(f"msgstr {_quoted(forms[0])}")
        lines.append("")
    return "\n".join(lines)


def mo(joined: Catalogue) -> bytes:
    """The catalogue as a GNU `.mo` file (little endian, without a hash table)."""
    entries = {b"": HEADER.encode()}
    for message in joined.messages:
        forms = joined.english.get(message.key)
        if not forms or not all(forms):
            continue
        if message.plural:
            entries[f"{message.key}\0{message.plural}".encode()] = f"{forms[0]}\0{forms[-1]}".encode()
        else:
            entries[message.key.encode()] = forms[0].encode()
    keys = sorted(entries)
    count, start = len(keys), 28
    ids, strings = b"", b""
    places: list[tuple[int, int, int, int]] = []
    for key in keys:
        places.append((len(key), len(ids), len(entries[key]), len(strings)))
        ids += key + b"\0"
        strings += entries[key] + b"\0"
    first_id = start + count * 16
    first_string = first_id + len(ids)
    table = [number for length, at, _, _ in places for number in (length, first_id + at)]
    table += [number for _, _, length, at in places for number in (length, first_string + at)]
    head = struct.pack("<7I", 0x950412DE, 0, count, start, start + count * 8, 0, first_id)
    return head + struct.pack(f"<{len(table)}I", *table) + ids + strings


def differing_placeholders(joined: Catalogue) -> list[str]:
    """Keys whose English has other `%(name)s` or `{name}` places than the Chinese: they would fail when shown."""
    pattern = re.compile(r"%\(\w+\)[sd]|\{\w*\}")
    wrong = []
    for message in joined.messages:
        wanted = set(pattern.findall(message.text))
        if any(set(pattern.findall(form)) - wanted for form in joined.english.get(message.key, [])):
            wrong.append(message.key)
    return wrong
