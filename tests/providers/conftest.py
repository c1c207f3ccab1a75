"""Accounts, messages and a carriage that writes down what happens, for every test of this room."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from massmail_plugin.contracts import Account, Answer, Outgoing
from massmail_plugin.providers.smtp import SmtpProvider
from massmail_plugin.vocabulary import MessageState


@dataclass
class Journal:
    """What a carriage asked for: marks and answers in their order."""

    happened: list[tuple[str, int]] = field(default_factory=list)
    answers: dict[int, Answer] = field(default_factory=dict)
    leave: Callable[[Outgoing], bool] = lambda message: True

    def hand(self, message: Outgoing) -> bool:
        self.happened.append(("hand", message.message_id))
        return self.leave(message)

    def settle(self, message: Outgoing, answer: Answer) -> None:
        assert message.message_id not in self.answers
        self.happened.append((answer.state, message.message_id))
        self.answers[message.message_id] = answer

    @property
    def states(self) -> list[MessageState]:
        return [answer.state for _, answer in sorted(self.answers.items())]

    @property
    def handed(self) -> list[int]:
        return [number for what, number in self.happened if what == "hand"]


def account(port: int, **changes: object) -> Account:
    given: dict[str, object] = {
        "sender_id": 1,
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "auth": "auto",
        "username": "",
        "secret": "",
        "timeout": 5.0,
    }
    return Account(**{**given, **changes})  # type: ignore[arg-type]


def message(number: int = 1, **changes: object) -> Outgoing:
    given: dict[str, object] = {
        "message_id": number,
        "mail_from": "news@shop.example",
        "rcpt_to": f"reader{number}@example.org",
        "content": b"Subject: %d\r\n\r\nHello\r\n" % number,
    }
    return Outgoing(**{**given, **changes})  # type: ignore[arg-type]


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def provider() -> SmtpProvider:
    return SmtpProvider(command_seconds=5, final_dot_seconds=0.5)
