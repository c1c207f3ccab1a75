"""`make faults`: does the runs, prints a table, and as last line one JSON object (also in faults/results.json).

`python -m faults [NAME ...] [--quick] [--list]`; a name may end with `*`. Exit code 1 where a promise was not kept.
"""

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from types import FrameType

import click

from faults.run import Fault, Run, Stand
from faults.runs import FAULTS

RESULTS = Path(__file__).with_name("results.json")


def main(arguments: Sequence[str] | None = None) -> int:
    """Entered by `make faults`."""
    parser = argparse.ArgumentParser(prog="faults", description="Break things while mailings run.")
    parser.add_argument("names", nargs="*", help="runs, `*` allowed; all without any")
    parser.add_argument("--quick", action="store_true", help="a short form of each")
    parser.add_argument("--list", action="store_true", help="name the runs and end")
    chosen = parser.parse_args(arguments)
    found = select(chosen.names)
    if chosen.list:
        for fault in found:
            click.echo(f"{fault.name:26} {fault.about}")
        return 0
    signal.signal(signal.SIGTERM, leave)
    done = act(found, quick=chosen.quick)
    results = summary(done, quick=chosen.quick)
    line = json.dumps(results, ensure_ascii=False)
    RESULTS.write_text(line + "\n", encoding="utf-8")
    click.echo(line)
    return 0 if all(run.ok for run in done) else 1


def leave(number: int, frame: FrameType | None) -> None:
    """SIGTERM: end what was started, then go."""
    raise SystemExit(1)


def select(names: Sequence[str]) -> list[Fault]:
    """The runs that are meant, in their order."""
    unknown = [name for name in names if not any(fnmatch(known, name) for known in FAULTS)]
    if unknown:
        raise SystemExit(f"There is no run “{unknown[0]}”; --list names them.")
    return [fault for fault in FAULTS.values() if not names or any(fnmatch(fault.name, name) for name in names)]


def act(found: Sequence[Fault], *, quick: bool) -> list[Run]:
    """Do them one after the other, each with a line of the table as it ends."""
    stand, done = Stand(), []
    try:
        for fault in found:
            run = fault.run(stand, quick=quick)
            done.append(run)
            click.echo(row(run))
            sys.stdout.flush()
    finally:
        stand.close()
    return done


def row(run: Run) -> str:
    """A line of the table."""
    numbers = f"{run.kills:5} {run.lost:5} {run.doubled:8} {run.uncertain:10} {run.seconds:7.1f}"
    said = "; ".join([*run.problems, *run.notes]).replace("\n", " | ")
    return f"{'ok ' if run.ok else 'BAD'} {run.name:26} {numbers}  {said}"


def summary(done: Sequence[Run], *, quick: bool) -> dict[str, object]:
    """What the last line says.

    Kills and their uncertain rows are those of the kill runs; lost and doubled are those of all runs.
    """
    storms = [run for run in done if run.name.startswith("kills-")]
    default = [run.resumed_within_s for run in done if run.name == "kills-default"]
    return {
        "kills": sum(run.kills for run in storms),
        "lost": sum(run.lost for run in done),
        "doubled": sum(run.doubled for run in done),
        "uncertain": sum(run.uncertain for run in storms),
        "max_uncertain_per_kill": max((run.max_uncertain_per_kill for run in storms), default=0),
        "resumed_within_s": default[0] if default else None,
        "ok": all(run.ok for run in done),
        "quick": quick,
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "faults": [run.to_json() for run in done],
    }


if __name__ == "__main__":
    sys.exit(main())
