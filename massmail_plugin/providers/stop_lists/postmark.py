"""Postmark's suppressions of a message stream. The register enters; nothing is kept here."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from massmail_plugin.providers.payloads import mapping, rows_in, text
from massmail_plugin.providers.stop_lists.listed import ListAccount, Listed
from massmail_plugin.providers.stop_lists.web import Web, escaped
from massmail_plugin.vocabulary import SuppressionReason

_REASONS: Mapping[str, SuppressionReason] = {
    "HardBounce": SuppressionReason.HARD_BOUNCE,
    "SpamComplaint": SuppressionReason.COMPLAINT,
    "ManualSuppression": SuppressionReason.OPT_OUT,
}


class PostmarkList:
    """The account names a message stream: transactional mail goes through another one and is not stopped."""

    name = "postmark"
    account_label = "Message stream"
    account_help = "Its id, such as broadcast."
    most = 50

    def __init__(self, root: str = "https://api.postmarkapp.com") -> None:
        self._web = Web(root)

    def read(self, where: ListAccount, since: datetime | None) -> Iterator[list[Listed]]:
        """As `StopList.read`; Postmark tells days, in a time zone of its own."""
        start = (since - timedelta(days=1)).date().isoformat() if since else None
        found = mapping(self._call(where, "GET", "suppressions/dump", query={"fromdate": start}))
        rows = [mapping(row) for row in rows_in(found.get("Suppressions"))]
        yield [_listed(row) for row in rows]

    def add(self, where: ListAccount, addresses: Sequence[str]) -> None:
        """As `StopList.add`."""
        self._call(where, "POST", "suppressions", body=_body(addresses))

    def remove(self, where: ListAccount, addresses: Sequence[str]) -> None:
        """As `StopList.remove`. Postmark keeps those who complained."""
        self._call(where, "POST", "suppressions/delete", body=_body(addresses))

    def _call(self, where: ListAccount, method: str, path: str, **more: Any) -> Any:
        stream = escaped(where.place or "broadcast")
        headers = {"X-Postmark-Server-Token": where.api_key}
        return self._web.call(method, f"/message-streams/{stream}/{path}", headers, **more)


def _listed(row: dict[str, Any]) -> Listed:
    reason = text(row.get("SuppressionReason"))
    return Listed(text(row.get("EmailAddress")), _REASONS.get(reason, SuppressionReason.BY_PROVIDER), reason)


def _body(addresses: Sequence[str]) -> dict[str, Any]:
    return {"Suppressions": [{"EmailAddress": address} for address in addresses]}
