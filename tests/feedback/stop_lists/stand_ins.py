"""Stand-ins on loopback for the interfaces by which providers let their lists be read and changed.

They answer as each provider's documentation says, in pages of few rows; `lists` is what is on them.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from massmail_plugin.providers.stop_lists import StopList
from massmail_plugin.providers.stop_lists.brevo import BrevoList
from massmail_plugin.providers.stop_lists.mailgun import MailgunList
from massmail_plugin.providers.stop_lists.postmark import PostmarkList
from massmail_plugin.providers.stop_lists.sendgrid import SendGridList
from massmail_plugin.providers.stop_lists.ses import SesList

KEYS = {"ses": "AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG", "mailgun": "key-1", "brevo": "key-1"}
ACCOUNTS = {"ses": "eu-west-1", "mailgun": "mg.example.org", "brevo": "news@example.org", "postmark": "broadcast"}
Answer = tuple[int, Any]


@dataclass
class StandIn:
    """One provider: who is on its lists, by reason, and what it was asked."""

    provider: str
    lists: dict[str, dict[str, str]] = field(default_factory=lambda: {"bounce": {}, "complaint": {}, "opt_out": {}})
    asked: list[tuple[str, str]] = field(default_factory=list)
    failing: int = 0
    """Answer this status instead."""
    url: str = ""

    def everybody(self) -> set[str]:
        return {address for kind in self.lists.values() for address in kind}

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        path = [unquote(part) for part in parts.path.strip("/").split("/")]
        self.asked.append((method, parts.path))
        if self.failing:
            return self.failing, {"message": "no"}
        if not _ALLOWED[self.provider](headers):
            return 401, {"message": "who are you?"}
        return _ANSWERS[self.provider](self, method, path, query, json.loads(body) if body else None)

    def take_off(self, addresses: list[str], kinds: tuple[str, ...] = ("bounce", "complaint", "opt_out")) -> int:
        found = [one for one in addresses if any(one in self.lists[kind] for kind in kinds)]
        for address in addresses:
            for kind in kinds:
                self.lists[kind].pop(address, None)
        return 200 if found else 404


def _sendgrid(one: StandIn, method: str, path: list[str], query: dict[str, str], body: Any) -> Answer:
    kinds = {"bounces": "bounce", "spam_reports": "complaint", "unsubscribes": "opt_out", "invalid_emails": ""}
    if path[:2] == ["v3", "suppression"] and method == "GET":
        rows = [{"email": a, "reason": w, "created": 1} for a, w in one.lists.get(kinds[path[2]], {}).items()]
        start = int(query["offset"])
        return 200, rows[start : start + int(query["limit"])]
    if path[:2] == ["v3", "suppression"] and method == "DELETE":
        kind = kinds[path[2]]
        return (204 if kind and one.take_off(body["emails"], (kind,)) == 200 else 404), None
    if path == ["v3", "asm", "suppressions", "global"] and method == "POST":
        one.lists["opt_out"].update(dict.fromkeys(body["recipient_emails"], "asked"))
        return 201, body
    if path[:4] == ["v3", "asm", "suppressions", "global"] and method == "DELETE":
        return (204 if one.take_off(path[4:], ("opt_out",)) == 200 else 404), None
    return 404, None


def _mailgun(one: StandIn, method: str, path: list[str], query: dict[str, str], body: Any) -> Answer:
    kind = {"bounces": "bounce", "complaints": "complaint", "unsubscribes": "opt_out"}[path[2]]
    if path[1] != ACCOUNTS["mailgun"]:
        return 404, {"message": "Domain not found"}
    if method == "POST":
        one.lists[kind].update({row["address"]: "asked" for row in body})
        return 200, {"message": "4 addresses have been added"}
    if method == "DELETE":
        return one.take_off([path[3]], (kind,)), {}
    everybody = sorted(one.lists[kind])
    start = int(query.get("p", 0))
    rows = [{"address": a, "error": one.lists[kind][a], "code": "550"} for a in everybody[start : start + 2]]
    following = f"https://elsewhere.example/v3/{path[1]}/{path[2]}?limit=2&p={start + 2}"
    return 200, {"items": rows, "paging": {"next": following}}


def _postmark(one: StandIn, method: str, path: list[str], query: dict[str, str], body: Any) -> Answer:
    names = {"bounce": "HardBounce", "complaint": "SpamComplaint", "opt_out": "ManualSuppression"}
    if path[-1] == "dump":
        rows = [{"EmailAddress": a, "SuppressionReason": names[kind]} for kind in names for a in one.lists[kind]]
        return 200, {"Suppressions": rows}
    addresses = [row["EmailAddress"] for row in body["Suppressions"]]
    if len(addresses) > 50:
        return 422, {"Message": "too many"}
    if path[-1] == "delete":
        one.take_off(addresses)
    else:
        one.lists["opt_out"].update(dict.fromkeys(addresses, "asked"))
    return 200, {"Suppressions": [{"EmailAddress": a, "Status": "Suppressed", "Message": None} for a in addresses]}


def _brevo(one: StandIn, method: str, path: list[str], query: dict[str, str], body: Any) -> Answer:
    codes = {"bounce": "hardBounce", "complaint": "contactFlaggedAsSpam", "opt_out": "unsubscribedViaEmail"}
    if path[1:3] == ["smtp", "blockedContacts"] and method == "GET":
        rows = [
            {"email": a, "senderEmail": ACCOUNTS["brevo"], "reason": {"code": code, "message": ""}}
            for kind, code in codes.items()
            for a in one.lists[kind]
        ]
        start = int(query["offset"])
        return 200, {"count": len(rows), "contacts": rows[start : start + int(query["limit"])]}
    if path[1] == "contacts" and method == "POST":
        one.lists["opt_out"][body["email"]] = "asked"
        return 204 if body["smtpBlacklistSender"] == [ACCOUNTS["brevo"]] else 400, None
    return (204 if one.take_off([path[3]]) == 200 else 404), None


def _ses(one: StandIn, method: str, path: list[str], query: dict[str, str], body: Any) -> Answer:
    if method == "PUT":
        one.lists["complaint"][body["EmailAddress"]] = "asked"
        return 200, {}
    if method == "DELETE":
        return one.take_off([path[-1]]), {}
    everybody = [(a, "BOUNCE") for a in one.lists["bounce"]] + [(a, "COMPLAINT") for a in one.lists["complaint"]]
    start = int(query.get("NextToken", "0"))
    rows = [{"EmailAddress": a, "Reason": reason} for a, reason in everybody[start : start + 2]]
    following = {"NextToken": str(start + 2)} if start + 2 < len(everybody) else {}
    return 200, {"SuppressedDestinationSummaries": rows, **following}


_ANSWERS: dict[str, Callable[..., Answer]] = {
    "sendgrid": _sendgrid,
    "mailgun": _mailgun,
    "postmark": _postmark,
    "brevo": _brevo,
    "ses": _ses,
}
_ALLOWED: dict[str, Callable[[dict[str, str]], bool]] = {
    "sendgrid": lambda headers: headers.get("authorization") == "Bearer key-1",
    "mailgun": lambda headers: headers.get("authorization") == "Basic YXBpOmtleS0x",
    "postmark": lambda headers: headers.get("x-postmark-server-token") == "key-1",
    "brevo": lambda headers: headers.get("api-key") == "key-1",
    "ses": lambda headers: headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"),
}


def stop_list(one: StandIn) -> StopList:
    """The provider's list as we know it, at the stand-in's address."""
    made: dict[str, Callable[[], StopList]] = {
        "sendgrid": lambda: SendGridList(one.url, one.url),
        "mailgun": lambda: MailgunList(one.url, one.url),
        "postmark": lambda: PostmarkList(one.url),
        "brevo": lambda: BrevoList(one.url),
        "ses": lambda: SesList(one.url),
    }
    return made[one.provider]()


@contextmanager
def standing_in(provider: str) -> Iterator[StandIn]:
    """A provider that listens on loopback."""
    one = StandIn(provider)

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, value = one.answer(self.command, self.path, headers, body)
            content = b"" if value is None else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = handle_any

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    one.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield one
    finally:
        server.shutdown()
        server.server_close()
