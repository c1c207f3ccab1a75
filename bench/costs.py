"""What three promises cost: the durable mark, the limits, the opt-out re-check, each as a share of CPU per message.

The whole engine runs against itself without the part, round by round. The part is taken away as `without` says, or,
for the limits, by a sender that has none.
"""

from collections.abc import Callable

from bench.engine import Way
from bench.findings import Sample, interleave
from bench.ground import Ground

WAYS = {
    "all": Way(),
    "mark": Way(without="mark"),
    "limits": Way(sender={}),
    "recheck": Way(without="recheck"),
}
PARTS = ("mark", "limits", "recheck")


def measure(ground: Ground) -> None:
    """Fill in the figures of `figures.COSTS`."""
    engine, sink, messages = ground.few, ground.sink, ground.size.messages

    def run(way: Way) -> Callable[[], Sample]:
        return lambda: engine.run(sink, messages, way)

    found = interleave({name: run(way) for name, way in WAYS.items()}, 2 * ground.size.rounds - 1, ground.say)
    shares = {
        part: [1 - less["cpu_us"] / whole["cpu_us"] for less, whole in zip(found[part], found["all"], strict=True)]
        for part in PARTS
    }
    for name, samples in found.items():
        ground.findings.keep("costs.all" if name == "all" else f"costs.without_{name}", samples)
    for part, values in shares.items():
        ground.findings.add(f"costs.{part}", values)
    ground.findings.add("costs.together", [sum(one) for one in zip(*shares.values(), strict=True)])
