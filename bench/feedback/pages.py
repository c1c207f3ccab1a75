"""The pages of statistics and of a contact's record over a mailing to very many, against one to 10,000.

Two databases, each with a mailing and three events for each of its messages. The pages are asked for as a browser
does, by a process that has shown each once before. Also: how long the roll-up takes; every number is proved first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any

from flask import Flask
from sqlalchemy import func, select, text

from bench import engine as ours
from bench.contacts import analyse
from bench.engine import Engine, Way
from bench.figures import Figure
from bench.findings import BenchFailed
from bench.host import SOURCE, context
from bench.page_times import ADMIN, compare, sign_in
from bench.stage import Stage
from massmail_plugin import outbox
from massmail_plugin.contracts import Host
from massmail_plugin.mailings import statistics
from massmail_plugin.models import Event, EventTally, Link, Mailing, OutboxMessage
from massmail_plugin.outcomes import tallies
from massmail_plugin.vocabulary import EventKind

FIGURES = (
    Figure("pages.growth", "the page that grows most, 1M messages and 3M events over 10k", most=2),
    Figure("pages.slowest_ms", "milliseconds of the slowest page there", most=300),
    Figure("pages.roll_up_per_s", "messages a second counted by domain, list and reason"),
)
FEW, MANY, QUICK_MANY = 10_000, 1_000_000, 200_000
NOBODY_LISTENS = 9
GROUPS = ("sent", "failed", "read", "clicked", "removed")
DOMAINS = 20_000
"""A fifth of the recipients is spread over so many, the others are at nine of them."""
SENT = f"""
UPDATE {OutboxMessage.__tablename__} SET
    state = CASE id % 50 WHEN 0 THEN 'refused' WHEN 1 THEN 'skipped' ELSE 'sent' END,
    reason = CASE id % 50 WHEN 0 THEN 'refused_by_server' WHEN 1 THEN 'suppressed' ELSE '' END,
    address = 'reader' || id || '@mail' || CASE id % 5 WHEN 0 THEN id * 7919 % {DOMAINS} ELSE id % 9 END || '.example',
    due_at = NULL, handed_at = now() - interval '3 days', settled_at = now() - interval '3 days'
WHERE mailing_id = :mailing_id
"""
CAME_BACK = f"""
INSERT INTO {Event.__tablename__} (message_id, mailing_id, kind, link_id, at, by_machine, machine_reason, user_agent,
    request, meaning, detail)
SELECT message.id, message.mailing_id, :kind, link.id, now() - interval '3 days' * (1 - power(random(), 3)),
    :reason <> '', :reason, 'a mail program', '', '', ''
FROM {OutboxMessage.__tablename__} AS message CROSS JOIN generate_series(1, :times)
LEFT JOIN {Link.__tablename__} AS link ON :kind = 'click' AND link.mailing_id = message.mailing_id
    AND link.number = 1 + message.id / :each % :links
WHERE message.mailing_id = :mailing_id AND message.id % :each = :rest
"""
EACH_EVENT: tuple[tuple[EventKind, str, int, int, int], ...] = (
    (EventKind.OPEN, "proxy", 1, 0, 1),
    (EventKind.OPEN, "", 2, 0, 2),
    (EventKind.CLICK, "", 4, 0, 2),
    (EventKind.CLICK, "robot", 4, 1, 1),
    (EventKind.DELIVERED, "", 5, 0, 1),
    (EventKind.BOUNCE, "", 100, 7, 1),
    (EventKind.OPT_OUT, "", 100, 8, 1),
    (EventKind.OPT_BACK_IN, "", 2000, 8, 1),
    (EventKind.REPLY, "", 200, 9, 1),
    (EventKind.COMPLAINT, "", 1000, 11, 1),
)
"""What happens to each so-manieth message (the third and fourth number say which), and how often."""


@dataclass(frozen=True)
class Ready:
    """A database with its mailing."""

    app: Flask
    mailing_id: int
    per_second: float


def measure(stage: Stage) -> None:
    """Fill in FIGURES; the milliseconds of each page are kept beside them."""
    many = QUICK_MANY if stage.size.quick else MANY
    few_ready, many_ready = (_ready(stage, f"pages_{number}", number) for number in (FEW, many))
    growth, slowest = compare(stage, "pages", *((ready.app, _paths(ready)) for ready in (few_ready, many_ready)))
    stage.findings.add("pages.growth", [growth])
    stage.findings.add("pages.slowest_ms", [slowest])
    stage.findings.add("pages.roll_up_per_s", [many_ready.per_second])


def _ready(stage: Stage, name: str, number: int) -> Ready:
    """A host with a mailing to `number` contacts, all of it sent, answered and counted."""
    stage.say(f"Making {number:,} messages and {3 * number:,} events ...")
    engine = Engine(name, stage.database(name), "redis://127.0.0.1:1/0", stage.folder)
    engine.set_up(number)
    with context(engine.app) as host:
        mailing_id = engine.launch(host, number, NOBODY_LISTENS, Way())
        ours.fill(host, number)
        host.session.execute(text(SENT), {"mailing_id": mailing_id})
        outbox.recount(host, mailing_id)
        _let_it_come_back(host, mailing_id)
        host.session.commit()
        analyse(host)
        began = monotonic()
        statistics.catch_up(host, seconds=3600, settling=timedelta(0))
        per_second = number / (monotonic() - began)
        if wrong := statistics.differences(host, mailing_id):
            raise BenchFailed(f"A number is wrong: {wrong[0]}")
    app = engine.another_app()
    sign_in(app)
    return Ready(app, mailing_id, per_second)


def _let_it_come_back(host: Host, mailing_id: int) -> None:
    links = host.session.scalar(select(func.count()).select_from(Link).where(Link.mailing_id == mailing_id)) or 1
    for kind, reason, each, rest, times in EACH_EVENT:
        given: Mapping[str, Any] = {"kind": kind.value, "reason": reason, "each": each, "rest": rest, "times": times}
        host.session.execute(text(CAME_BACK), {**given, "mailing_id": mailing_id, "links": links})
    tallies.count_again(host, mailing_id)
    mailing = host.session.get_one(Mailing, mailing_id)
    mailing.launched_at = host.session.scalar(select(func.min(EventTally.hour)))


def _paths(ready: Ready) -> Mapping[str, str]:
    with context(ready.app) as host:
        template = host.session.scalar(select(Mailing.template_id).where(Mailing.id == ready.mailing_id))
        link = host.session.scalar(select(func.max(Link.id)).where(Link.mailing_id == ready.mailing_id))
        message, last = OutboxMessage, OutboxMessage.chunk.desc()
        query = select(message.id, message.contact_key).where(message.mailing_id == ready.mailing_id)
        somebody = host.session.execute(query.order_by(last).limit(1)).one()
    mailing = f"{ADMIN}/mailings/{ready.mailing_id}"
    return {
        "mailing": mailing,
        "panel": f"{mailing}/panel",
        "hours": f"{mailing}/hours",
        "links": f"{mailing}/links",
        "link_map": f"{mailing}/map",
        "breakdown": f"{mailing}/breakdown",
        **{
            f"people_{which}": f"{mailing}/people/{which}" for which in ("sent", "failed", "read", "clicked", "removed")
        },
        "people_of_a_link": f"{mailing}/links/{link}",
        "mailings": f"{ADMIN}/mailings/",
        "overview": f"{ADMIN}/",
        "statistics": f"{ADMIN}/statistics/?since=2020-01-01",
        **{f"by_{by}": f"{ADMIN}/statistics/?since=2020-01-01&by={by}" for by in ("sender", "list", "domain")},
        "template_log": f"{ADMIN}/statistics/templates/{template}",
        "record": f"{ADMIN}/statistics/contacts/{SOURCE}/{somebody.contact_key}",
        "received": f"{ADMIN}/mailings/received/{somebody.id}",
    }
