"""Speaks to Vault for one process: signs in by AppRole, keeps connections, says every failure in one sentence."""

from __future__ import annotations

import enum
import logging
import os
import threading
import time
from collections.abc import Mapping
from typing import Any

import hvac
import requests
from django.utils.translation import gettext as _
from hvac import exceptions as refusals
from requests.adapters import HTTPAdapter

from saas.core.errors import Unavailable
from saas.core.metrics import timed

logger = logging.getLogger(__name__)
_CONNECT_SECONDS = 3.0
_READ_SECONDS = 15.0
_CONNECTIONS = 16
# Renewed once two thirds of the token's life are over, so a slow call never meets its end.
_RENEW_AT = 2 / 3


class Health(enum.StrEnum):
    """What Vault says of itself."""

    READY = "ready"
    SEALED = "sealed"
    UNREACHABLE = "unreachable"


class KeyMissing(Exception):
    """Vault holds no such key, or the input does not belong to it; the caller says what that means."""


class VaultClient:
    """One process's session with Vault; safe for threads.

    Args:
        address: ``http(s)://host:port``.
        role_id: the AppRole's id.
        secret_id: its secret.

    Neither ids nor tokens nor Vault's answers reach a log or an exception's text.
    """

    def __init__(self, *, address: str, role_id: str, secret_id: str) -> None:
        self._role_id = role_id
        self._secret_id = secret_id
        self._lock = threading.Lock()
        self._renew_after = 0.0
        self._expires = 0.0
        session = requests.Session()
        # Proxies named in the environment are for the internet, not for keys.
        session.trust_env = False
        session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=_CONNECTIONS))
        session.mount("https://", HTTPAdapter(pool_connections=1, pool_maxsize=_CONNECTIONS))
        self._session = session
        self._vault = hvac.Client(url=address, session=session, timeout=(_CONNECT_SECONDS, _READ_SECONDS))

    def __repr__(self) -> str:
        return "VaultClient(…)"

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Call Vault and return its ``data``.

        Args:
            method: ``get``, ``post``, ``delete`` or ``list``.
            path: below ``/v1/``.
            body: JSON parameters.

        Raises:
            KeyMissing: Vault answered 400 or 404: no such key, or an input made under another one.
            Unavailable: Vault is sealed, away or refuses this process.
        """
        operation = path.split("/")[1] if "/" in path else path
        with timed("vault", operation):
            return self._with_token(method, path, body)

    def health(self) -> Health:
        """Ask Vault how it is; needs no token and never raises."""
        try:
            response = self._session.get(
                f"{self._vault.url}/v1/sys/health",
                params={"standbyok": "true"},
                timeout=(_CONNECT_SECONDS, _READ_SECONDS),
            )
        except requests.RequestException:
            return Health.UNREACHABLE
        if response.status_code == requests.codes.ok:
            return Health.READY
        return Health.SEALED if response.status_code in {501, 503} else Health.UNREACHABLE

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def _with_token(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        token = self._token()
        try:
            return self._answer(method, path, body)
        except refusals.Forbidden:
            # The token may have been revoked or lost with a restored Vault: one new sign-in tells.
            self._sign_in(instead_of=token)
        try:
            return self._answer(method, path, body)
        except refusals.Forbidden:
            logger.error("vault refused this process", extra={"path": path})
            raise _refused() from None

    def _answer(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        try:
            answer = self._request(method, path, body)
        except (refusals.InvalidRequest, refusals.InvalidPath):
            raise KeyMissing(path) from None
        data = answer.get("data") if isinstance(answer, dict) else None
        return data if isinstance(data, dict) else {}

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        """One request, repeated once when the connection (not Vault) failed: each call here may safely run twice."""
        for attempt in (1, 2):
            try:
                return self._vault.adapter.request(method, f"/v1/{path}", json=dict(body) if body is not None else None)
            except requests.ConnectionError:
                if attempt == 2:
                    logger.warning("vault is unreachable", extra={"path": path})
                    raise unreachable() from None
            except requests.RequestException:
                logger.warning("vault does not answer in time", extra={"path": path})
                raise unreachable() from None
            except refusals.VaultDown:
                logger.warning("vault is sealed", extra={"path": path})
                raise sealed() from None
            except (refusals.Forbidden, refusals.InvalidRequest, refusals.InvalidPath):
                raise
            except refusals.VaultError as error:
                logger.warning("vault failed", extra={"path": path, "kind": type(error).__name__})
                raise unreachable() from None
        raise AssertionError("unreachable")

    def _token(self) -> str:
        now = time.monotonic()
        if now < self._renew_after:
            return str(self._vault.token)
        with self._lock:
            if time.monotonic() < self._renew_after:
                return str(self._vault.token)
            if time.monotonic() < self._expires and self._renewed():
                return str(self._vault.token)
            self._fresh_token()
            return str(self._vault.token)

    def _sign_in(self, *, instead_of: str) -> None:
        with self._lock:
            # Another thread may have signed in already while this one waited.
            if self._vault.token == instead_of:
                self._fresh_token()

    def _renewed(self) -> bool:
        try:
            answer = self._request("post", "auth/token/renew-self", {})
        except (refusals.VaultError, Unavailable):
            return False
        return self._keep(answer)

    def _fresh_token(self) -> None:
        body = {"role_id": self._role_id, "secret_id": self._secret_id}
        try:
            answer = self._request("post", "auth/approle/login", body)
        except refusals.VaultError:
            logger.error("vault does not accept this process's role")
            raise _refused() from None
        if not self._keep(answer):
            raise unreachable()

    def _keep(self, answer: Any) -> bool:
        auth = answer.get("auth") if isinstance(answer, dict) else None
        if not auth:
            return False
        life = float(auth["lease_duration"])
        now = time.monotonic()
        self._vault.token = auth["client_token"]
        self._renew_after, self._expires = now + life * _RENEW_AT, now + life
        return True


def sealed() -> Unavailable:
    """What every act answers while Vault is sealed."""
    message = _("密钥服务已封存，暂时不能办理此事；没有做任何改动。请联系系统管理员解封。")
    return Unavailable(message, code="keys.sealed")


def unreachable() -> Unavailable:
    """What every act answers while Vault is away."""
    message = _("密钥服务暂时连不上，没有做任何改动。请稍后再试；如持续出现，请联系系统管理员。")
    return Unavailable(message, code="keys.unreachable")


def _refused() -> Unavailable:
    message = _("密钥服务拒绝了本系统的请求，没有做任何改动。请联系系统管理员。")
    return Unavailable(message, code="keys.refused")


_clients: dict[int, VaultClient] = {}
_clients_lock = threading.Lock()


def client() -> VaultClient:
    """This process's client; a forked child gets a connection of its own."""
    pid = os.getpid()
    found = _clients.get(pid)
    if found is not None:
        return found
    from saas.env import env

    with _clients_lock:
        if pid not in _clients:
            _clients.clear()
            _clients[pid] = VaultClient(
                address=env.vault_addr, role_id=env.vault_role_id, secret_id=env.vault_secret_id
            )
        return _clients[pid]
