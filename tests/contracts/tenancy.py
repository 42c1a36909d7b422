"""The rules by which whatever belongs to a bureau carries its name, and no secret reaches a log line."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from saas.core.tenancy import TenantRef
from tests.contracts.source import ROOT

LEVELS = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log"})
_SECRET = re.compile(
    r"(?:^|_)(?:password|passwd|passphrase|secret|token|credential|plaintext|otp|cookie|session_key|private_key)s?\d?$",
    re.IGNORECASE,
)
# What one process keeps for all bureaus may come from anywhere but their tables.
_READS = frozenset({"objects", "connection", "cursor", "open_object", "current_tenant"})
_JSON = {"str", "int", "float", "bool"}
# Who may name the parts beneath: everybody else goes through `storage.store` and `jobs.enqueue`, which add the tenant.
_STORAGE = ("saas/core/storage/", "tenants/agent/facts.py")
_QUEUE = ("saas/core/jobs/", "saas/core/cell/", "saas/exchange/spool/", "tenants/grants.py")
_CACHE = ("saas/core/cache.py", "saas/settings.py")


def keys_without_tenant(keys: Iterable[str], ref: TenantRef, *, zone: str) -> list[str]:
    """Cache keys that do not begin with zone and schema."""
    return [key for key in keys if not key.startswith(f"{zone}:{ref.schema}:")]


def names_without_tenant(names: Iterable[str], ref: TenantRef) -> list[str]:
    """Names of stored files that do not lie below the bureau's own."""
    return [name for name in names if not re.fullmatch(rf"{ref.schema}/[a-z][a-z0-9_/-]*/[0-9a-f-]{{36}}", name)]


def jobs_without_tenant(jobs: Iterable[tuple[str, Mapping[str, Any]]]) -> list[object]:
    """Jobs (tenant column, arguments) whose arguments name another tenant or none."""
    return [job for job in jobs if not re.fullmatch(r"b_[0-9a-f]{12}", job[0]) or job[1].get("_tenant") != job[0]]


def arguments_that_could_be_contents(function: Callable[..., Any]) -> list[str]:
    """Arguments of a job that are not keyword-only ids, codes, numbers or flags."""
    found = []
    for parameter in inspect.signature(function).parameters.values():
        kind = str(parameter.annotation).replace("<class '", "").replace("'>", "")
        if parameter.kind is not parameter.KEYWORD_ONLY or kind not in _JSON:
            found.append(f"{function.__qualname__}({parameter})")
        if re.search(r"(?:^|_)(?:title|text|body|content|opinion|name|bytes|password|secret)s?$", parameter.name):
            found.append(f"{function.__qualname__}({parameter})")
    return found


def _terminal(node: ast.expr) -> str:
    """The last name of an expression: ``password`` of ``user.password``, ``form["password"]`` and ``password()``."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case ast.Call(func=function):
            return _terminal(function)
    return ""


def _is_logging(call: ast.Call) -> bool:
    function = call.func
    return (
        isinstance(function, ast.Attribute)
        and function.attr in LEVELS
        and isinstance(function.value, ast.Name)
        and function.value.id in {"logger", "logging", "log"}
    )


def secrets_logged(path: Path, text: str) -> list[str]:
    """Log calls that are given a password, a token or the like, or a text put together before the filter sees it."""
    found = []
    for call in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) and _is_logging(node)):
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        if any(isinstance(argument, ast.JoinedStr) for argument in call.args):
            found.append(f"{path.name}:{call.lineno}: a text put together for the log")
        for argument in given:
            names = [_terminal(node) for node in ast.walk(argument) if isinstance(node, ast.expr)]
            found += [f"{path.name}:{call.lineno}: {name} in a log line" for name in names if _SECRET.search(name)]
    return found


def handlers_without_filters(config: Mapping[str, Any]) -> list[str]:
    """Handlers of a logging configuration that do not name the tenant or do not take secrets out."""
    return [
        name
        for name, handler in config["handlers"].items()
        if not {"tenant", "secrets"} <= set(handler.get("filters", ()))
    ]


def process_wide_reads(path: Path, text: str) -> list[str]:
    """Functions whose answers a process keeps for every bureau, and which read a bureau's tables or files."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef):
            continue
        if not any(_terminal(decorator) in {"cache", "lru_cache"} for decorator in node.decorator_list):
            continue
        if {_terminal(part) for part in ast.walk(node) if isinstance(part, ast.expr)} & _READS:
            found.append(f"{path.name}:{node.lineno}: {node.name}() is kept for all bureaus")
    return found


def goes_round(path: Path, text: str) -> list[str]:
    """Uses of the storage's back end, the queue's functions or the cache's table beside the one way to them."""
    place = path.relative_to(ROOT).as_posix() if path.is_absolute() else path.as_posix()
    found = []
    for words, owners in (
        (r"\bstorage\.backends\b|\bbackend\(\)\.", _STORAGE),
        (r"\bcell\.(?:enqueue|insert_job)\(|\bprocrastinate\b", _QUEUE),
        (r"\bcore_cache\b", _CACHE),
    ):
        # Reading the code without its comments is slow, and most files do not speak of these at all.
        if not place.startswith(owners) and re.search(words, text):
            found += [f"{place}: {hit.group()}" for hit in re.finditer(words, _code(text))]
    return found


def _code(text: str) -> str:
    """The source without comments and docstrings."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)
