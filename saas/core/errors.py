"""The one error family: what a service raises and a page or API shows."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise

Text = str | Promise


class YunshuError(Exception):
    """Base of every refusal a user may see.

    Args:
        message: one translated sentence that says what is wrong and what to do.
        code: stable machine-readable reason, e.g. ``number.taken``; defaults to the class's.
        fields: messages by form field name.
    """

    status = 500
    code = "error"

    def __init__(self, message: Text, *, code: str = "", fields: Mapping[str, Text] | None = None) -> None:
        super().__init__(str(message))
        self.message = message
        self.code = code or self.code
        self.fields: dict[str, Text] = dict(fields or {})


class BadRequest(YunshuError):
    """The request cannot be read."""

    status = 400
    code = "bad_request"


class Forbidden(YunshuError):
    """The person may not do this."""

    status = 403
    code = "forbidden"


class NotFound(YunshuError):
    """Nothing of that id here (another bureau's object included)."""

    status = 404
    code = "not_found"


class Conflict(YunshuError):
    """Somebody else was first, or the object is no longer in the state the act needs."""

    status = 409
    code = "conflict"


class TooLarge(YunshuError):
    """More than the stated limit was sent."""

    status = 413
    code = "too_large"


class Invalid(YunshuError):
    """The content breaks a rule; `fields` says where."""

    status = 422
    code = "invalid"


class Throttled(YunshuError):
    """Too many tries; wait."""

    status = 429
    code = "throttled"


class Unavailable(YunshuError):
    """A part the act needs (Vault, storage, database) does not answer; nothing was changed."""

    status = 503
    code = "unavailable"
