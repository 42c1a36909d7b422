"""Log lines that name their tenant and request and never carry a secret."""

from __future__ import annotations

import contextvars
import json
import logging
import re
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")

HIDDEN = "***"
_NAMES_OF_SECRETS = (
    r"pass(?:word|wd|phrase)?\w*|old_?password|secret\w*|token\w*|api_?key|access_?key\w*|private_?key|credential\w*"
    r"|authorization|cookie|set-cookie|sessionid|session_?key|csrfmiddlewaretoken|one_time_password|otp"
    r"|x-vault-token|plaintext|client_?token|accessor|密码|口令"
)
_NAME = re.compile(rf"^(?:\w*[_.-])?(?:{_NAMES_OF_SECRETS})$", re.IGNORECASE)
_ONE_TIME = re.compile(r"^\d{6,8}$")
_PATTERNS = (
    # name=value, name: value, "name": "value" in any text; the value ends at a delimiter.
    (
        re.compile(
            rf"(?P<name>(?<![A-Za-z])[\"']?[\w.-]*?(?:{_NAMES_OF_SECRETS})[\"']?\s*(?:=>|=|:|：)\s*)"
            r"(?P<value>\"[^\"]*\"|'[^']*'|(?:Bearer|Basic)\s+\S+|[^\s,;&\"'}\]]+)",
            re.IGNORECASE,
        ),
        rf"\g<name>{HIDDEN}",
    ),
    # one-time and recovery codes; the code of a refusal or an answer's status is none
    (re.compile(r"(?P<name>code[\"']?\s*(?:=>|=|:|：)\s*[\"']?)\d{6,8}(?!\d)", re.IGNORECASE), rf"\g<name>{HIDDEN}"),
    # user:password@host in an address
    (re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s@/]+@", re.IGNORECASE), rf"\g<scheme>:{HIDDEN}@"),
    # hashes of passwords, tokens of Vault, JSON web tokens, cookies of ours
    (re.compile(r"\b(?:argon2|pbkdf2_sha256|bcrypt(?:_sha256)?|scrypt)\$\S+"), HIDDEN),
    (re.compile(r"\b(?:hvs|hvb|s)\.[A-Za-z0-9_-]{20,}"), HIDDEN),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), HIDDEN),
    (re.compile(r"otpauth://\S+"), f"otpauth://{HIDDEN}"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL), HIDDEN),
    (re.compile(r"(?P<name>__Host-(?:session|csrf)=)[^\s;]+"), rf"\g<name>{HIDDEN}"),
)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "tenant", "request_id", "taskName"}


def without_secrets(text: str) -> str:
    """`text` with everything that looks like a secret replaced; the names stay, so that the line still helps."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def without_rows(text: str) -> str:
    """An error's message without what the database adds to it: a DETAIL quotes the row, which is a bureau's content."""
    return re.split(r"\n(?:DETAIL|CONTEXT|HINT|QUERY): ", text, maxsplit=1)[0]


def traceback_of(error: BaseException) -> str:
    """Where an error came from and what led to it, without secrets and without rows."""
    parts: list[str] = []
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        named = f"{type(at).__module__}.{type(at).__qualname__}: {without_rows(str(at))}"
        parts.append("".join(traceback.format_tb(at.__traceback__)) + named)
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    return without_secrets("\n\nwhich led to\n\n".join(reversed(parts)))


def _secret(name: str, value: object) -> bool:
    return bool(_NAME.match(name) or (name.lower().endswith("code") and _ONE_TIME.match(str(value))))


def _clean(name: str, value: Any) -> Any:
    """A value of a log record's extra field, without secrets, safe for JSON."""
    if _secret(name, value):
        return HIDDEN
    if isinstance(value, Mapping):
        return {str(key): _clean(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return without_secrets(without_rows(str(value)))


class TenantFilter(logging.Filter):
    """Puts the bureau's schema and the request's id on every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add `tenant` and `request_id`; never drops a record."""
        # Django's own line on an answer is written when the request's bureau and id are off the thread already.
        request = getattr(record, "request", None)
        of_request = getattr(getattr(request, "tenant", None), "schema", "")
        record.tenant = getattr(record, "tenant", None) or _tenant() or of_request
        record.request_id = getattr(record, "request_id", None) or request_id.get() or getattr(request, "id", "")
        return True


def _tenant() -> str:
    # Logging must not open a connection nor fail before the apps are ready.
    from django.apps import apps

    if not apps.ready:
        return ""
    from saas.core.tenancy import current_tenant

    try:
        return current_tenant().schema
    except Exception:  # a log line is written whatever the state of the connection
        return ""


class SecretFilter(logging.Filter):
    """Takes secrets and quoted rows out of the message, its arguments, the extra fields and the traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Clean the record in place; never drops a record."""
        if isinstance(record.args, Mapping):
            record.args = {key: _argument(key, value) for key, value in record.args.items()}
        try:
            message = record.getMessage()
        except Exception:  # a broken format string must not lose the line
            message = f"{record.msg} {record.args}"
        record.msg, record.args = without_secrets(without_rows(message)), None
        if record.exc_info and record.exc_info[1] is not None:
            # Whatever another handler has kept as the text may quote rows.
            record.exc_text = traceback_of(record.exc_info[1])
        for name in set(vars(record)) - _STANDARD:
            if name == "request":
                continue
            setattr(record, name, _clean(name, getattr(record, name)))
        return True


def _argument(name: object, value: object) -> object:
    return HIDDEN if _secret(str(name), value) else value


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Render `record`; a request in it is reduced to its method and path (never its query or body)."""
        from django.conf import settings

        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "zone": str(settings.ZONE),
            "cell": settings.CELL,
            "tenant": getattr(record, "tenant", ""),
            "request_id": getattr(record, "request_id", ""),
            "message": record.getMessage(),
        }
        for name in sorted(set(vars(record)) - _STANDARD):
            value = getattr(record, name)
            if name == "request":
                line["request"] = f"{getattr(value, 'method', '')} {getattr(value, 'path', '')}"
            else:
                line[name] = value
        if record.exc_text:
            line["traceback"] = record.exc_text
        elif record.exc_info and record.exc_info[1] is not None:
            line["traceback"] = traceback_of(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)
