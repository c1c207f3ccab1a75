"""Mailchimp Transactional (Mandrill): batches in a form, signed with the address. The register enters; no commits."""

import json
from base64 import b64encode
from typing import Any

from massmail_plugin.contracts import EventRequest, ProviderEvent
from massmail_plugin.errors import RequestRefused
from massmail_plugin.providers.payloads import (
    first,
    form_body,
    json_value,
    mapping,
    moment,
    objects,
    possible_tokens,
    rows_in,
    text,
)
from massmail_plugin.providers.signatures import any_same, hmac_of, keys, refuse
from massmail_plugin.providers.verdicts import verdict
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import EventWord

WORDS = {
    "send": EventWord.SENT,
    "delivered": EventWord.DELIVERED,
    "deferral": EventWord.DEFERRED,
    "hard_bounce": EventWord.BOUNCE,
    "soft_bounce": EventWord.BOUNCE,
    "reject": EventWord.REJECTED,
    "open": EventWord.OPEN,
    "click": EventWord.CLICK,
    "spam": EventWord.COMPLAINT,
    "unsub": EventWord.UNSUBSCRIBE,
}
_PERMANENT = {"hard_bounce": True, "reject": True, "soft_bounce": False, "deferral": False}


class MandrillEvents:
    """Settings, Webhooks in Mandrill."""

    name = "mandrill"
    label = "Mandrill (Mailchimp Transactional)"
    secret_label = "Webhook key"
    secret_help = "In Mandrill: Settings, Webhooks. Each webhook shows its key."

    def check(self, request: EventRequest, secret: str) -> None:
        """HMAC-SHA1 over the address and the form's fields; as `contracts.EventReader.check`."""
        given = request.headers.get("x-mandrill-signature", "").strip()
        if not given:
            refuse("The signature is missing.")
        fields = form_body(request).to_dict()
        signed = request.url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
        octets = signed.encode("utf-8", "replace")
        if not any_same(given, [b64encode(hmac_of(key.encode(), octets, "sha1")).decode() for key in keys(secret)]):
            refuse("The signature is wrong.")

    def read(self, request: EventRequest) -> list[ProviderEvent]:
        """As `contracts.EventReader.read`. Mails that came in are no events here."""
        written = form_body(request).get("mandrill_events")
        if written is None:
            raise RequestRefused(400, "The form has no field mandrill_events.")
        return [_event(row) for row in objects(json_value(written)) if row.get("event") != "inbound"]

    def token_header(self, token: str) -> tuple[str, str]:
        """As `contracts.EventReader.token_header`."""
        return "X-MC-Metadata", json.dumps({"massmail": token})


def _event(row: dict[str, Any]) -> ProviderEvent:
    name, mail = text(row.get("event")), mapping(row.get("msg"))
    permanent = _PERMANENT.get(name)
    reply = first(mail.get("diag"), _last_reply(mail), mail.get("bounce_description"))
    return ProviderEvent(
        word=WORDS.get(name, EventWord.UNKNOWN),
        recipient=first(mail.get("email"), mapping(row.get("reject")).get("email")) or None,
        message_id=first(mail.get("_id"), row.get("_id")) or None,
        at=moment(row.get("ts")),
        permanent=permanent,
        meaning=_meaning(name, permanent, reply),
        reply=reply,
        detail=first(mail.get("bounce_description"), mail.get("reject")),
        url=text(row.get("url")),
        user_agent=text(row.get("user_agent")),
        tokens=possible_tokens(mail),
    )


def _last_reply(mail: dict[str, Any]) -> str:
    tries = [one for one in rows_in(mail.get("smtp_events")) if isinstance(one, dict)]
    return text(tries[-1].get("diag")) if tries else ""


def _meaning(name: str, permanent: bool | None, reply: str) -> Meaning | None:
    if name == "reject":
        return Meaning.BLOCKED
    return None if permanent is None else verdict(permanent, reply)
