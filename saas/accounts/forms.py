"""The forms of sign-in, own settings and account administration."""

from __future__ import annotations
