"""A worker of ours without RQ around it, run as a process: `python -m bench.worker SETTINGS LOOP WITHOUT`.

SETTINGS are the host's, as JSON; LOOP is uvloop or asyncio; WITHOUT names what is taken away to see what it costs.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import uvloop
from flask import Flask

from bench import without
from bench.children import work_when_told
from bench.host import create_app, host_of
from massmail_plugin.sending import run_lane

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "uvloop": uvloop.new_event_loop,
    "asyncio": asyncio.new_event_loop,
}


def main(settings: str, loop: str, taken_away: str) -> None:
    """Send everything that is due, in lanes as long as a job's."""
    without.take_away(taken_away)
    app = create_app(json.loads(settings))
    _lane(app, loop)
    forget_peak()
    work_when_told(lambda: _send(app, loop), idle_mb=memory("VmRSS"))


def _send(app: Flask, loop: str) -> Mapping[str, Any]:
    while _lane(app, loop):
        pass
    return {"peak_mb": memory("VmHWM")}


def _lane(app: Flask, loop: str) -> bool:
    """One job's worth, in a context of its own; True where more is due."""
    with app.app_context():
        host = host_of(app)
        return run_lane(host, seconds=host.config.lane_seconds, loop_factory=LOOPS[loop]).more


def memory(what: str) -> float:
    """VmRSS (now) or VmHWM (the peak) of this process in MB, read from Linux; 0 elsewhere."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except FileNotFoundError:
        return 0.0
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{what}:"))


def forget_peak() -> None:
    """Let the peak begin now: until here it is that of importing."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


if __name__ == "__main__":
    main(*sys.argv[1:])
