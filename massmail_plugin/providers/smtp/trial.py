"""Tries out an account step by step, for the sender's test button. The provider enters; nothing is committed here.

It opens the connection and carries the message by the same code that sends, and listens to what is said.
"""

from massmail_plugin.contracts import Account, Answer, Hand, Outgoing, Stage
from massmail_plugin.errors import CannotConnect
from massmail_plugin.providers.smtp import words
from massmail_plugin.providers.smtp.carriage import SmtpCarriage
from massmail_plugin.providers.smtp.courier import Courier
from massmail_plugin.providers.smtp.replies import spoken
from massmail_plugin.providers.smtp.session import Session
from massmail_plugin.smtp_status import Reply

_BEFORE_CONTENT = ("mail", "rcpt", "data")


async def trial(session: Session, message: Outgoing | None) -> list[Stage]:
    """Every stage up to the first that fails; hands over `message` if one is given, then leaves."""
    stages: list[Stage] = []
    try:
        for name, act in session.steps():
            try:
                stages.append(Stage(name, True, await act()))
            except CannotConnect as problem:
                return [*stages, Stage(problem.stage, False, str(problem))]
        return stages if message is None else stages + await _carried(session, message)
    finally:
        await session.leave()


async def _carried(session: Session, message: Outgoing) -> list[Stage]:
    """The stages of the message: mail, rcpt and data, up to the first that fails."""
    account, feed = session.account, _One(message)
    carriage = SmtpCarriage(account, session.waits, lambda: session, tries=1)
    said: dict[str, Reply] = {}
    try:
        courier = carriage.adopt(session)
        session.wire.listener = _Overheard(courier, account.secret, said)
        carriage.idle(courier)
        await carriage.carry(feed)
    except CannotConnect as problem:
        return [*_well(said, problem.stage), Stage(problem.stage, False, str(problem))]
    return _settled(account, said, feed.answer)


def _settled(account: Account, said: dict[str, Reply], answer: Answer | None) -> list[Stage]:
    failed = next((name for name in ("mail", "rcpt", "data", "dot") if not _went_well(said.get(name))), None)
    if failed is None:
        return [*_well(said, "data"), Stage("data", True, _line(said["dot"]))]
    stage = "data" if failed == "dot" else failed
    reply = answer.reply if answer is not None else None
    if reply is not None:
        text = f"{account.host} refused the message. It said: {_line(reply)}" if said else reply.text
        return [*_well(said, stage), Stage(stage, False, text)]
    return [*_well(said, stage), Stage(stage, False, words.broke_off(account, answer.note if answer else ""))]


def _well(said: dict[str, Reply], until: str) -> list[Stage]:
    """The stages before `until` that went well."""
    names = _BEFORE_CONTENT[: _BEFORE_CONTENT.index(until)] if until in _BEFORE_CONTENT else ()
    return [Stage(name, True, _line(said[name])) for name in names if _went_well(said.get(name))]


def _went_well(reply: Reply | None) -> bool:
    return reply is not None and (reply.accepted or reply.code == 354)


def _line(reply: Reply) -> str:
    return f"{reply.code} {reply.text}"


class _One:
    """A feed of one message that may go."""

    def __init__(self, message: Outgoing) -> None:
        self.answer: Answer | None = None
        self._waiting: Outgoing | None = message

    @property
    def ended(self) -> bool:
        return self._waiting is None

    def take(self) -> Outgoing | None:
        message, self._waiting = self._waiting, None
        return message

    def put_back(self, message: Outgoing) -> None:
        """It does not come again: what went wrong is what the trial shows."""

    def hand(self, message: Outgoing) -> Hand:
        return Hand.GO

    def settle(self, message: Outgoing, answer: Answer) -> None:
        self.answer = answer


class _Overheard:
    """Passes on to the courier what the server says, and writes it down."""

    def __init__(self, courier: Courier, secret: str, said: dict[str, Reply]) -> None:
        self._courier, self._said = courier, said
        self._secrets = (secret,) if secret else ()

    def heard(self, code: int, text: bytes, /) -> None:
        self._said[self._courier.step] = spoken(code, text, self._secrets)
        self._courier.heard(code, text)

    def lost(self, note: str, /) -> None:
        self._courier.lost(note)

    def drained(self) -> None:
        self._courier.drained()
