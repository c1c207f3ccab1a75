"""Contestants in Python as processes: started, told to begin together, heard, and ended by their own process id.

Such a process writes a line of JSON when it is ready, waits for a line, does its work, and writes what it took.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from select import select
from typing import Any

from bench.findings import BenchFailed, Sample
from sample_host.services.child_process import end_with_parent

LONGEST = 1200.0
ROOT = Path(__file__).parents[1]


@contextmanager
def children(
    module: str, number: int, words: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator["Children"]:
    """`number` processes of `python -m module words`, ready to begin."""
    with ExitStack() as stack, log.open("ab") as errors:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", module, *words],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    cwd=ROOT,
                    env={**os.environ, **(environment or {})},
                    preexec_fn=end_with_parent(signal.SIGKILL),
                )
            )
            for _ in range(number)
        ]
        for process in processes:
            stack.callback(process.kill)
        made = Children(processes, log)
        made.ready = made.hear()
        yield made


class Children:
    """Processes that work together. `ready` is what each said when it was."""

    def __init__(self, processes: list[subprocess.Popen[bytes]], log: Path) -> None:
        self._processes = processes
        self._log = log
        self.ready: list[dict[str, Any]] = []

    def go(self) -> list[dict[str, Any]]:
        """Let all begin; what each says in the end."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write(b"go\n")
            process.stdin.flush()
        return self.hear()

    def hear(self) -> list[dict[str, Any]]:
        """The next line of each. Raises BenchFailed where one ended instead."""
        return [self._line(process) for process in self._processes]

    def _line(self, process: subprocess.Popen[bytes]) -> dict[str, Any]:
        assert process.stdout is not None
        heard, _, _ = select([process.stdout], [], [], LONGEST)
        line = process.stdout.readline() if heard else b""
        if not line:
            what = "ended before its time" if heard else f"was still busy after {LONGEST:,.0f} seconds"
            raise BenchFailed(f"A process {what}. Its log ends:\n{self._log.read_text()[-1500:]}")
        said: dict[str, Any] = json.loads(line)
        return said


def work_when_told(work: Callable[[], Mapping[str, Any]], **ready: Any) -> None:
    """The child's side: say that it is ready, wait for the word, work, say what it took."""
    _say(ready)
    sys.stdin.readline()
    began, cpu = time.monotonic(), cpu_seconds()
    done = work()
    _say({"began": began, "ended": time.monotonic(), "cpu": cpu_seconds() - cpu, **done})


def _say(words: Mapping[str, Any]) -> None:
    print(json.dumps(words), flush=True)


def cpu_seconds() -> float:
    """CPU time of this process, all its threads, and its children that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def together(said: Sequence[Mapping[str, Any]], messages: int) -> Sample:
    """What processes that worked together reached: from the first beginning to the last end."""
    seconds = max(one["ended"] for one in said) - min(one["began"] for one in said)
    return {"rate": messages / seconds, "cpu_us": sum(one["cpu"] for one in said) / messages * 1e6}
