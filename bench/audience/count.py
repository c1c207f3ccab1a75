"""A criterion of five conditions, one on related rows and one on history, against SQL written by hand for it."""

from time import monotonic
from typing import Any

from sqlalchemy import text

from bench.audience.crm import SOURCE
from bench.audience.world import World, many, world
from bench.figures import Figure
from bench.findings import BenchFailed, Sample, interleave, ratios
from bench.stage import Stage
from massmail_plugin import audience

FIGURES = (
    Figure("count.seconds", "seconds to count what a criterion of five conditions finds at 1M", most=1),
    Figure("count.vs_hand_sql", "the count over SQL by hand", most=1.3),
)
RULE: dict[str, Any] = {
    "all": [
        {"field": "status", "op": "in", "value": ["customer", "regular"]},
        {"field": "city", "op": "is_not", "value": "Oslo"},
        {"field": "balance", "op": "between", "value": ["100", "700"]},
        {"related": "orders", "rows": "any", "has": {"field": "total", "op": "more", "value": "400"}},
        {"history": "read", "days": 60},
    ]
}
BY_HAND = """
SELECT count(*) FROM contact AS c
WHERE status IN ('customer', 'regular') AND city IS DISTINCT FROM 'Oslo' AND balance BETWEEN 100 AND 700
    AND EXISTS (SELECT 1 FROM customer_order AS o WHERE o.contact_id = c.id AND o.total > 400)
    AND EXISTS (SELECT 1 FROM massmail_outbox_message AS m
        JOIN massmail_event AS e ON e.message_id = m.id JOIN massmail_mailing AS r ON r.id = m.mailing_id
        WHERE m.contact_source = 'contact' AND m.contact_key = c.id::varchar AND NOT e.by_machine
            AND e.kind IN ('open', 'click', 'reply') AND e.at >= now() - interval '60 days'
            AND r.kind NOT IN ('test', 'service'))"""


def measure(stage: Stage) -> None:
    """Fill in FIGURES."""
    here = world(stage, many(stage))
    numbers = {_ours(here)["found"], _by_hand(here)["found"]}
    if len(numbers) != 1 or 0 in numbers:
        raise BenchFailed(f"The criterion and the SQL by hand find different numbers, or nobody: {numbers}.")
    ways = {"count.ours": lambda: _ours(here), "count.by_hand": lambda: _by_hand(here)}
    found = interleave(ways, stage.size.rounds, stage.say)
    for name, samples in found.items():
        stage.findings.keep(name, samples)
    stage.findings.add("count.seconds", [sample["seconds"] for sample in found["count.ours"]])
    stage.findings.add("count.vs_hand_sql", ratios(found["count.ours"], found["count.by_hand"], "seconds"))


def _ours(here: World) -> Sample:
    with here.host() as host:
        began = monotonic()
        number = audience.count(host, host.source(SOURCE), RULE)
        return {"seconds": monotonic() - began, "found": number}


def _by_hand(here: World) -> Sample:
    with here.host() as host:
        began = monotonic()
        number = host.session.scalar(text(BY_HAND)) or 0
        return {"seconds": monotonic() - began, "found": number}
