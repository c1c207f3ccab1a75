"""Looks at what really leaves: a few messages of the engine, taken by a server that counts octets and signatures."""

from bench.engine import Way
from bench.findings import BenchFailed
from bench.ground import Ground
from bench.sinks import slow_sink

A_FEW = 100


def octets_of_one(ground: Ground) -> int:
    """The size of one message of the standard work item."""
    return _seen(ground, Way())[0]


def check_signatures(ground: Ground, way: Way, number: int) -> None:
    """Raise BenchFailed where a message does not carry so many DKIM signatures."""
    signatures = _seen(ground, way)[1]
    if signatures != number:
        raise BenchFailed(f"Messages carry {signatures:g} DKIM signatures instead of {number}.")


def _seen(ground: Ground, way: Way) -> tuple[int, float]:
    with slow_sink(ground.folder, 0) as sink:
        ground.few.run(sink, A_FEW, way)
        taken, octets, signatures = sink.counts()
    return round(octets / taken), signatures / taken
