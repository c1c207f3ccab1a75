"""A relay that answers after 20 ms: what one worker sends over 200 connections."""

from dataclasses import replace

from bench.engine import Way
from bench.findings import interleave
from bench.ground import Ground
from bench.sinks import slow_sink

MILLISECONDS = 20
WAY = Way(connections=200)


def measure(ground: Ground) -> None:
    """Fill in the figures of `figures.RELAY`; asyncio alone is told beside it."""
    engine, messages = ground.few, ground.size.messages
    with slow_sink(ground.folder, MILLISECONDS) as sink:
        found = interleave(
            {
                "relay_20ms": lambda: engine.run(sink, messages, WAY),
                "relay_20ms_asyncio": lambda: engine.run(sink, messages, replace(WAY, loop="asyncio")),
            },
            ground.size.rounds,
            ground.say,
        )
    for name, samples in found.items():
        ground.findings.keep(name, samples)
    ground.findings.add("relay_20ms.rate", [sample["rate"] for sample in found["relay_20ms"]])
