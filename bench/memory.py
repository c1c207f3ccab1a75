"""The memory of one worker: at very many recipients, at few, and idle. Peaks that Linux keeps for the process."""

import sys

from bench.engine import Way
from bench.findings import BenchFailed, interleave
from bench.ground import Ground


def measure(ground: Ground) -> None:
    """Fill in the figures of `figures.MEMORY`. The many are sent once, the few in each round."""
    if sys.platform != "linux":
        raise BenchFailed("The peak of a process's memory is read from /proc, which this system does not have.")
    size, engine, sink = ground.size, ground.many, ground.sink
    few = interleave({"memory.few": lambda: engine.run(sink, size.messages, Way())}, size.rounds, ground.say)[
        "memory.few"
    ]
    many = interleave({"memory.many": lambda: engine.run(sink, size.many, Way())}, 1, ground.say)["memory.many"]
    ground.findings.keep("memory.few", few)
    ground.findings.keep("memory.many", many)
    ground.findings.add("engine.rss_over_idle_mb", [many[0]["peak_mb"] - many[0]["idle_mb"]])
    ground.findings.add("engine.rss_growth", [many[0]["peak_mb"] / sample["peak_mb"] for sample in few])
