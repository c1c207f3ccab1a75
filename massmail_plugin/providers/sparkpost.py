"""SparkPost's event webhooks: batches of envelopes, proved by a password. The register enters; no commits."""

import json
from typing import Any

from massmail_plugin.contracts import EventRequest, ProviderEvent
from massmail_plugin.providers.payloads import first, json_body, mapping, moment, objects, possible_tokens, text
from massmail_plugin.providers.signatures import password
from massmail_plugin.providers.verdicts import verdict
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import EventWord

WORDS = {
    "injection": EventWord.QUEUED,
    "delivery": EventWord.DELIVERED,
    "delay": EventWord.DEFERRED,
    "bounce": EventWord.BOUNCE,
    "out_of_band": EventWord.BOUNCE,
    "policy_rejection": EventWord.REJECTED,
    "generation_rejection": EventWord.REJECTED,
    "generation_failure": EventWord.FAILED,
    "spam_complaint": EventWord.COMPLAINT,
    "open": EventWord.OPEN,
    "initial_open": EventWord.OPEN,
    "amp_open": EventWord.OPEN,
    "amp_initial_open": EventWord.OPEN,
    "click": EventWord.CLICK,
    "amp_click": EventWord.CLICK,
    "list_unsubscribe": EventWord.UNSUBSCRIBE,
    "link_unsubscribe": EventWord.UNSUBSCRIBE,
}
_NO_BOUNCES = {
    "60": EventWord.AUTOREPLY,
    "80": EventWord.SUBSCRIBE,
    "90": EventWord.UNSUBSCRIBE,
    "100": EventWord.AUTOREPLY,
}
"""Classes of bounces that are something else."""
_CLASSES = {
    "10": Meaning.HARD,
    "22": Meaning.FULL,
    "23": Meaning.MESSAGE,
    "25": Meaning.BLOCKED,
    "30": Meaning.HARD,
    **dict.fromkeys(("50", "51", "52", "53", "54"), Meaning.BLOCKED),
}
_PERMANENT = ("10", "25", "30", "50", "51", "52", "53", "54")


class SparkPostEvents:
    """Configuration, Webhooks in SparkPost. Its requests are not signed."""

    name = "sparkpost"
    label = "SparkPost"
    secret_label = "User and password"
    secret_help = "Choose both yourself, write them here as user:password and enter them as Basic Auth in SparkPost."

    def check(self, request: EventRequest, secret: str) -> None:
        """A user name and password, or a Bearer token; as `contracts.EventReader.check`."""
        password(request, secret)

    def read(self, request: EventRequest) -> list[ProviderEvent]:
        """As `contracts.EventReader.read`. The empty envelope with which an address is tried out has no event."""
        bodies = [body for row in objects(json_body(request)) for body in mapping(row.get("msys")).values()]
        return [_event(body) for body in bodies if isinstance(body, dict) and "type" in body]

    def token_header(self, token: str) -> tuple[str, str]:
        """As `contracts.EventReader.token_header`."""
        return "X-MSYS-API", json.dumps({"metadata": {"massmail": token}})


def _event(row: dict[str, Any]) -> ProviderEvent:
    name, kind = text(row.get("type")), text(row.get("bounce_class"))
    word = WORDS.get(name, EventWord.UNKNOWN)
    word = _NO_BOUNCES.get(kind, word) if word is EventWord.BOUNCE else word
    permanent = _permanent(word, kind, text(row.get("error_code")))
    return ProviderEvent(
        word=word,
        recipient=first(row.get("raw_rcpt_to"), row.get("rcpt_to")) or None,
        message_id=first(row.get("transmission_id"), row.get("message_id")) or None,
        event_id=text(row.get("event_id")) or None,
        at=moment(row.get("timestamp")),
        permanent=permanent,
        meaning=_meaning(word, permanent, kind, row),
        reply=first(row.get("raw_reason"), row.get("reason")),
        detail=text(row.get("fbtype")),
        url=text(row.get("target_link_url")),
        user_agent=text(row.get("user_agent")),
        machine="proxy" if row.get("is_prefetched") is True else "",
        tokens=possible_tokens(row),
    )


def _permanent(word: EventWord, kind: str, code: str) -> bool | None:
    if word is EventWord.BOUNCE:
        return kind in _PERMANENT or (not kind and code.startswith("5"))
    return {EventWord.DEFERRED: False, EventWord.REJECTED: True, EventWord.FAILED: True}.get(word)


def _meaning(word: EventWord, permanent: bool | None, kind: str, row: dict[str, Any]) -> Meaning | None:
    """What its own classes leave open is told by the code."""
    if word is EventWord.BOUNCE:
        return _CLASSES.get(kind) or verdict(permanent, text(row.get("raw_reason")))
    if word is EventWord.DEFERRED:
        return verdict(False, text(row.get("raw_reason")))
    return {EventWord.REJECTED: Meaning.BLOCKED, EventWord.FAILED: Meaning.MESSAGE}.get(word)
