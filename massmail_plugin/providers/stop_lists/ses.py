"""Amazon SES's suppression list of an account (API version 2), with requests signed by AWS Signature Version 4."""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from massmail_plugin.providers.payloads import mapping, rows_in, text
from massmail_plugin.providers.stop_lists.listed import ListAccount, Listed
from massmail_plugin.providers.stop_lists.web import ListFault, Web, escaped
from massmail_plugin.vocabulary import SuppressionReason

_REASONS: Mapping[str, SuppressionReason] = {
    "BOUNCE": SuppressionReason.HARD_BOUNCE,
    "COMPLAINT": SuppressionReason.COMPLAINT,
}
_PATH = "/v2/email/suppression/addresses"
MOST_PAGES = 10_000


class SesList:
    """The account names the region. SES knows no opt-outs: they are listed as complaints, transactional mail too."""

    name = "ses"
    account_label = "Region"
    account_help = "Such as eu-west-1. The key is ACCESS_KEY_ID:SECRET_ACCESS_KEY of a user who may change the list."
    most = 50

    def __init__(self, root: str = "https://email.{region}.amazonaws.com") -> None:
        self._root = root

    def read(self, where: ListAccount, since: datetime | None) -> Iterator[list[Listed]]:
        """As `StopList.read`."""
        query = {"PageSize": "1000", **({"StartDate": str(int(since.timestamp()))} if since else {})}
        following = ""
        for _ in range(MOST_PAGES):
            page = mapping(
                self._call(where, "GET", _PATH, {**query, **({"NextToken": following} if following else {})})
            )
            rows = [mapping(row) for row in rows_in(page.get("SuppressedDestinationSummaries"))]
            yield [_listed(row) for row in rows]
            following = text(page.get("NextToken"))
            if not following:
                return

    def add(self, where: ListAccount, addresses: Sequence[str]) -> None:
        """As `StopList.add`."""
        for address in addresses:
            self._call(where, "PUT", _PATH, body={"EmailAddress": address, "Reason": "COMPLAINT"})

    def remove(self, where: ListAccount, addresses: Sequence[str]) -> None:
        """As `StopList.remove`."""
        for address in addresses:
            self._call(where, "DELETE", f"{_PATH}/{escaped(address)}", absent=True)

    def _call(
        self,
        where: ListAccount,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: dict[str, str] | None = None,
        absent: bool = False,
    ) -> Any:
        user, colon, key = where.api_key.partition(":")
        if not colon or not where.place.replace("-", "").isalnum():
            raise ListFault("SES needs the region, and a key written as ACCESS_KEY_ID:SECRET_ACCESS_KEY.")
        web = Web(self._root.format(region=where.place))
        content = json.dumps(body).encode() if body else b""
        asked = dict(sorted((query or {}).items()))
        request = Unsigned(method, web.host, path, asked, content, where.clock())
        headers = signature_4(request, where.place, "ses", user, key)
        return web.call(method, path, headers, query=asked, body=content or None, absent=absent)


def _listed(row: dict[str, Any]) -> Listed:
    reason = text(row.get("Reason"))
    return Listed(text(row.get("EmailAddress")), _REASONS.get(reason, SuppressionReason.BY_PROVIDER), reason.lower())


class Unsigned(NamedTuple):
    """A request that is to be signed; the path as it goes over the line, the query sorted."""

    method: str
    host: str
    path: str
    query: Mapping[str, str]
    body: bytes
    at: datetime


def signature_4(request: Unsigned, region: str, service: str, user: str, key: str) -> dict[str, str]:
    """The headers of AWS Signature Version 4."""
    stamp, day = request.at.strftime("%Y%m%dT%H%M%SZ"), request.at.strftime("%Y%m%d")
    scope = f"{day}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(_canonical(request, stamp).encode()).hexdigest()
    seal = f"AWS4{key}".encode()
    for part in (day, region, service, "aws4_request"):
        seal = hmac.new(seal, part.encode(), "sha256").digest()
    signature = hmac.new(seal, f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}".encode(), "sha256").hexdigest()
    credential = f"AWS4-HMAC-SHA256 Credential={user}/{scope}, SignedHeaders={_NAMES}, Signature={signature}"
    return {"X-Amz-Date": stamp, "Authorization": credential}


_NAMES = "host;x-amz-date"


def _canonical(request: Unsigned, stamp: str) -> str:
    asked = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in request.query.items())
    headers = f"host:{request.host}\nx-amz-date:{stamp}\n"
    payload = hashlib.sha256(request.body).hexdigest()
    return "\n".join((request.method, quote(request.path, safe="/"), asked, headers, _NAMES, payload))
