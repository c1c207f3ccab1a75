"""One mailing by everybody: bare smtp-source, our engine in its forms, and what people would use instead."""

from collections.abc import Callable, Sequence

from bench.engine import BY_LOGIC, Way
from bench.findings import Sample, interleave, ratios
from bench.ground import Ground
from bench.peers import naive_rq, smtp_source
from bench.peers.post_office import contest as post_office
from bench.wire import octets_of_one

OURS = {
    "one": Way(),
    "one_asyncio": Way(loop="asyncio"),
    "two": Way(workers=2),
    "logic": Way(words=BY_LOGIC),
}


def measure(ground: Ground) -> None:
    """Fill in the figures of `figures.ENGINE`."""
    found = interleave(_contestants(ground), ground.size.rounds, ground.say)
    for name, samples in found.items():
        ground.findings.keep(f"race.{name}", samples)
    one, bare = found["one"], found["smtp_source"]
    add = ground.findings.add
    add("engine.rate", [sample["rate"] for sample in one])
    add("engine.cpu_us", [sample["cpu_us"] for sample in one])
    for name in OURS:
        add(f"engine.vs_smtp_source.{name}", ratios(found[name], bare, "rate"))
    add("engine.vs_naive_cpu", ratios(found["naive_rq"], one, "cpu_us"))
    add("engine.vs_post_office", [b / a for a, b in zip(_whole(one), _whole(found["post_office"]), strict=True)])
    add("sqlite.vs_postgresql", ratios(found["sqlite"], one, "rate"))


def _contestants(ground: Ground) -> dict[str, Callable[[], Sample]]:
    size, sink, folder = ground.size, ground.sink, ground.folder
    octets = octets_of_one(ground)
    ground.say(f"A message of the standard work item has {octets:,} octets on the wire.")
    naive, office = ground.database("naive_rq"), ground.database("post_office")
    engine, on_sqlite = ground.few, ground.few_on_sqlite

    def ours(way: Way) -> Callable[[], Sample]:
        return lambda: engine.run(sink, size.messages, way)

    return {
        "smtp_source": lambda: smtp_source.run(sink, size.messages, octets),
        **{name: ours(way) for name, way in OURS.items()},
        "sqlite": lambda: on_sqlite.run(sink, size.messages, Way()),
        "naive_rq": lambda: naive_rq.run(naive, ground.redis, sink, size.naive, folder),
        "post_office": lambda: post_office.run(office, sink, size.post_office, folder),
    }


def _whole(samples: Sequence[Sample]) -> list[float]:
    """Microseconds of a message from nothing to sent: into the outbox or the queue, and out of it."""
    return [1e6 / sample["rate"] + sample["fill_us"] for sample in samples]
