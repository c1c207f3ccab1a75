"""Tries out an account step by step, for the sender's test button. The provider enters; nothing is committed here."""

from collections.abc import Callable

from massmail_plugin.contracts import Account, Outgoing, Stage
from massmail_plugin.errors import CannotConnect
from massmail_plugin.providers.smtp import words
from massmail_plugin.providers.smtp.content import line_ends
from massmail_plugin.providers.smtp.conversation import Lost
from massmail_plugin.providers.smtp.envelope import BadAddress, Unsendable, envelope
from massmail_plugin.providers.smtp.session import Session
from massmail_plugin.providers.smtp.transaction import SenderRefused, begin
from massmail_plugin.smtp_status import Reply

_BEFORE_CONTENT = ("mail", "rcpt", "data")


def trial(session: Session, message: Outgoing | None) -> list[Stage]:
    """Every stage up to the first that fails; hands over `message` if one is given, then leaves."""
    stages: list[Stage] = []
    try:
        for name, act in session.steps():
            stages.append(_tried(name, act))
            if not stages[-1].ok:
                return stages
        return stages if message is None else stages + _handed_over(session, message)
    finally:
        session.close()


def _tried(name: str, act: Callable[[], str]) -> Stage:
    try:
        return Stage(name, True, act())
    except CannotConnect as problem:
        return Stage(problem.stage, False, str(problem))


def _handed_over(session: Session, message: Outgoing) -> list[Stage]:
    content = line_ends(message.content)
    failed = _begun(session, message, content)
    well = [Stage(name, True, _line(session.said[name])) for name in _BEFORE_CONTENT if _went_well(session, name)]
    if failed is not None:
        return [stage for stage in well if stage.name != failed.name] + [failed]
    return [*well[:2], _content(session, content)]


def _begun(session: Session, message: Outgoing, content: bytes) -> Stage | None:
    """The stage before the content that fails, if one does."""
    try:
        refusal = begin(session, envelope(message, content, session.offered))
    except (BadAddress, Unsendable) as bad:
        return Stage("mail", False, str(bad))
    except SenderRefused as refused:
        return Stage(refused.stage, False, words.sender_refused(session.account, refused.reply))
    except Lost as lost:
        return Stage(lost.stage, False, words.broke_off(session.account, str(lost)))
    if refusal is None:
        return None
    name = next(name for name in _BEFORE_CONTENT if not _went_well(session, name))
    return Stage(name, False, _refused(session.account, session.said[name]))


def _content(session: Session, content: bytes) -> Stage:
    try:
        reply = session.content(content)
    except Lost as lost:
        return Stage("data", False, words.broke_off(session.account, str(lost)))
    return Stage("data", reply.accepted, _line(reply) if reply.accepted else _refused(session.account, reply))


def _went_well(session: Session, name: str) -> bool:
    reply = session.said.get(name)
    return reply is not None and (reply.accepted or reply.code == 354)


def _refused(account: Account, reply: Reply) -> str:
    return f"{account.host} refused the message. It said: {_line(reply)}"


def _line(reply: Reply) -> str:
    return f"{reply.code} {reply.text}"
