"""A format of our own for providers that are not listed: plain JSON events, signed as Standard Webhooks says.

The register enters; nothing is committed.
"""

from typing import Any

from massmail_plugin.contracts import EventRequest, ProviderEvent
from massmail_plugin.providers.payloads import json_body, moment, number_or_text, objects, possible_tokens, text
from massmail_plugin.providers.standard_webhooks import check_standard
from massmail_plugin.providers.verdicts import verdict
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import EventWord

_FAILURES = (EventWord.BOUNCE, EventWord.REJECTED, EventWord.FAILED, EventWord.DEFERRED)
_CLASSES = {"permanent": True, "temporary": False}


class SignedJsonEvents:
    """`{"events": [{"event": ..., "recipient": ..., "token": ...}]}`, a list of such events, or a single one."""

    name = "signed_json"
    label = "Other (signed JSON)"
    secret_label = "Signing secret"
    secret_help = "Whoever posts events signs them with it, as Standard Webhooks says. It may begin with whsec_."

    def check(self, request: EventRequest, secret: str) -> None:
        """HMAC-SHA256 over id, time and body; as `contracts.EventReader.check`."""
        check_standard(request, secret, "webhook", "svix")

    def read(self, request: EventRequest) -> list[ProviderEvent]:
        """As `contracts.EventReader.read`."""
        body = json_body(request)
        rows = objects(body["events"] if isinstance(body, dict) and "events" in body else body)
        return [event_of(row) for row in rows]

    def token_header(self, token: str) -> tuple[str, str]:
        """As `contracts.EventReader.token_header`."""
        return "X-Massmail-Token", token


def event_of(row: dict[str, Any]) -> ProviderEvent:
    """One event from fields named as `flask massmail webhooks read --json` prints them; others are left out."""
    word = _word(row.get("event"))
    permanent = _CLASSES.get(text(row.get("class"))) if word in _FAILURES else None
    reply = text(row.get("reply"))
    return ProviderEvent(
        word=word,
        recipient=text(row.get("recipient")) or None,
        message_id=number_or_text(row.get("provider_message_id")),
        event_id=text(row.get("event_id")) or None,
        at=moment(row.get("timestamp")),
        permanent=permanent,
        meaning=_meaning(word, permanent, text(row.get("meaning")), reply),
        reply=reply,
        detail=text(row.get("detail")),
        url=text(row.get("url")),
        user_agent=text(row.get("user_agent")),
        tokens=possible_tokens(row),
    )


def _word(value: Any) -> EventWord:
    name = text(value).lower()
    return EventWord(name) if name in list(EventWord) else EventWord.UNKNOWN


def _meaning(word: EventWord, permanent: bool | None, said: str, reply: str) -> Meaning | None:
    if word not in _FAILURES:
        return None
    return Meaning(said) if said in list(Meaning) else verdict(permanent, reply)
