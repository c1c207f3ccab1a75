"""What slows a running mailing down: its sender's limits, and servers that ask for patience. Screens enter.

Nothing is committed.
"""

from collections.abc import Iterator
from datetime import timedelta

from massmail_plugin.contracts import Host
from massmail_plugin.models import Mailing, Sender
from massmail_plugin.sending.limits import HORIZON, pace, spill
from massmail_plugin.sending.limits.allowance import allowance
from massmail_plugin.sending.limits.grants import grant
from massmail_plugin.sending.limits.words import why


def slowness(host: Host, mailing: Mailing) -> list[str]:
    """Why the mails of a mailing go slowly or rest at this moment, one sentence each; none where all is well.

    A sender that spills over rests alone: what is said is about the one that carries on.
    """
    sender = mailing.sender
    if sender is None:
        return []
    carrier = host.session.get_one(Sender, spill(host, sender))
    over = f"The daily quota of “{sender.name}” is used up; mails leave through “{carrier.name}” for now."
    return [*([over] if carrier is not sender else []), *_of(pace.read(host, carrier.id))]


def _of(book: pace.Book) -> Iterator[str]:
    standing = book.standing()
    next_one = grant(standing, allowance(book.limits, "", standing, book.now), book.now, 1)
    if next_one.free_at > book.now + timedelta(seconds=HORIZON):
        yield why(book, "", next_one)
    for domain in sorted(book.standings):
        rate = book.standing(domain).slowed(book.now)
        if rate is not None:
            who = f"{domain} asks" if domain else "The mail server asks"
            yield f"{who} for patience: {_a_minute(rate)} for now, more again by itself as soon as all are taken."


def _a_minute(rate: float) -> str:
    number = max(round(rate * 60), 1)
    return "1 mail a minute" if number == 1 else f"{number:,} mails a minute"
