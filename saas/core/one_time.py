"""Passwords that are shown once and must be changed: made in one place, for accounts and for new bureaus."""

from __future__ import annotations

import secrets

# No 0/o, 1/l/i: these passwords are read out and typed by hand.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def one_time_password() -> str:
    """A password of about 59 bits that can be read out, e.g. ``k7mw-3pqa-x9tz``."""
    groups = ("".join(secrets.choice(_ALPHABET) for _char in range(4)) for _group in range(3))
    return "-".join(groups)
