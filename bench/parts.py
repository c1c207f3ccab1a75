"""Runs the parts of a benchmark: each a module with FIGURES and `measure(stage)`. A table, then a last line of JSON."""

import argparse
import logging
import signal
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

from bench.figures import Figure
from bench.findings import BenchFailed
from bench.stage import Size, Stage, stage
from bench.table import results, table, write
from sample_host.services.child_process import ServiceFailed, ServiceMissing


def run(package: str, parts: Sequence[str], kept_in: Path, words: Sequence[str], about: str | None) -> int:
    """Run the parts named in `words`, else all; 0 where everything was measured. A figure that falls short is said."""
    logging.basicConfig(level=logging.WARNING)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    asked = _parser(package, parts, about).parse_args(words)
    size, began = _size(asked), time.monotonic()
    modules = {name: import_module(f"{package}.{name}") for name in asked.part or parts}
    wanted: list[Figure] = [figure for part in modules.values() for figure in part.FIGURES]
    with stage(size, _say) as here:
        for name, part in modules.items():
            _measure(name, part, here)
    print(table(wanted, here.findings))
    print(write(results(here.findings, vars(size), time.monotonic() - began), kept_in))
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


def _parser(package: str, parts: Sequence[str], about: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {package}", description=about)
    parser.add_argument("part", nargs="*", choices=[[], *parts], metavar="PART", help=", ".join(parts))
    parser.add_argument("--quick", action="store_true", help="3 rounds of everything, smaller ones")
    parser.add_argument("--rounds", type=int, help="how often each contestant runs (5)")
    return parser
