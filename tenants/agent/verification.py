"""Decides whether a command is management's, meant for this cell, and still to be carried out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from saas.core.keys import Algorithm, KeyName, holds, public_keys_pem
from tenants.protocol import CLOCK_SKEW_SECONDS, CellName, CommandText, command_digest, decode_signature

KEYS_SECONDS = 60.0


class CommandRefused(Exception):
    """The command must not be carried out; the message is the reason."""

    def __init__(self, reason: str, *, command: CommandText | None = None) -> None:
        super().__init__(reason)
        self.command = command


@dataclass(slots=True)
class Verifier:
    """Checks commands for one cell; management's public keys are asked of Vault once a minute."""

    cell: CellName
    _keys: tuple[float, list[str]] = (0.0, [])

    def check(self, *, text: str, signature: str, algorithm: str, last_sequence: int, now: datetime) -> CommandText:
        """The command, when it may be carried out.

        Args:
            text: canonical text.
            signature: base64.
            algorithm: as management names it.
            last_sequence: the highest sequence this cell has carried out.
            now: aware.

        Raises:
            CommandRefused: tampered, meant for another cell, expired, or older than what was already done.
            Unavailable: Vault is sealed or away.
        """
        try:
            raw = decode_signature(signature)
            known = Algorithm(algorithm)
        except ValueError:
            message = "malformed signature"
            raise CommandRefused(message) from None
        if known is not Algorithm.ECDSA_P256_SHA256:
            message = "an algorithm commands are not signed with"
            raise CommandRefused(message)
        digest = command_digest(text)
        if not any(holds(key, digest, raw, known) for key in self._public_keys()):
            message = "the signature is not management's"
            raise CommandRefused(message)
        try:
            command = CommandText.parse(text)
        except ValueError as error:
            raise CommandRefused(str(error)) from None
        if command.cell != self.cell:
            message = f"meant for {command.cell}"
            raise CommandRefused(message, command=command)
        if now > command.expires_at:
            message = f"expired at {command.expires_at.isoformat()}"
            raise CommandRefused(message, command=command)
        if command.issued_at > now + timedelta(seconds=CLOCK_SKEW_SECONDS):
            message = "issued in the future"
            raise CommandRefused(message, command=command)
        if command.sequence <= last_sequence:
            message = f"out of order: {command.sequence} after {last_sequence}"
            raise CommandRefused(message, command=command)
        return command

    def _public_keys(self) -> list[str]:
        if self._keys[0] < time.monotonic():
            self._keys = (
                time.monotonic() + KEYS_SECONDS,
                list(public_keys_pem(KeyName.commands()).values()),
            )
        return self._keys[1]
