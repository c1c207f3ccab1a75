"""SendGrid's suppressions: bounces, invalid addresses, spam reports, and unsubscriptions. The register enters."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from massmail_plugin.providers.payloads import first, mapping, rows_in, text
from massmail_plugin.providers.stop_lists.listed import ListAccount, Listed
from massmail_plugin.providers.stop_lists.web import Web, escaped
from massmail_plugin.vocabulary import SuppressionReason

PAGE = 500
_KINDS: Mapping[str, SuppressionReason] = {
    "bounces": SuppressionReason.HARD_BOUNCE,
    "invalid_emails": SuppressionReason.HARD_BOUNCE,
    "spam_reports": SuppressionReason.COMPLAINT,
    "unsubscribes": SuppressionReason.OPT_OUT,
}


class SendGridList:
    """The account names an unsubscribe group, or nothing for the global list, which stops transactional mail too."""

    name = "sendgrid"
    account_label = "Unsubscribe group"
    account_help = "Its number. Empty means everything, transactional mail included. Begin with eu: for SendGrid EU."
    most = 1_000

    def __init__(self, root: str = "https://api.sendgrid.com", europe: str = "https://api.eu.sendgrid.com") -> None:
        self._web = {False: Web(root), True: Web(europe)}

    def read(self, where: ListAccount, since: datetime | None) -> Iterator[list[Listed]]:
        """As `StopList.read`."""
        for kind, reason in _KINDS.items():
            yield from self._pages(where, kind, reason, since)
        if where.place:
            found = self._call(where, "GET", self._group(where))
            yield [Listed(text(one), SuppressionReason.OPT_OUT, "unsubscribed") for one in rows_in(found)]

    def add(self, where: ListAccount, addresses: Sequence[str]) -> None:
        """As `StopList.add`."""
        self._call(where, "POST", self._group(where), body={"recipient_emails": list(addresses)})

    def remove(self, where: ListAccount, addresses: Sequence[str]) -> None:
        """As `StopList.remove`."""
        for address in addresses:
            self._call(where, "DELETE", f"{self._group(where)}/{escaped(address)}", absent=True)
        for kind in ("bounces", "invalid_emails", "spam_reports"):
            self._call(where, "DELETE", f"/v3/suppression/{kind}", body={"emails": list(addresses)}, absent=True)

    def _pages(
        self, where: ListAccount, kind: str, reason: SuppressionReason, since: datetime | None
    ) -> Iterator[list[Listed]]:
        start, offset = int(since.timestamp()) if since else None, 0
        while True:
            query = {"limit": PAGE, "offset": offset, "start_time": start}
            rows = [mapping(row) for row in rows_in(self._call(where, "GET", f"/v3/suppression/{kind}", query=query))]
            yield [Listed(text(row.get("email")), reason, first(row.get("reason"), kind)) for row in rows]
            if len(rows) < PAGE:
                return
            offset += PAGE

    def _group(self, where: ListAccount) -> str:
        return f"/v3/asm/groups/{escaped(where.place)}/suppressions" if where.place else "/v3/asm/suppressions/global"

    def _call(self, where: ListAccount, method: str, path: str, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {where.api_key}"}
        return self._web[where.in_europe].call(method, path, headers, **more)
