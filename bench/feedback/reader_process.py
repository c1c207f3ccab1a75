"""A process that reads the mails of a folder, over and over ("rate") or each once ("peak")."""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.children import cpu_seconds, work_when_told
from bench.worker import forget_peak, memory
from massmail_plugin.feedback.reports import read_report

SECONDS = 4.0


def main(what: str, folder: str) -> None:
    """Read each mail once, so that everything is loaded, unless it is their memory that counts."""
    files = sorted(Path(folder).iterdir())
    if what == "rate":
        for file in files:
            _read(file)
    else:
        read_report(b"From: MAILER-DAEMON@mx.example\nSubject: failure notice\n\n<a@shop.example>: user unknown\n")
    forget_peak()
    work_when_told(lambda: _rate(files) if what == "rate" else _peak(files), idle_mb=memory("VmRSS"))


def _rate(files: list[Path]) -> Mapping[str, Any]:
    read, began, until = 0, cpu_seconds(), time.monotonic() + SECONDS
    while time.monotonic() < until:
        for file in files:
            _read(file)
        read += len(files)
    return {"per_s": read / (cpu_seconds() - began)}


def _peak(files: list[Path]) -> Mapping[str, Any]:
    slowest = 0.0
    for file in files:
        began = time.monotonic()
        _read(file)
        slowest = max(slowest, time.monotonic() - began)
    return {"peak_mb": memory("VmHWM"), "slowest_s": slowest}


def _read(file: Path) -> None:
    with file.open("rb") as stream:
        read_report(stream)


if __name__ == "__main__":
    main(*sys.argv[1:])
