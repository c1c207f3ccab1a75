"""The whole funnel before sending, with every step it has but a criterion, against SQL written by hand for the same.

Two ways by hand: the one that works each value out once, and the one made of joins alone, which the database can share
out among several processors. The quicker one counts, and both must find what the funnel finds.
"""

from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Any

from sqlalchemy import text

from bench.audience.crm import SOURCE, STATUSES
from bench.audience.world import NEWS, OFFERS, OLD, STAFF, World, many, world
from bench.figures import Figure
from bench.findings import BenchFailed, Sample, interleave
from bench.stage import Stage
from massmail_plugin import mailings
from massmail_plugin.contracts import Host
from massmail_plugin.models import Mailing
from massmail_plugin.portable_sql import room_to_sort
from massmail_plugin.vocabulary import ResendOf, ResendWindow

FIGURES = (
    Figure("funnel.seconds", "seconds of the whole funnel at 1M, without a criterion", most=4),
    Figure("funnel.vs_hand_sql", "the funnel over the best SQL by hand", most=1.3),
)
CHOSEN = STATUSES[:5]
WEEK = timedelta(days=7)

_STEPS = ("status", "included", "active", "with_address", "usable", "willing", "allowed", "rested", "paced")
_BAD = """{0} NOT LIKE '_%@_%._%' OR {0} LIKE '%@%@%' OR length({0}) > 254 OR {0} ~ '[ \\t\\r\\n,;<"([]'"""
_LISTED = """SELECT contact_key FROM massmail_subscription
    WHERE contact_source = 'contact' AND state = 'subscribed' AND list_id = ANY (:active)"""
_REACHES = (
    "(scope = 'all_but_transactional' OR scope = 'list' AND list_id = ANY (:lists)) AND (until IS NULL OR until > :now)"
)
_WISH = "reason IN ('opt_out', 'pause')"
_RECENT = "SELECT id FROM massmail_mailing WHERE kind IN ('one_off', 'step') AND finished_at > :since"
_MAILED = f"""SELECT contact_key FROM massmail_outbox_message WHERE contact_source = 'contact'
    AND mailing_id IN ({_RECENT})
    AND (state IN ('sent', 'uncertain') AND settled_at > :since OR state IN ('planned', 'deferred'))"""
_SOON = """SELECT f.contact_key FROM massmail_frequency f WHERE f.contact_source = 'contact' AND EXISTS (
    SELECT 1 FROM massmail_outbox_message o JOIN massmail_mailing m ON m.id = o.mailing_id
    WHERE o.contact_source = f.contact_source AND o.contact_key = f.contact_key AND o.mailing_id <> :asking
        AND m.kind NOT IN ('test', 'service') AND o.state IN ('sent', 'uncertain')
        AND o.settled_at > :now - make_interval(days => f.days))"""
_EXCLUDED = """SELECT contact_key FROM massmail_subscription
    WHERE list_id = :staff AND contact_source = 'contact' AND state = 'subscribed'"""

BY_VALUES = f"""
SELECT step, count(*), count(DISTINCT CASE WHEN step = 9 THEN normal END COLLATE "C") FROM (
    SELECT CASE WHEN status <> ALL (:chosen) THEN 0
        WHEN key IN ({_EXCLUDED}) THEN 1
        WHEN NOT active THEN 2 WHEN address = '' THEN 3 WHEN {_BAD.format("address")} THEN 4
        WHEN key IN (SELECT contact_key FROM massmail_suppression
                WHERE contact_source = 'contact' AND {_WISH} AND {_REACHES})
            OR normal IN (SELECT address FROM massmail_suppression
                WHERE address IS NOT NULL AND {_WISH} AND {_REACHES}) THEN 5
        WHEN key IN (SELECT contact_key FROM massmail_suppression
                WHERE contact_source = 'contact' AND NOT {_WISH} AND {_REACHES})
            OR normal IN (SELECT address FROM massmail_suppression
                WHERE address IS NOT NULL AND NOT {_WISH} AND {_REACHES}) THEN 6
        WHEN key IN ({_MAILED}) THEN 7 WHEN key IN ({_SOON}) THEN 8 ELSE 9 END AS step, normal
    FROM (SELECT id::varchar AS key, status, active, trim(coalesce(email, '')) AS address,
            lower(trim(coalesce(email, ''))) AS normal
        FROM contact WHERE id::varchar IN ({_LISTED}) OFFSET 0) AS people
    OFFSET 0) AS judged
GROUP BY step"""
BY_JOINS = f"""
SELECT step, count(*), count(DISTINCT CASE WHEN step = 9 THEN normal END COLLATE "C") FROM (
    SELECT CASE WHEN status <> ALL (:chosen) THEN 0 WHEN staff.contact_key IS NOT NULL THEN 1
        WHEN NOT active THEN 2 WHEN trim(coalesce(email, '')) = '' THEN 3 WHEN {_BAD.format("trim(email)")} THEN 4
        WHEN own.wish OR theirs.wish THEN 5 WHEN NOT own.wish OR NOT theirs.wish THEN 6
        WHEN mailed.contact_key IS NOT NULL THEN 7 WHEN soon.contact_key IS NOT NULL THEN 8 ELSE 9 END AS step,
        lower(trim(email)) AS normal
    FROM (SELECT * FROM contact WHERE id::varchar IN ({_LISTED})) AS people
    LEFT JOIN ({_EXCLUDED}) AS staff ON staff.contact_key = id::varchar
    LEFT JOIN (SELECT contact_key, bool_or({_WISH}) AS wish FROM massmail_suppression
        WHERE contact_source = 'contact' AND {_REACHES} GROUP BY 1) AS own ON own.contact_key = id::varchar
    LEFT JOIN (SELECT address, bool_or({_WISH}) AS wish FROM massmail_suppression
        WHERE address IS NOT NULL AND {_REACHES} GROUP BY 1) AS theirs ON theirs.address = lower(trim(email))
    LEFT JOIN (SELECT DISTINCT contact_key FROM ({_MAILED}) AS m) AS mailed ON mailed.contact_key = id::varchar
    LEFT JOIN ({_SOON}) AS soon ON soon.contact_key = id::varchar) AS judged
GROUP BY step"""
ARCHIVED = """
SELECT count(*), count(*) FILTER (WHERE status = ANY (:chosen)) FROM contact
WHERE id IN (SELECT contact_key::int FROM massmail_subscription
        WHERE contact_source = 'contact' AND state = 'subscribed' AND list_id = :old)
    AND NOT EXISTS (SELECT 1 FROM massmail_subscription AS s WHERE s.contact_source = 'contact'
        AND s.contact_key = contact.id::varchar AND s.state = 'subscribed' AND s.list_id = ANY (:active))"""

Counted = dict[str, int]
"""Step -> left out in it; "listed" and "will_get" themselves."""


def measure(stage: Stage) -> None:
    """Fill in FIGURES."""
    here = world(stage, many(stage))
    mailing_id = draft(here)
    ways: dict[str, Callable[[Host], Counted]] = {
        "funnel.ours": lambda host: _ours(host, mailing_id),
        "funnel.by_values": lambda host: _by_hand(host, BY_VALUES, here, mailing_id),
        "funnel.by_joins": lambda host: _by_hand(host, BY_JOINS, here, mailing_id),
    }
    _agree(here, ways)
    found = interleave({name: _timed(here, way) for name, way in ways.items()}, stage.size.rounds, stage.say)
    for name, samples in found.items():
        stage.findings.keep(name, samples)
    ours = [sample["seconds"] for sample in found["funnel.ours"]]
    by_hand = zip(found["funnel.by_values"], found["funnel.by_joins"], strict=True)
    best = [min(one["seconds"], other["seconds"]) for one, other in by_hand]
    stage.findings.add("funnel.seconds", ours)
    stage.findings.add("funnel.vs_hand_sql", [own / hand for own, hand in zip(ours, best, strict=True)])


def draft(here: World) -> int:
    """A draft that asks for every step."""
    with here.host() as host:
        made = mailings.create(
            host,
            name="To be sent",
            contact_source=SOURCE,
            by="bench",
            list_ids=[here.lists[name] for name in (NEWS, OFFERS, OLD)],
            excluded_list_ids=[here.lists[STAFF]],
            contact_statuses=list(CHOSEN),
            resend_window=ResendWindow.WEEK.value,
            resend_of=ResendOf.ANY.value,
        )
        mailing_id = made.id
        host.session.commit()
    return mailing_id


def _ours(host: Host, mailing_id: int) -> Counted:
    steps = mailings.funnel(host, host.session.get_one(Mailing, mailing_id))
    edges = {name: step.count for step in steps if (name := step.name) in ("listed", "will_get")}
    return {step.name: step.left_out for step in steps if step.taken} | edges


def _by_hand(host: Host, statement: str, here: World, mailing_id: int) -> Counted:
    room_to_sort(host)
    now = host.clock()
    given: dict[str, Any] = {
        "chosen": list(CHOSEN),
        "active": [here.lists[NEWS], here.lists[OFFERS]],
        "lists": [here.lists[NEWS], here.lists[OFFERS], here.lists[OLD]],
        "staff": here.lists[STAFF],
        "old": here.lists[OLD],
        "asking": mailing_id,
        "now": now,
        "since": now - WEEK,
    }
    rows = {step: (count, kept) for step, count, kept in _run(host, statement, given)}
    alone, chosen = _run(host, ARCHIVED, given)[0]
    goes, kept = rows.pop(len(_STEPS), (0, 0))
    fell = {name: rows.get(number, (0, 0))[0] for number, name in enumerate(_STEPS)}
    fell |= {"open": chosen, "unique": goes - kept, "status": fell["status"] + alone - chosen}
    return fell | {"listed": sum(fell.values()) + kept, "will_get": kept}


def _run(host: Host, statement: str, given: dict[str, Any]) -> Any:
    return host.session.execute(
        text(statement), {name: one for name, one in given.items() if f":{name}" in statement}
    ).all()


def _agree(here: World, ways: dict[str, Callable[[Host], Counted]]) -> None:
    """All ways find the same; this also warms them up."""
    found = {}
    for name, way in ways.items():
        with here.host() as host:
            found[name] = way(host)
    first = found.pop("funnel.ours")
    for name, other in found.items():
        if other != first:
            raise BenchFailed(f"{name} finds {other}, the funnel {first}.")
    if not all(first.values()):
        raise BenchFailed(f"A step leaves nobody out, so it was not measured: {first}.")


def _timed(here: World, way: Callable[[Host], Counted]) -> Callable[[], Sample]:
    def sample() -> Sample:
        with here.host() as host:
            began = monotonic()
            way(host)
            return {"seconds": monotonic() - began}

    return sample
