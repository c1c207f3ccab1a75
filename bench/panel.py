"""The live panel of a mailing to very many, against that of one to 10,000: what one refresh costs.

A third of the mails were opened and each twentieth clicked, and before each refresh some more are opened. No statement
of a refresh may name the outbox.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from sqlalchemy import event, select, text

from bench import engine as ours
from bench.contacts import analyse
from bench.engine import Engine, Way
from bench.findings import BenchFailed, Sample, interleave, ratios
from bench.ground import Ground
from bench.host import context
from massmail_plugin.admin.mailings.panel import notes, notices, panel, tiles
from massmail_plugin.contracts import Host
from massmail_plugin.models import Mailing, OutboxMessage
from massmail_plugin.outcomes import NewEvent, keep_events, tallies
from massmail_plugin.vocabulary import EventKind

FEW = 10_000
REFRESHES = 40
NOBODY_LISTENS = 9
OUTBOX = OutboxMessage.__tablename__
AT_ONCE = 10
CAME_BACK = f"""
INSERT INTO massmail_event (message_id, mailing_id, kind, at, by_machine, machine_reason, user_agent, detail)
SELECT id, mailing_id, :kind, now(), false, '', 'a mail program', '' FROM {OUTBOX}
WHERE mailing_id = :mailing_id AND id % :each = 0
"""


def measure(ground: Ground) -> None:
    """Fill in the figures of `figures.PANEL`."""
    engine, many = ground.many, ground.size.many
    engine.empty()
    large, small = (_mailing(engine, number) for number in (many, FEW))
    found = interleave(
        {"panel.many": lambda: _refreshes(engine, large), "panel.few": lambda: _refreshes(engine, small)},
        ground.size.rounds,
        ground.say,
    )
    for name, samples in found.items():
        ground.findings.keep(name, samples)
    ground.findings.add("panel.growth", ratios(found["panel.many"], found["panel.few"], "ms"))


def _mailing(engine: Engine, number: int) -> int:
    """A filled mailing with what came back about it; its id."""
    with context(engine.app) as host:
        mailing_id = engine.launch(host, number, NOBODY_LISTENS, Way())
        ours.fill(host, number)
        for kind, each in (("open", 3), ("click", 20)):
            host.session.execute(text(CAME_BACK), {"kind": kind, "each": each, "mailing_id": mailing_id})
        tallies.count_again(host, mailing_id)
        host.session.commit()
        analyse(host)
    return mailing_id


def _refreshes(engine: Engine, mailing_id: int) -> Sample:
    """The milliseconds of one refresh in a web process that has just started, and of the next ones, from many."""
    with context(engine.another_app()) as host:
        first = _refresh(host, mailing_id)
        seconds = 0.0
        for number in range(REFRESHES):
            _more_comes_back(host, mailing_id, number)
            seconds += _refresh(host, mailing_id)
    return {"ms": seconds / REFRESHES * 1e3, "first_ms": first * 1e3}


def _more_comes_back(host: Host, mailing_id: int, number: int) -> None:
    first = select(OutboxMessage.id).where(OutboxMessage.mailing_id == mailing_id, OutboxMessage.chunk == 0)
    some = host.session.scalars(first.order_by(OutboxMessage.id).limit(AT_ONCE).offset(number * AT_ONCE))
    at = host.clock()
    keep_events(host, [NewEvent(message_id=message_id, kind=EventKind.OPEN, at=at) for message_id in some])
    host.session.commit()


def _refresh(host: Host, mailing_id: int) -> float:
    """The seconds it takes to read everything the panel shows, anew."""
    with _statements(host) as said:
        began = monotonic()
        mailing = host.session.get_one(Mailing, mailing_id)
        now = panel(host, mailing)
        tiles(now), notices(host, mailing, now), notes(now, mailing)
        host.session.rollback()
        seconds = monotonic() - began
    if scans := [statement for statement in said if OUTBOX in statement]:
        raise BenchFailed(f"A refresh reads the outbox: {scans[0]}")
    return seconds


@contextmanager
def _statements(host: Host) -> Iterator[list[str]]:
    """The statements that the host's engine runs meanwhile."""
    said: list[str] = []

    def hear(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        said.append(statement)

    event.listen(host.db.engine, "before_cursor_execute", hear)
    try:
        yield said
    finally:
        event.remove(host.db.engine, "before_cursor_execute", hear)
