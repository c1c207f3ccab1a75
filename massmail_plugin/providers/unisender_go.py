"""Unisender Go's webhooks: events grouped by user, signed with MD5 in the body. The register enters; no commits."""

import hashlib
import json
import re
from typing import Any

from massmail_plugin.contracts import EventRequest, ProviderEvent
from massmail_plugin.errors import RequestRefused
from massmail_plugin.providers.payloads import (
    MOST_EVENTS,
    first,
    json_body,
    mapping,
    moment,
    objects,
    possible_tokens,
    rows_in,
    text,
)
from massmail_plugin.providers.signatures import any_same, keys, refuse
from massmail_plugin.providers.verdicts import verdict
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import EventWord

WORDS = {
    "sent": EventWord.SENT,
    "delivered": EventWord.DELIVERED,
    "soft_bounced": EventWord.BOUNCE,
    "hard_bounced": EventWord.BOUNCE,
    "opened": EventWord.OPEN,
    "clicked": EventWord.CLICK,
    "unsubscribed": EventWord.UNSUBSCRIBE,
    "subscribed": EventWord.SUBSCRIBE,
    "spam": EventWord.COMPLAINT,
}
_DEAD = ("err_user_unknown", "err_user_inactive", "err_domain_inactive", "err_mailbox_discarded")
_OTHER = {"err_mailbox_full": Meaning.FULL, "err_spam_rejected": Meaning.BLOCKED, "err_too_large": Meaning.MESSAGE}
_MAIL = "transactional_email_status"
_MD5 = re.compile(r"[0-9a-f]{32}")


class UnisenderGoEvents:
    """Settings, Webhooks in Unisender Go. Events may come for the whole account or for one project."""

    name = "unisender_go"
    label = "Unisender Go"
    secret_label = "API key"
    secret_help = "The API key of the account, or of the project whose events come here."

    def check(self, request: EventRequest, secret: str) -> None:
        """The MD5 of the body with the key in place of "auth"; as `contracts.EventReader.check`."""
        body = json_body(request)
        given = text(mapping(body).get("auth"))
        quoted = f'"{given}"'.encode()
        if not _MD5.fullmatch(given) or request.body.count(quoted) != 1:
            refuse("The signature is missing.")
        known = [request.body.replace(quoted, json.dumps(key).encode()) for key in keys(secret)]
        if not any_same(given, [hashlib.md5(one, usedforsecurity=False).hexdigest() for one in known]):
            refuse("The signature is wrong.")

    def read(self, request: EventRequest) -> list[ProviderEvent]:
        """As `contracts.EventReader.read`."""
        return [_event(row) for row in _rows(mapping(json_body(request)))]

    def token_header(self, token: str) -> tuple[str, str]:
        """As `contracts.EventReader.token_header`."""
        return "X-UNISENDER-GO", json.dumps({"global_metadata": {"massmail": token}})


def _rows(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The events of all users; the older form has a single one, without an envelope."""
    if text(body.get("event_name")) == _MAIL:
        return [mapping(body.get("event_data")) or body]
    if "events_by_user" not in body:
        raise RequestRefused(400, "The body has no events_by_user.")
    named = [one for user in objects(body["events_by_user"]) for one in rows_in(user.get("events"))]
    if len(named) > MOST_EVENTS:
        raise RequestRefused(413, f"One request may hold {MOST_EVENTS:,} events; this one holds more.")
    return [mapping(one.get("event_data")) for one in objects(named) if text(one.get("event_name")) == _MAIL]


def _event(row: dict[str, Any]) -> ProviderEvent:
    name, info = text(row.get("status")), mapping(row.get("delivery_info"))
    permanent = {"hard_bounced": True, "soft_bounced": False}.get(name)
    reply, code = text(info.get("destination_response")), text(info.get("delivery_status"))
    return ProviderEvent(
        word=WORDS.get(name, EventWord.UNKNOWN),
        recipient=text(row.get("email")) or None,
        message_id=text(row.get("job_id")) or None,
        at=moment(row.get("event_time")),
        permanent=permanent,
        meaning=None if permanent is None else _meaning(permanent, code, reply),
        reply=reply,
        detail=first(row.get("comment"), code),
        url=text(row.get("url")),
        user_agent=text(info.get("user_agent")),
        tokens=possible_tokens(row),
    )


def _meaning(permanent: bool, code: str, reply: str) -> Meaning:
    if permanent and code in _DEAD:
        return Meaning.HARD
    return _OTHER.get(code) or verdict(permanent, reply)
