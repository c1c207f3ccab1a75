"""Replies as values, and of whom a refusal speaks: the sender, the message, or the recipient. Nothing is committed."""

from collections.abc import Iterable
from functools import lru_cache

from massmail_plugin.contracts import Answer
from massmail_plugin.smtp_status import Meaning, Reply, reply
from massmail_plugin.vocabulary import MessageState

BAD_PARAMETERS = frozenset({500, 501, 503, 504, 555})
"""Answers to MAIL about its parameters: the server offers an extension and then refuses it."""
BAD_RECIPIENT_PARAMETERS = frozenset({501, 504, 555})
_SHOWN_BYTES = 2000


def spoken(code: int, text: bytes, secrets: Iterable[str] = ()) -> Reply:
    """The reply, without any of the `secrets` should the server echo them."""
    for secret in secrets:
        text = text.replace(secret.encode(), b"***")
    return _reply(code, text[:_SHOWN_BYTES])


@lru_cache(maxsize=512)
def _reply(code: int, text: bytes) -> Reply:
    return reply(code, text)


@lru_cache(maxsize=512)
def accepted(code: int, text: bytes) -> Answer:
    """The answer of a server that took the message."""
    return Answer(MessageState.SENT, _reply(code, text[:_SHOWN_BYTES]))


def refusal(stage: str, said: Reply, *, needed: bool = False) -> Answer | None:
    """What a refusal at `stage` (mail, rcpt or data) makes of the message; None where it speaks of the sender.

    `needed` says that MAIL had parameters this message cannot do without.
    """
    if stage == "mail":
        return _mail_refusal(said, needed=needed)
    return None if said.meaning is Meaning.SENDER_FAULT else rejection(said)


def rejection(said: Reply) -> Answer:
    """What a refusal after the final dot makes of the message; a fault of the sender is none of the message."""
    again = said.temporary or said.meaning is Meaning.SENDER_FAULT
    return Answer(MessageState.DEFERRED if again else MessageState.REFUSED, said)


def _mail_refusal(said: Reply, *, needed: bool) -> Answer | None:
    if _about_message(said) or (needed and said.code in BAD_PARAMETERS):
        return Answer(MessageState.REFUSED, said)
    if said.meaning is Meaning.SENDER_FAULT or not said.temporary:
        return None
    return Answer(MessageState.DEFERRED, said)


def _about_message(said: Reply) -> bool:
    """A final no to MAIL is about size or form of the message; every other one is about the sender."""
    return not said.temporary and (said.code == 552 or said.enhanced[:4] in ("5.3.", "5.6."))
