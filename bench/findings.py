"""What a run found: samples of each contestant in rounds, the figures made of them, and what had to be left out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

Sample = dict[str, float]
"""What one contestant reached in one round: `rate` in messages per second, `cpu_us` per message, and so on."""


class BenchFailed(Exception):
    """A contestant did not do its work, or something it needs is missing; the message says what."""


@dataclass
class Findings:
    """Everything measured so far. A figure is kept with its value of every round; its median counts."""

    figures: dict[str, list[float]] = field(default_factory=dict)
    raw: dict[str, dict[str, Any]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def keep(self, name: str, samples: Sequence[Sample]) -> None:
        """Keep what a contestant reached, as median, least and most of each of its numbers."""
        self.raw[name] = {"rounds": len(samples)} | {
            key: spread([sample[key] for sample in samples]) for key in samples[0]
        }

    def add(self, figure: str, values: Sequence[float]) -> None:
        """Keep a figure."""
        self.figures[figure] = list(values)

    def value(self, figure: str) -> float | None:
        """The median of a figure; None where it was not measured."""
        return median(self.figures[figure]) if figure in self.figures else None


def interleave(
    contestants: Mapping[str, Callable[[], Sample]], rounds: int, say: Callable[[str], None]
) -> dict[str, list[Sample]]:
    """Let all contestants run in each round, so that what else the machine does hits them alike.

    Every other round goes backwards: nobody always runs after the same neighbour.
    """
    found: dict[str, list[Sample]] = {name: [] for name in contestants}
    for number in range(rounds):
        for name in list(contestants)[:: -1 if number % 2 else 1]:
            sample = contestants[name]()
            found[name].append(sample)
            say(f"round {number + 1} of {rounds}  {name:<22} {told(sample)}")
    return found


def told(sample: Sample) -> str:
    """A sample in words."""
    return "  ".join(f"{key} {value:,.1f}" for key, value in sample.items())


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, least and most."""
    return {"median": median(values), "min": min(values), "max": max(values)}


def ratios(one: Sequence[Sample], other: Sequence[Sample], key: str) -> list[float]:
    """`one` over `other`, round by round."""
    return [a[key] / b[key] for a, b in zip(one, other, strict=True)]
