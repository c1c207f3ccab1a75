"""Proves that every number equals a recount of its rows, and sets it right where asked to. The CLI enters.

Each mailing in a transaction of its own that sees one moment; `repair` commits, the rest only reads.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import select

from massmail_plugin.consent import ListDifference
from massmail_plugin.consent.subscriptions import tallies
from massmail_plugin.contracts import Host
from massmail_plugin.mailings import statistics
from massmail_plugin.mailings.statistics import Difference
from massmail_plugin.models import Mailing
from massmail_plugin.portable_sql import dialect

__all__ = ["Difference", "ListDifference", "mailing_ids", "repair", "repair_lists", "verify", "verify_lists"]


def mailing_ids(host: Host) -> list[int]:
    """Every mailing that was launched."""
    found = list(host.session.scalars(select(Mailing.id).where(Mailing.launched_at.is_not(None)).order_by(Mailing.id)))
    host.session.rollback()
    return found


def verify(host: Host, ids: Sequence[int]) -> Iterator[Difference]:
    """What is not as the rows say, mailing by mailing. The session must hold nothing uncommitted."""
    for mailing_id in ids:
        _one_moment(host)
        try:
            yield from statistics.differences(host, mailing_id)
        finally:
            host.session.rollback()


def repair(host: Host, ids: Sequence[int]) -> None:
    """Write the numbers of these mailings anew from their rows."""
    for mailing_id in ids:
        statistics.set_right(host, mailing_id)
        host.session.commit()
    while statistics.catch_up(host, seconds=60.0):
        pass


def verify_lists(host: Host) -> list[ListDifference]:
    """The numbers of lists that their subscriptions contradict. The session must hold nothing uncommitted."""
    _one_moment(host)
    try:
        return tallies.differences(host)
    finally:
        host.session.rollback()


def repair_lists(host: Host, wrong: Sequence[ListDifference]) -> None:
    """Bring these numbers to what was counted."""
    tallies.set_right(host, wrong)
    host.session.commit()


def _one_moment(host: Host) -> None:
    """What workers write meanwhile is not seen; else a number and its rows would be read at different times."""
    host.session.rollback()
    level = {"isolation_level": "REPEATABLE READ"} if dialect(host).name == "postgresql" else {}
    host.session.connection(execution_options={"sqlite_deferred": True, **level})
