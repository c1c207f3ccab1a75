"""Bringing buffered hits into PostgreSQL: judged, kept as events, tallied, and reported, in batches.

Against the same hits brought one by one, each with a commit of its own, and against a bare INSERT of each event, which
judges, tallies and reports nothing.
"""

import random
from collections.abc import Iterator
from datetime import timedelta
from time import monotonic

from sqlalchemy import func, insert, select, text

from bench.feedback.mails import LINKS, host_with_mail, mailing, message_ids, settings
from bench.figures import Figure
from bench.findings import BenchFailed, Sample, interleave, ratios
from bench.host import context
from bench.stage import Stage
from massmail_plugin import feedback
from massmail_plugin.contracts import Host
from massmail_plugin.feedback.tracking.judged import keep_judged
from massmail_plugin.feedback.tracking.recognised import recognise
from massmail_plugin.feedback.tracking.spool import SpooledHit, append
from massmail_plugin.models import Event
from massmail_plugin.vocabulary import EventKind

FIGURES = (
    Figure("flush.per_s", "buffered hits a second into PostgreSQL", least=20_000),
    Figure("flush.vs_single", "against one by one, each with its commit", least=10),
    Figure("flush.vs_bare_insert", "against a bare INSERT of each, with its commit"),
)
MAILS = 60_000
HITS, QUICK_HITS = 100_000, 60_000
SINGLE = 400
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.5.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0",
)


def measure(stage: Stage) -> None:
    """Fill in FIGURES."""
    app, _ = host_with_mail(settings(stage.database("flush"), stage.folder / "flush-state"), 1)
    many = QUICK_HITS if stage.size.quick else HITS
    with context(app) as host:
        ways = {
            "flush.batches": lambda: _in_batches(host, many),
            "flush.single": lambda: _one_by_one(host),
            "flush.bare_insert": lambda: _bare(host),
        }
        found = interleave(ways, stage.size.rounds, stage.say)
    for name, samples in found.items():
        stage.findings.keep(name, samples)
    add = stage.findings.add
    add("flush.per_s", [sample["rate"] for sample in found["flush.batches"]])
    add("flush.vs_single", ratios(found["flush.batches"], found["flush.single"], "rate"))
    add("flush.vs_bare_insert", ratios(found["flush.batches"], found["flush.bare_insert"], "rate"))


def _in_batches(host: Host, many: int) -> Sample:
    """What a drain does with what many visitors left."""
    for hit in _hits(host, many):
        append(host.state_dir, hit)
    before = _events(host)
    _rest(host)
    began = monotonic()
    feedback.drain(host, wait=timedelta(0))
    seconds = monotonic() - began
    if _events(host) - before != many:
        raise BenchFailed(f"{_events(host) - before:,} of {many:,} hits were kept.")
    return {"rate": many / seconds}


def _one_by_one(host: Host) -> Sample:
    hits = list(_hits(host, SINGLE))
    _rest(host)
    began = monotonic()
    for hit in hits:
        keep_judged(host, recognise(host, [hit]))
        host.session.commit()
    return {"rate": SINGLE / (monotonic() - began)}


def _bare(host: Host) -> Sample:
    mailing_id = mailing(host, SINGLE)
    hits = list(_hits(host, SINGLE))
    _rest(host)
    began = monotonic()
    for hit in hits:
        values = {"message_id": hit.message_id, "mailing_id": mailing_id, "kind": hit.kind.value, "at": hit.at}
        host.session.execute(insert(Event).values(user_agent=hit.user_agent, **values))
        host.session.commit()
    return {"rate": SINGLE / (monotonic() - began)}


def _hits(host: Host, number: int) -> Iterator[SpooledHit]:
    """Of a new mailing over some hours: two opens for each click, mostly each mail's first."""
    chance = random.Random(number)
    mails = message_ids(host, mailing(host, min(number, MAILS)))
    at = host.clock() - timedelta(hours=3)
    for _ in range(number):
        at += timedelta(hours=2) / number
        kind = chance.choice([EventKind.OPEN, EventKind.OPEN, EventKind.CLICK])
        link = chance.randint(1, LINKS) if kind is EventKind.CLICK else None
        yield SpooledHit(kind, at, chance.choice(mails), link, chance.choice(AGENTS), "")


def _events(host: Host) -> int:
    return host.session.scalar(select(func.count()).select_from(Event)) or 0


def _rest(host: Host) -> None:
    """Each begins with nothing left to write to the disk."""
    host.session.commit()
    with host.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))
