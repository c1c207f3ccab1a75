"""The click redirect and the open pixel, against a view that does nothing: same server, same run, round by round.

Gunicorn with one sync worker. Bringing the hits to the database is measured by itself (`flush`), so nobody drains
meanwhile; afterwards each hit that was answered must be there.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from socket import create_connection, socket
from time import monotonic, sleep
from typing import Any

from sqlalchemy import func, select

from bench.children import ROOT
from bench.feedback.mails import LINKS, environment, host_with_mail, message_ids, settings
from bench.figures import Figure
from bench.findings import BenchFailed, Sample, ratios, told
from bench.host import context
from bench.stage import Stage
from massmail_plugin import feedback
from massmail_plugin.contracts import Host
from massmail_plugin.feedback.tracking.spool import holding
from massmail_plugin.models import Event
from massmail_plugin.signed_links import message_token
from sample_host.services.child_process import start

FIGURES = (
    Figure("tracking.nothing_per_s", "requests a second of a view that does nothing"),
    Figure("tracking.click_vs_nothing", "the click redirect over it"),
    Figure("tracking.open_vs_nothing", "the open pixel over it"),
    Figure("tracking.vs_nothing", "the slower of the two over it", least=0.85),
)
MAILS = 5_000
EXPECTED = {"nothing": "200", "click": "302", "open": "200"}
SLICES, QUICK_SLICES = 20, 8
TO_START, TO_LOAD = 30.0, 300.0


def measure(stage: Stage) -> None:
    """Fill in FIGURES."""
    made = settings(stage.database("tracking"), stage.folder / "tracking-state")
    app, mailing_id = host_with_mail(made, MAILS)
    with context(app) as host:
        files = _paths(host, mailing_id, stage.folder)
        (host.state_dir / "spool").mkdir(parents=True)
        with holding(host.state_dir, host.clock()) as ours, _serving(made, stage.folder) as port:
            assert ours
            found = _rounds(stage, files, port)
        _all_are_there(host, sum(sample["answers"] for name in ("click", "open") for sample in found[name]))
    clicks, opens = (ratios(found[name], found["nothing"], "rate") for name in ("click", "open"))
    add = stage.findings.add
    add("tracking.nothing_per_s", [sample["rate"] for sample in found["nothing"]])
    add("tracking.click_vs_nothing", clicks)
    add("tracking.open_vs_nothing", opens)
    add("tracking.vs_nothing", list(map(min, clicks, opens)))


def _paths(host: Host, mailing_id: int, folder: Path) -> Mapping[str, Path]:
    """Contestant -> a file with the paths that are asked for, each mail's own."""
    tokens = [message_token(host.config, message_id, mailing_id) for message_id in message_ids(host, mailing_id)]
    prefix = host.config.url_prefix
    paths = {
        "nothing": ["/nothing"],
        "click": [f"{prefix}/c/{token}/{number % LINKS + 1}" for number, token in enumerate(tokens)],
        "open": [f"{prefix}/o/{token}.gif" for token in tokens],
    }
    for name, lines in paths.items():
        (folder / name).write_text("\n".join(lines))
    return {name: folder / name for name in paths}


@contextmanager
def _serving(made: Mapping[str, Any], folder: Path) -> Iterator[int]:
    """The port of gunicorn with one sync worker."""
    with closing(socket()) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    words = ("-k", "sync", "-w", "1", "--threads", "1", "-b", f"127.0.0.1:{port}", "--no-control-socket")
    command = [sys.executable, "-m", "gunicorn", "--chdir", str(ROOT), *words, "bench.feedback.web:app"]
    server = start(command, log=folder / "gunicorn.log", environment=environment(made))
    try:
        _wait_for(port, server.log_tail)
        yield port
    finally:
        server.stop()


def _wait_for(port: int, log_tail: Any) -> None:
    end = monotonic() + TO_START
    while True:
        try:
            create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if monotonic() > end:
                raise BenchFailed(f"gunicorn does not answer. Its log ends:\n{log_tail()}") from None
            sleep(0.1)


def _rounds(stage: Stage, files: Mapping[str, Path], port: int) -> dict[str, list[Sample]]:
    _load(port, 1, files)
    found: dict[str, list[Sample]] = {name: [] for name in files}
    for number in range(stage.size.rounds):
        for name, sample in _load(port, QUICK_SLICES if stage.size.quick else SLICES, files).items():
            found[name].append(sample)
            stage.say(f"round {number + 1} of {stage.size.rounds}  {name:<22} {told(sample)}")
    for name, samples in found.items():
        stage.findings.keep(f"tracking.{name}", samples)
    return found


def _load(port: int, slices: int, files: Mapping[str, Path]) -> dict[str, Sample]:
    """Requests a second of each contestant; each must have been answered as it should be."""
    words = [sys.executable, "-m", "bench.feedback.load", str(port), str(slices), *map(str, files.values())]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=TO_LOAD, check=False)
    if said.returncode:
        raise BenchFailed(f"The load could not be made: {said.stderr[-1000:]}")
    return {name: _sample(name, *one) for name, one in zip(files, json.loads(said.stdout), strict=True)}


def _sample(name: str, answered: Mapping[str, int], seconds: float) -> Sample:
    if set(answered) != {EXPECTED[name]}:
        raise BenchFailed(f"{name} was answered otherwise than it should be: {answered}")
    return {"rate": sum(answered.values()) / seconds, "answers": sum(answered.values())}


def _all_are_there(host: Host, answered: float) -> None:
    """The hits of the rounds, and those that made the server warm."""
    feedback.drain(host, wait=timedelta(0))
    kept = host.session.scalar(select(func.count()).select_from(Event)) or 0
    if kept < answered:
        raise BenchFailed(f"{answered:,.0f} hits were answered, {kept:,} are there.")
