"""Some bodies for one receiver, posted one after another over one connection, in a thread of its own.

Plain values come in and go out: nothing here touches the database.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from massmail_plugin.contracts import Clock
from massmail_plugin.outcomes.webhooks.posting import Answer, Line
from massmail_plugin.outcomes.webhooks.receivers import Receiver
from massmail_plugin.outcomes.webhooks.signing import signed

PACKET_SECONDS = 20.0
OF_THE_RECEIVER = frozenset({401, 403, 404, 405, 408, 410, 429})
"""Answers below 500 that speak of the receiver and not of the one body."""


@dataclass(frozen=True)
class Letter:
    """One body: its row, the id by which the receiver knows it again, the octets."""

    delivery_id: int
    attempts: int
    message_id: str
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Tried:
    """One post, and when."""

    letter: Letter
    answer: Answer
    at: datetime


@dataclass(frozen=True)
class Result:
    """What became of a packet. With a `fault` of the receiver, what was not tried waits."""

    tried: Sequence[Tried]
    fault: Answer | None


def send(to: Receiver, keys: Sequence[bytes], letters: Sequence[Letter], clock: Clock) -> Result:
    """Post the letters in turn, until the time is over or the receiver is at fault."""
    end, line = time.monotonic() + PACKET_SECONDS, Line(to)
    tried: list[Tried] = []
    try:
        for letter in letters:
            at = clock()
            answer = line.post(letter.body, signed(keys, letter.message_id, int(at.timestamp()), letter.body))
            tried.append(Tried(letter, answer, at))
            if is_fault(answer):
                return Result(tried, answer)
            if time.monotonic() > end:
                break
    finally:
        line.close()
    return Result(tried, None)


def is_fault(answer: Answer) -> bool:
    """Whether an answer says something of the receiver: the next body would fare no better."""
    code = answer.code
    return code is None or code < 200 or 300 <= code < 400 or code >= 500 or code in OF_THE_RECEIVER
