"""Calls of a provider's web interface: JSON, checked TLS, no redirects, bounded in time and size. Lists enter."""

import json
from base64 import b64encode
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from massmail_plugin.errors import MassMailError, RequestRefused
from massmail_plugin.providers.payloads import json_value

PATIENCE = 20.0
LARGEST = 50_000_000


class ListFault(MassMailError):
    """A provider's list cannot be read or changed now; `str(error)` says why and what to do."""


class Web:
    """One provider's interface at `root`, such as https://api.example.com."""

    def __init__(self, root: str) -> None:
        parts = urlsplit(root)
        self._tls, self._host, self._path = parts.scheme == "https", parts.netloc, parts.path.rstrip("/")

    @property
    def host(self) -> str:
        return self._host

    def call(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        absent: bool = False,
    ) -> Any:
        """The JSON of a 2xx answer. Raises ListFault otherwise; `absent` lets 404 pass as None.

        A body that is bytes goes as it is.
        """
        content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        sent = {"Accept": "application/json", "Content-Type": "application/json", **headers}
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        target = self._path + path + (f"?{urlencode(asked)}" if asked else "")
        status, answer = self._answer(method, target, content, sent)
        if absent and status == 404:
            return None
        if status in (401, 403):
            raise ListFault(f"{self._host} does not accept the API key, or it may not do this ({status}).")
        if not 200 <= status < 300:
            raise ListFault(f"{self._host} answered {status} to {method} {path.partition('?')[0][:60]}.")
        return self._value(answer)

    def _answer(self, method: str, target: str, content: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = (HTTPSConnection if self._tls else HTTPConnection)(self._host, timeout=PATIENCE)
        try:
            connection.request(method, target, content, headers)
            response = connection.getresponse()
            answer = response.read(LARGEST + 1)
        except (OSError, HTTPException) as error:
            raise ListFault(f"{self._host} cannot be reached: {error or type(error).__name__}.") from error
        finally:
            connection.close()
        if len(answer) > LARGEST:
            raise ListFault(f"{self._host} answered with more than {LARGEST // 1_000_000} MB.")
        return response.status, answer

    def _value(self, answer: bytes) -> Any:
        try:
            return json_value(answer) if answer.strip() else {}
        except RequestRefused:
            return {}


def basic(user: str, password: str) -> dict[str, str]:
    """An Authorization header (RFC 7617)."""
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def escaped(part: str) -> str:
    """One part of a path, such as an address."""
    return quote(part, safe="")
