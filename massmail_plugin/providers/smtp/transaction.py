"""MAIL, RCPT and DATA of one message, and whom a refusal speaks of: the sender, the message, or the recipient.

Carriage and trial enter; nothing is committed here.
"""

from massmail_plugin.contracts import Answer
from massmail_plugin.providers.smtp.conversation import Lost
from massmail_plugin.providers.smtp.envelope import Envelope
from massmail_plugin.providers.smtp.session import Session
from massmail_plugin.smtp_status import Meaning, Reply
from massmail_plugin.vocabulary import MessageState

# Answers to MAIL about its parameters: the server offers an extension and then refuses it.
_BAD_PARAMETERS = frozenset({500, 501, 503, 504, 555})


class SenderRefused(Exception):
    """The server wants nothing from this sender; no recipient is to blame."""

    def __init__(self, stage: str, answer: Reply) -> None:
        super().__init__(answer.text)
        self.stage = stage
        self.reply = answer


def begin(session: Session, addressed: Envelope) -> Answer | None:
    """None where the server waits for the content, else what became of the message.

    Raises SenderRefused, and Lost where the conversation ended.
    """
    refusal = _mail(session, addressed) or _recipient(session, addressed) or _data(session)
    if refusal is not None:
        _reset(session)
    return refusal


def _mail(session: Session, addressed: Envelope) -> Answer | None:
    options = addressed.options if session.takes_options or addressed.needed else ()
    reply = session.command("mail", " ".join((f"MAIL FROM:{addressed.sender.text}", *options)))
    if reply.code in _BAD_PARAMETERS and options and not addressed.needed:
        session.takes_options = False
        reply = session.command("mail", f"MAIL FROM:{addressed.sender.text}")
    if reply.accepted:
        return None
    if _about_message(reply) or (addressed.needed and reply.code in _BAD_PARAMETERS):
        return Answer(MessageState.REFUSED, reply)
    if reply.meaning is Meaning.SENDER_FAULT or not reply.temporary:
        _reset(session)
        raise SenderRefused("mail", reply)
    return Answer(MessageState.DEFERRED, reply)


def _about_message(reply: Reply) -> bool:
    """A final no to MAIL is about size or form of the message; every other one is about the sender."""
    return not reply.temporary and (reply.code == 552 or reply.enhanced[:4] in ("5.3.", "5.6."))


def _recipient(session: Session, addressed: Envelope) -> Answer | None:
    reply = session.command("rcpt", f"RCPT TO:{addressed.recipient.text}")
    return None if reply.accepted else _refusal(session, "rcpt", reply)


def _data(session: Session) -> Answer | None:
    reply = session.command("data", "DATA")
    if reply.code == 354:
        return None
    if reply.accepted:
        session.abort()
        raise Lost("data", f"It answered DATA with {reply.code}.")
    return _refusal(session, "data", reply)


def _refusal(session: Session, stage: str, reply: Reply) -> Answer:
    if reply.meaning is Meaning.SENDER_FAULT:
        _reset(session)
        raise SenderRefused(stage, reply)
    return Answer(MessageState.DEFERRED if reply.temporary else MessageState.REFUSED, reply)


def _reset(session: Session) -> None:
    """Clear the begun transaction; a connection lost meanwhile is made anew for the next message."""
    try:
        session.reset()
    except Lost:
        session.abort()
