"""The project's own source files, and the rules that read them as text."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LONGEST_FILE = 500
TOP_LEVEL = {
    "saas", "tenants", "billing", "terraform", "ansible", "monitoring", "tests",
    "pyproject.toml", "README.md", "requirements.lock", "Makefile", "manage.py", "LICENSE",
}  # fmt: skip


def tracked() -> list[Path]:
    """The files git knows, as they are in the working tree."""
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / line for line in listing.splitlines() if (ROOT / line).is_file()]


def product_python() -> list[Path]:
    """Python files of the product: no tests, no migrations."""
    return [
        path
        for path in tracked()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] != "tests" and "migrations" not in path.parts
    ]


def too_long(path: Path, text: str) -> list[str]:
    """A file past 500 lines is more than one room."""
    lines = text.count("\n") + 1
    return [f"{path.name}: {lines} lines"] if lines > LONGEST_FILE else []


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _is_assembled(node: ast.expr) -> bool:
    """Whether an expression builds its text at run time."""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Mod) or _is_assembled(node.left) or _is_assembled(node.right)
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "format"
        and (isinstance(node.func.value, ast.Constant))
    )


def assembled_sql(path: Path, text: str) -> list[str]:
    """SQL put together from values instead of bound parameters."""
    found = []
    for call in _calls(ast.parse(text)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if name in {"execute", "executemany", "raw", "RawSQL"} and call.args and _is_assembled(call.args[0]):
            found.append(f"{path.name}:{call.lineno}: SQL assembled in {name}()")
    return found


def imported(text: str) -> Iterator[tuple[int, str]]:
    """Line and name of everything a file imports."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or ""
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def imports_of_pdfium(path: Path, text: str) -> list[str]:
    """PDFium taken past its lock: it is no library for two threads."""
    if path == ROOT / "saas" / "core" / "pdfium.py":
        return []
    lines = sorted({line for line, name in imported(text) if name.split(".")[0] == "pypdfium2"})
    return [f"{path.name}:{line}: imports pypdfium2" for line in lines]


def reads_of_approvals(path: Path, text: str) -> list[str]:
    """Imports of the approvals' tables by another app: what others may know, its selectors say."""
    if path.is_relative_to(ROOT / "saas" / "approvals"):
        return []
    lines = sorted({line for line, name in imported(text) if name == "saas.approvals.models"})
    return [f"{path.name}:{line}: reads the approvals' tables" for line in lines]


def locks_of_documents(path: Path, text: str) -> list[str]:
    """A document locked without its flow first: `moves.locked` alone keeps the order that cannot end in a circle."""
    if path == ROOT / "saas" / "documents" / "services" / "moves.py":
        return []
    return [
        f"{path.name}:{node.lineno}: locks a document itself"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute)
        and node.attr == "select_for_update"
        and "Document.objects" in ast.unparse(node.value)
    ]


def forbidden_habits(path: Path, text: str) -> list[str]:
    """Signals of our own, GenericForeignKey, a model's `save` with side effects."""
    tree = ast.parse(text)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "GenericForeignKey":
            found.append(f"{path.name}:{node.lineno}: GenericForeignKey")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Signal":
            found.append(f"{path.name}:{node.lineno}: a signal of our own")
        if isinstance(node, ast.ClassDef) and any("Model" in ast.unparse(base) for base in node.bases):
            found += [
                f"{path.name}:{item.lineno}: {node.name}.save()"
                for item in node.body
                if isinstance(item, ast.FunctionDef) and item.name == "save"
            ]
    return found


def stubs(path: Path, text: str) -> list[str]:
    """What only pretends to be there."""
    marks = ("raise NotImplementedError", "TODO", "FIXME", "XXX")
    return [
        f"{path.name}:{number}: {mark}"
        for number, line in enumerate(text.splitlines(), 1)
        for mark in marks
        if mark in line
    ]


def run_python_in_migrations(path: Path, text: str) -> list[str]:
    """Tenant migrations are replayed as SQL, so they can hold no Python."""
    return [f"{path}: RunPython"] if "RunPython" in text else []


def gather(paths: Iterable[Path], rule: object) -> list[str]:
    """Every violation of `rule` in `paths`."""
    assert callable(rule)
    return [finding for path in paths for finding in rule(path, path.read_text(encoding="utf-8"))]
