"""A provider that sends nothing and keeps every message in memory, for tests of hosts. Nothing is committed here."""

from collections.abc import Callable
from dataclasses import dataclass, field

from massmail_plugin.contracts import Account, Answer, Outgoing, Stage
from massmail_plugin.providers.one_by_one import OneByOneCarriage
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

    def open(self, account: Account) -> OneByOneCarriage:
        """A carriage into this memory; of the account, only the number of connections counts."""
        return OneByOneCarriage(account.connections, self._keep)

    def probe(self, account: Account, message: Outgoing | None) -> list[Stage]:
        """Always well; a message given is kept."""
        if message is not None:
            self.messages.append(message)
        return [Stage("connect", True, "Messages are kept in memory; nothing is sent.")]

    async def _keep(self, message: Outgoing) -> Answer:
        """What a server would have taken, or may have taken, is kept."""
        answer = self.answer(message)
        if answer.state in (MessageState.SENT, MessageState.UNCERTAIN):
            self.messages.append(message)
        return answer
