"""`make bench`: runs every contest, or those that are named, prints a table and, as the last line, one JSON object.

It ends with 1 where a figure could not be measured. A figure that falls short is said in the table.
"""

import argparse
import logging
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from bench import costs, dkim, figures, fill, memory, panel, race, relay
from bench.figures import Figure
from bench.findings import BenchFailed
from bench.ground import QUICK, Ground, Size, ground
from bench.table import results, table, write
from sample_host.services.child_process import ServiceFailed, ServiceMissing

RESULTS = Path(__file__).with_name("results.json")
CONTESTS: dict[str, tuple[Callable[[Ground], None], Sequence[Figure]]] = {
    "race": (race.measure, figures.ENGINE),
    "costs": (costs.measure, figures.COSTS),
    "relay": (relay.measure, figures.RELAY),
    "dkim": (dkim.measure, figures.DKIM),
    "memory": (memory.measure, figures.MEMORY),
    "fill": (fill.measure, figures.FILL),
    "panel": (panel.measure, figures.PANEL),
}


def main(words: Sequence[str]) -> int:
    """Run the contests; 0 where everything was measured."""
    asked = _parser().parse_args(words)
    size, began = _size(asked), time.monotonic()
    names = asked.contest or list(CONTESTS)
    wanted = [figure for name in names for figure in CONTESTS[name][1]]
    with ground(size, _say) as here:
        for name in names:
            _measure(name, here)
    print(table(wanted, here.findings))
    print(write(results(here.findings, vars(size), time.monotonic() - began), RESULTS))
    return 1 if any(figure.key not in here.findings.figures for figure in wanted) else 0


def _measure(name: str, here: Ground) -> None:
    """One contest that cannot be held does not stop the others; its figures are left out, and why is said."""
    measure, made = CONTESTS[name]
    _say(f"--- {name} ---")
    try:
        measure(here)
    except (BenchFailed, ServiceMissing, ServiceFailed) as failed:
        _say(f"{name} could not be measured. {failed}")
        here.findings.left_out |= {
            figure.key: str(failed) for figure in made if figure.key not in here.findings.figures
        }


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _size(asked: argparse.Namespace) -> Size:
    size = QUICK if asked.quick else Size()
    return replace(size, rounds=asked.rounds) if asked.rounds else size


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("contest", nargs="*", choices=[[], *CONTESTS], metavar="CONTEST", help=", ".join(CONTESTS))
    parser.add_argument("--quick", action="store_true", help="3 rounds, fewer messages, 200,000 for the many")
    parser.add_argument("--rounds", type=int, help="how often each contestant runs (5)")
    return parser


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    sys.exit(main(sys.argv[1:]))
