"""Mailgun's suppressions of a domain: bounces, complaints, unsubscriptions. The register enters."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from massmail_plugin.providers.payloads import first, mapping, rows_in, text
from massmail_plugin.providers.stop_lists.listed import ListAccount, Listed
from massmail_plugin.providers.stop_lists.web import Web, basic, escaped
from massmail_plugin.vocabulary import SuppressionReason

_KINDS: Mapping[str, SuppressionReason] = {
    "bounces": SuppressionReason.HARD_BOUNCE,
    "complaints": SuppressionReason.COMPLAINT,
    "unsubscribes": SuppressionReason.OPT_OUT,
}
MOST_PAGES = 10_000


class MailgunList:
    """The account names the sending domain."""

    name = "mailgun"
    account_label = "Sending domain"
    account_help = "Such as mg.example.org; eu:mg.example.org for Mailgun EU."
    most = 1_000

    def __init__(self, root: str = "https://api.mailgun.net", europe: str = "https://api.eu.mailgun.net") -> None:
        self._web = {False: Web(root), True: Web(europe)}

    def read(self, where: ListAccount, since: datetime | None) -> Iterator[list[Listed]]:
        """As `StopList.read`; always all of it."""
        for kind, reason in _KINDS.items():
            yield from self._pages(where, kind, reason)

    def add(self, where: ListAccount, addresses: Sequence[str]) -> None:
        """As `StopList.add`."""
        rows = [{"address": address, "tags": ["*"]} for address in addresses]
        self._call(where, "POST", self._path(where, "unsubscribes"), body=rows)

    def remove(self, where: ListAccount, addresses: Sequence[str]) -> None:
        """As `StopList.remove`."""
        for address in addresses:
            for kind in _KINDS:
                self._call(where, "DELETE", f"{self._path(where, kind)}/{escaped(address)}", absent=True)

    def _pages(self, where: ListAccount, kind: str, reason: SuppressionReason) -> Iterator[list[Listed]]:
        path = f"{self._path(where, kind)}?limit=1000"
        for _ in range(MOST_PAGES):
            page = mapping(self._call(where, "GET", path))
            rows = [mapping(row) for row in rows_in(page.get("items"))]
            yield [Listed(text(row.get("address")), reason, first(row.get("error"), kind)) for row in rows]
            path = self._next(page, path)
            if not rows or not path:
                return

    def _next(self, page: dict[str, Any], before: str) -> str:
        """The path of the next page; never another host, whatever the answer names."""
        parts = urlsplit(text(mapping(page.get("paging")).get("next")))
        following = f"{parts.path}?{parts.query}" if parts.path.startswith("/") else ""
        return "" if following == before else following

    def _path(self, where: ListAccount, kind: str) -> str:
        return f"/v3/{escaped(where.place)}/{kind}"

    def _call(self, where: ListAccount, method: str, path: str, **more: Any) -> Any:
        return self._web[where.in_europe].call(method, path, basic("api", where.api_key), **more)
