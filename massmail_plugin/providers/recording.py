"""A provider that sends nothing and keeps every message in memory, for tests of hosts. Nothing is committed here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from massmail_plugin.contracts import Account, Answer, Outgoing, Stage
from massmail_plugin.smtp_status import Reply
from massmail_plugin.vocabulary import MessageState


def _accept(message: Outgoing) -> Answer:
    return Answer(MessageState.SENT, Reply(250, "2.0.0", "2.0.0 kept"))


@dataclass
class RecordingProvider:
    """Carries nothing anywhere. `messages` are those it took; `answer` decides, for tests of refusals."""

    name: str = "recording"
    label: str = "Recording (keeps messages, sends nothing)"
    messages: list[Outgoing] = field(default_factory=list)
    answer: Callable[[Outgoing], Answer] = _accept

    def open(self, account: Account) -> "RecordingCarriage":
        """A carriage into this memory; the account is not looked at."""
        return RecordingCarriage(self)

    def probe(self, account: Account, message: Outgoing | None) -> list[Stage]:
        """Always well; a message given is kept."""
        if message is not None:
            self.messages.append(message)
        return [Stage("connect", True, "Messages are kept in memory; nothing is sent.")]


class RecordingCarriage:
    """One open way into the memory of a RecordingProvider."""

    def __init__(self, provider: RecordingProvider) -> None:
        self._provider = provider

    def carry(
        self,
        feed: Iterable[Outgoing],
        hand: Callable[[Outgoing], bool],
        settle: Callable[[Outgoing, Answer], None],
    ) -> None:
        """As `contracts.Carriage.carry`; what the server would have taken or may have taken is kept."""
        for message in feed:
            if not hand(message):
                continue
            answer = self._provider.answer(message)
            if answer.state in (MessageState.SENT, MessageState.UNCERTAIN):
                self._provider.messages.append(message)
            settle(message, answer)

    def close(self) -> None:
        """Nothing is open."""
