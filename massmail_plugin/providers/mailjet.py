"""Mailjet's Event API: events alone or grouped, proved by a password. The register enters; nothing is committed."""

from typing import Any

from massmail_plugin.contracts import EventRequest, ProviderEvent
from massmail_plugin.providers.payloads import first, json_body, moment, objects, possible_tokens, text
from massmail_plugin.providers.signatures import password
from massmail_plugin.providers.verdicts import verdict
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import EventWord

WORDS = {
    "sent": EventWord.DELIVERED,
    "open": EventWord.OPEN,
    "click": EventWord.CLICK,
    "bounce": EventWord.BOUNCE,
    "blocked": EventWord.REJECTED,
    "spam": EventWord.COMPLAINT,
    "unsub": EventWord.UNSUBSCRIBE,
}
_ERRORS = {
    "user unknown": Meaning.HARD,
    "mailbox inactive": Meaning.HARD,
    "quota exceeded": Meaning.FULL,
    "no mail host": Meaning.HARD,
    "invalid domain": Meaning.HARD,
    "relay/access denied": Meaning.BLOCKED,
    "greylisted": Meaning.SOFT,
    "typofix": Meaning.HARD,
    "bad or empty template": Meaning.MESSAGE,
    "error in template language": Meaning.MESSAGE,
    "content blocked": Meaning.MESSAGE,
}


class MailjetEvents:
    """Account settings, Event notifications in Mailjet. "sent" means that the receiving server took the mail."""

    name = "mailjet"
    label = "Mailjet"
    secret_label = "User and password"
    secret_help = "Choose both yourself, write them here as user:password and put them into the address in Mailjet."

    def check(self, request: EventRequest, secret: str) -> None:
        """A user name and password, or a Bearer token; as `contracts.EventReader.check`."""
        password(request, secret)

    def read(self, request: EventRequest) -> list[ProviderEvent]:
        """As `contracts.EventReader.read`."""
        return [_event(row) for row in objects(json_body(request))]

    def token_header(self, token: str) -> tuple[str, str]:
        """As `contracts.EventReader.token_header`."""
        return "X-MJ-CustomID", token


def _event(row: dict[str, Any]) -> ProviderEvent:
    word = WORDS.get(text(row.get("event")), EventWord.UNKNOWN)
    permanent = _permanent(word, row)
    return ProviderEvent(
        word=word,
        recipient=text(row.get("email")) or None,
        message_id=first(row.get("MessageID"), row.get("mj_message_id")) or None,
        at=moment(row.get("time")),
        permanent=permanent,
        meaning=_meaning(word, permanent, row),
        reply=first(row.get("smtp_reply"), row.get("comment")),
        detail=": ".join(filter(None, (text(row.get("error_related_to")), text(row.get("error"))))),
        url=text(row.get("url")),
        user_agent=text(row.get("agent")),
        tokens=possible_tokens(row),
    )


def _permanent(word: EventWord, row: dict[str, Any]) -> bool | None:
    if word is EventWord.BOUNCE:
        return row.get("hard_bounce") is True
    return True if word is EventWord.REJECTED else None


def _meaning(word: EventWord, permanent: bool | None, row: dict[str, Any]) -> Meaning | None:
    """The word of a hard bounce counts; a block keeps the address unless Mailjet says that there is none."""
    if word not in (EventWord.BOUNCE, EventWord.REJECTED):
        return None
    known = _ERRORS.get(text(row.get("error")).lower())
    if word is EventWord.REJECTED:
        return known or Meaning.BLOCKED
    if not permanent:
        return known if known is not Meaning.HARD and known else Meaning.SOFT
    return known or verdict(True, text(row.get("comment")))
