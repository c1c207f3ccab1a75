"""Which sender carries a mailing now: its own, or the one it spills over to; and which senders can carry anything.

Lanes enter; nothing is written.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from time import monotonic

from sqlalchemy import ColumnElement, true

from massmail_plugin.contracts import Host
from massmail_plugin.models import Sender
from massmail_plugin.sending.limits import pace
from massmail_plugin.sending.limits.allowance import allowance
from massmail_plugin.sending.limits.gate import Gate
from massmail_plugin.sending.limits.grants import HORIZON, Grant, grant


def open_gate(host: Host, sender: Sender, *, ticks: Callable[[], float] = monotonic) -> Gate | None:
    """A gate for one lane; None where the sender has no limit and is not slowed: ask again every few seconds."""
    book = pace.read(host, sender.id)
    free = not allowance(book.limits, "", book.standing(), book.now).limited and not book.domains
    return None if free else Gate(sender.id, ticks=ticks)


def spill(host: Host, sender: Sender) -> int:
    """The id of the sender to use now: its own, or that of the first in its chain whose quota is not used up."""
    return _carrier(pace.read_limited(host), sender.id)


def chain(host: Host, sender_id: int) -> list[pace.Book]:
    """The sender and those its mail spills over to, in order, as they stand now."""
    books = pace.read_limited(host)
    found = [books.get(sender_id) or pace.read(host, sender_id)]
    while (spill_to := found[-1].limits.spill_to_id) and spill_to not in {book.limits.id for book in found}:
        found.append(books[spill_to])
    return found


def able(host: Host) -> ColumnElement[bool]:
    """A clause over Sender: True for those whose mail may leave within HORIZON seconds, by them or by spilling over."""
    books = pace.read_limited(host)
    resting = [number for number in books if _rests(books, _carrier(books, number))]
    return Sender.id.not_in(resting) if resting else true()


def _carrier(books: Mapping[int, pace.Book], number: int) -> int:
    """Follow the chain; where all of it is used up, at fault, or turns in a circle, it is the first sender's turn."""
    seen, at = {number}, number
    while at in books and _next(books[at]).used_up:
        spill_to = books[at].limits.spill_to_id
        if spill_to is None or spill_to in seen or _at_fault(books[spill_to]):
            return number
        seen.add(spill_to)
        at = spill_to
    return at


def _at_fault(book: pace.Book) -> bool:
    return book.limits.fault_until is not None and book.limits.fault_until > book.now


def _rests(books: Mapping[int, pace.Book], number: int) -> bool:
    book = books.get(number)
    return book is not None and _next(book).free_at > book.now + timedelta(seconds=HORIZON)


def _next(book: pace.Book) -> Grant:
    """What a worker would get that asked for one permit now."""
    return grant(book.standing(), allowance(book.limits, "", book.standing(), book.now), book.now, 1)
