"""Filling an outbox with very many rows, against the bare statement that somebody would write by hand.

The bare one writes the same columns into a table with the same indexes and the same room on its pages; it knows
nothing of suppressions, opt-outs, duplicates, or being killed in the middle.
"""

from time import monotonic

from sqlalchemy import text

from bench import engine as ours
from bench.engine import Engine, Way
from bench.findings import BenchFailed, Sample, interleave, ratios
from bench.ground import Ground
from bench.host import context
from massmail_plugin.contracts import Host
from massmail_plugin.models import OutboxMessage

NOBODY_LISTENS = 9
TABLE = OutboxMessage.__tablename__
MAKE = f"""
CREATE TABLE bare_outbox (LIKE {TABLE} INCLUDING ALL) WITH (fillfactor = 50)
"""
INSERT = """
INSERT INTO bare_outbox (mailing_id, chunk, contact_source, contact_key, address_role, occurrence, channel, address,
                         dedup_key, list_id, state, reason, attempts, crashes, due_at, reply_enhanced, reply_text)
SELECT 1, (contact.id - 1) / :chunk_size, subscription.contact_source, subscription.contact_key, 'main', 0, 'email',
       contact.email, contact.email, subscription.list_id, 'planned', '', 0, 0, now(), '', ''
FROM massmail_subscription AS subscription
JOIN contact ON CAST(contact.id AS varchar) = subscription.contact_key
WHERE subscription.list_id = :list_id AND subscription.state = 'subscribed' AND contact.active
"""


def measure(ground: Ground) -> None:
    """Fill in the figures of `figures.FILL`."""
    engine, many = ground.many, ground.size.many
    with context(engine.app) as host:
        host.session.execute(text(MAKE))
        host.session.commit()
    found = interleave(
        {"fill.ours": lambda: _ours(engine, many), "fill.bare": lambda: _bare(engine, many)},
        ground.size.rounds,
        ground.say,
    )
    for name, samples in found.items():
        ground.findings.keep(name, samples)
    ground.findings.add("fill.vs_bare", ratios(found["fill.ours"], found["fill.bare"], "seconds"))


def _ours(engine: Engine, many: int) -> Sample:
    engine.empty()
    with context(engine.app) as host:
        mailing_id = engine.launch(host, many, NOBODY_LISTENS, Way())
        _rest(host)
        seconds = ours.fill(host, many) * many / 1e6
        _check(host.session.scalar(text(f"SELECT count(*) FROM {TABLE} WHERE mailing_id = {mailing_id}")), many)
    return {"seconds": seconds, "rows_a_second": many / seconds}


def _bare(engine: Engine, many: int) -> Sample:
    engine.empty()
    with context(engine.app) as host:
        list_id = engine.list_of(host, many)
        host.session.execute(text("TRUNCATE bare_outbox"))
        host.session.commit()
        _rest(host)
        began = monotonic()
        host.session.execute(text(INSERT), {"list_id": list_id, "chunk_size": host.config.chunk_size})
        host.session.commit()
        seconds = monotonic() - began
        _check(host.session.scalar(text("SELECT count(*) FROM bare_outbox")), many)
        host.session.execute(text("TRUNCATE bare_outbox"))
        host.session.commit()
    return {"seconds": seconds, "rows_a_second": many / seconds}


def _rest(host: Host) -> None:
    """Each begins with nothing left to write to the disk."""
    host.session.commit()
    with host.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))


def _check(rows: int | None, many: int) -> None:
    if rows != many:
        raise BenchFailed(f"{rows:,} rows were written instead of {many:,}.")
