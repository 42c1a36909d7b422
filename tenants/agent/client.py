"""Speaks to management: every request signed with this cell's key in Vault."""

from __future__ import annotations

import http.client
import json
import secrets
import time
from typing import Any
from urllib.parse import urlsplit

from saas.core.keys import Algorithm, KeyName, sign
from saas.env import env
from tenants.middleware import CELLS_DOOR
from tenants.protocol import (
    CELL_HEADER,
    NONCE_HEADER,
    SIGNATURE_HEADER,
    TIME_HEADER,
    CellName,
    encode_signature,
    request_digest,
)

TIMEOUT_SECONDS = 10


class ManagementAway(RuntimeError):
    """Management does not answer, or not as it should; everything is kept and said again later."""


class ManagementClient:
    """One keep-alive connection to management's door for cells.

    Args:
        cell: in whose name it speaks.
    """

    def __init__(self, cell: CellName) -> None:
        self._cell = cell
        self._connection: http.client.HTTPConnection | None = None

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send `body` and return the answer.

        Raises:
            ManagementAway: no answer, a refusal, or no JSON.
            Unavailable: Vault does not sign.
        """
        data = json.dumps(body, ensure_ascii=False).encode()
        headers = self._headers(path, data)
        try:
            answer = self._exchange(path, data, headers)
        except (OSError, http.client.HTTPException, ValueError, TypeError) as error:
            self._connection = None
            message = f"management does not answer: {type(error).__name__}: {error}"
            raise ManagementAway(message) from error
        return answer

    def _exchange(self, path: str, data: bytes, headers: dict[str, str]) -> dict[str, Any]:
        connection = self._connection or self._connect()
        connection.request("POST", path, data, headers)
        response = connection.getresponse()
        content = response.read()
        if response.status != http.HTTPStatus.OK:
            message = f"status {response.status}: {content[:200].decode(errors='replace')}"
            raise ValueError(message)
        answer = json.loads(content)
        if not isinstance(answer, dict):
            message = "not an object"
            raise TypeError(message)
        self._connection = connection
        return answer

    def _connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(env.management_url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        return kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)

    def _headers(self, path: str, data: bytes) -> dict[str, str]:
        stamp, nonce = str(int(time.time())), secrets.token_hex(16)
        digest = request_digest(cell=self._cell, method="POST", path=path, time=stamp, nonce=nonce, body=data)
        key = KeyName.cell(self._cell.zone, self._cell.name)
        return {
            "Host": f"{CELLS_DOOR}.{env.host_suffix}",
            "Content-Type": "application/json",
            CELL_HEADER: str(self._cell),
            TIME_HEADER: stamp,
            NONCE_HEADER: nonce,
            SIGNATURE_HEADER: encode_signature(sign(key, digest, Algorithm.ECDSA_P256_SHA256)),
        }
