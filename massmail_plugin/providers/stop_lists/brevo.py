"""Brevo's blocked contacts of transactional mail. The register enters; nothing is kept here."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from massmail_plugin.providers.payloads import first, mapping, rows_in, text
from massmail_plugin.providers.stop_lists.listed import ListAccount, Listed
from massmail_plugin.providers.stop_lists.web import Web, escaped
from massmail_plugin.vocabulary import SuppressionReason

PAGE = 100
_REASONS: Mapping[str, SuppressionReason] = {
    "hardBounce": SuppressionReason.HARD_BOUNCE,
    "contactFlaggedAsSpam": SuppressionReason.COMPLAINT,
    "unsubscribedViaMA": SuppressionReason.OPT_OUT,
    "unsubscribedViaEmail": SuppressionReason.OPT_OUT,
    "unsubscribedViaApi": SuppressionReason.OPT_OUT,
}


class BrevoList:
    """The account names the From address whose mails are stopped; Brevo blocks by sender."""

    name = "brevo"
    account_label = "From address"
    account_help = "The address your mailings come from; Brevo blocks by sender."
    most = 100

    def __init__(self, root: str = "https://api.brevo.com") -> None:
        self._web = Web(root)

    def read(self, where: ListAccount, since: datetime | None) -> Iterator[list[Listed]]:
        """As `StopList.read`."""
        days = {"startDate": (since - timedelta(days=1)).date().isoformat()} if since else {}
        offset = 0
        while True:
            query = {"limit": PAGE, "offset": offset, **days}
            found = mapping(self._call(where, "GET", "/v3/smtp/blockedContacts", query=query))
            rows = [mapping(row) for row in rows_in(found.get("contacts"))]
            yield [_listed(row) for row in rows if _concerns(row, where)]
            if len(rows) < PAGE:
                return
            offset += PAGE

    def add(self, where: ListAccount, addresses: Sequence[str]) -> None:
        """As `StopList.add`."""
        for address in addresses:
            body = {"email": address, "emailBlacklisted": True, "updateEnabled": True}
            senders = {"smtpBlacklistSender": [where.place]} if where.place else {}
            self._call(where, "POST", "/v3/contacts", body={**body, **senders})

    def remove(self, where: ListAccount, addresses: Sequence[str]) -> None:
        """As `StopList.remove`."""
        for address in addresses:
            self._call(where, "DELETE", f"/v3/smtp/blockedContacts/{escaped(address)}", absent=True)

    def _call(self, where: ListAccount, method: str, path: str, **more: Any) -> Any:
        return self._web.call(method, path, {"api-key": where.api_key}, **more)


def _concerns(row: dict[str, Any], where: ListAccount) -> bool:
    """Whether an entry is about our sender, or about all."""
    sender = text(row.get("senderEmail")).lower()
    return not sender or not where.place or sender == where.place.lower()


def _listed(row: dict[str, Any]) -> Listed:
    reason = mapping(row.get("reason"))
    code = text(reason.get("code"))
    known = _REASONS.get(code, SuppressionReason.BY_PROVIDER)
    return Listed(text(row.get("email")), known, first(reason.get("message"), code))
