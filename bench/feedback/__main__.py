"""`make bench-feedback`: runs every part, or those that are named, prints a table and a last line of JSON.

It ends with 1 where a figure could not be measured. A figure that falls short is said in the table.
"""

import argparse
import logging
import signal
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

from bench.feedback.stage import Size, Stage, stage
from bench.figures import Figure
from bench.findings import BenchFailed
from bench.table import results, table, write
from sample_host.services.child_process import ServiceFailed, ServiceMissing

RESULTS = Path(__file__).parents[1] / "feedback-results.json"
PARTS = ("tracking", "flush", "scanner", "reader", "pages")


def main(words: Sequence[str]) -> int:
    """Run the parts; 0 where everything was measured."""
    asked = _parser().parse_args(words)
    size, began = _size(asked), time.monotonic()
    parts = {name: import_module(f"bench.feedback.{name}") for name in asked.part or PARTS}
    wanted: list[Figure] = [figure for part in parts.values() for figure in part.FIGURES]
    with stage(size, _say) as here:
        for name, part in parts.items():
            _measure(name, part, here)
    print(table(wanted, here.findings))
    print(write(results(here.findings, vars(size), time.monotonic() - began), RESULTS))
    return 1 if any(figure.key not in here.findings.figures for figure in wanted) else 0


def _measure(name: str, part: ModuleType, here: Stage) -> None:
    """A part that cannot be measured does not stop the others; its figures are left out, and why is said."""
    _say(f"--- {name} ---")
    try:
        part.measure(here)
    except (BenchFailed, ServiceMissing, ServiceFailed) as failed:
        _say(f"{name} could not be measured. {failed}")
        here.findings.left_out |= {
            figure.key: str(failed) for figure in part.FIGURES if figure.key not in here.findings.figures
        }


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _size(asked: argparse.Namespace) -> Size:
    return Size(rounds=asked.rounds or (3 if asked.quick else 5), quick=asked.quick)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.feedback", description=__doc__)
    parser.add_argument("part", nargs="*", choices=[[], *PARTS], metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="3 rounds of everything, shorter ones")
    parser.add_argument("--rounds", type=int, help="how often each contestant runs (5)")
    return parser


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    sys.exit(main(sys.argv[1:]))
