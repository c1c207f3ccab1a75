"""Carries messages over one kept connection, command by command: the durable mark is set right before the content.

The sending room enters through `SmtpProvider.open`; marks and results are committed by what it passes in.
"""

from collections.abc import Callable, Iterable

from massmail_plugin.contracts import Account, Answer, Outgoing
from massmail_plugin.errors import CannotConnect
from massmail_plugin.providers.smtp import words
from massmail_plugin.providers.smtp.content import line_ends
from massmail_plugin.providers.smtp.conversation import Lost, Unanswered
from massmail_plugin.providers.smtp.envelope import BadAddress, Unsendable, envelope
from massmail_plugin.providers.smtp.session import Session
from massmail_plugin.providers.smtp.transaction import SenderRefused, begin
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import MessageState


class SmtpCarriage:
    """A way out over SMTP. Connects with the first message and again whenever the connection is lost."""

    def __init__(self, account: Account, new_session: Callable[[], Session]) -> None:
        self._account = account
        self._new_session = new_session
        self._session: Session | None = None

    def carry(
        self,
        feed: Iterable[Outgoing],
        hand: Callable[[Outgoing], bool],
        settle: Callable[[Outgoing, Answer], None],
    ) -> None:
        """As `contracts.Carriage.carry`."""
        for message in feed:
            content = line_ends(message.content)
            answer = self._begin_twice(message, content)
            if answer is None:
                if not self._handed(message, hand):
                    continue
                answer = self._deliver(content)
            settle(message, answer)
            self._stop_at_sender_fault(answer)

    def close(self) -> None:
        """As `contracts.Carriage.close`."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _begin_twice(self, message: Outgoing, content: bytes) -> Answer | None:
        """None where the server waits for the content. Nothing is handed yet: a lost connection is made once more."""
        try:
            return self._begin(message, content)
        except Lost:
            pass
        try:
            return self._begin(message, content)
        except Lost as lost:
            if lost.reply is not None and lost.stage != "mail":
                return Answer(MessageState.DEFERRED, lost.reply)
            raise CannotConnect(lost.stage, words.broke_off(self._account, str(lost))) from None

    def _begin(self, message: Outgoing, content: bytes) -> Answer | None:
        session = self._opened()
        try:
            return begin(session, envelope(message, content, session.offered))
        except Unsendable as not_here:
            return Answer(MessageState.REFUSED, not_here.reply)
        except BadAddress as bad:
            raise CannotConnect("mail", f"The sender's own address cannot be used. {bad}", lasting=True) from None
        except SenderRefused as refused:
            text = words.sender_refused(self._account, refused.reply)
            raise CannotConnect(refused.stage, text, lasting=not refused.reply.temporary) from None

    def _opened(self) -> Session:
        if self._session is None or not self._session.opened:
            session = self._new_session()
            session.open()
            self._session = session
        return self._session

    def _handed(self, message: Outgoing, hand: Callable[[Outgoing], bool]) -> bool:
        """Whether the message may go. If not, hanging up is the only way back from a 354 that sends nothing."""
        leave = False
        try:
            leave = hand(message)
        finally:
            if not leave and self._session is not None:
                self._session.abort()
        return leave

    def _deliver(self, content: bytes) -> Answer:
        assert self._session is not None
        try:
            reply = self._session.content(content)
        except Unanswered as silent:
            return Answer(MessageState.UNCERTAIN, None, f"No answer after the message was sent. {silent}")
        except Lost as lost:
            return Answer(MessageState.DEFERRED, lost.reply, f"Interrupted before the message was complete. {lost}")
        if reply.accepted:
            return Answer(MessageState.SENT, reply)
        again = reply.temporary or reply.meaning is Meaning.SENDER_FAULT
        return Answer(MessageState.DEFERRED if again else MessageState.REFUSED, reply)

    def _stop_at_sender_fault(self, answer: Answer) -> None:
        reply = answer.reply
        if reply is not None and not reply.accepted and reply.meaning is Meaning.SENDER_FAULT:
            raise CannotConnect("data", words.sender_refused(self._account, reply), lasting=not reply.temporary)
