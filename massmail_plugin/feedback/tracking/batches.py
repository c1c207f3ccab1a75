"""Brings hits from this machine's spools to the database, judged in the company they came in.

Web processes, workers, the scheduler and a command enter. Owns its transactions: a batch of events and how far its
spools were read are one commit, so that none is lost and none counts twice, whenever this ends.
"""

import gc
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from flask import Flask, current_app
from sqlalchemy.exc import DataError, IntegrityError

from massmail_plugin.contracts import Host
from massmail_plugin.feedback.machines import BURST
from massmail_plugin.feedback.tracking import positions
from massmail_plugin.feedback.tracking.judged import keep_judged
from massmail_plugin.feedback.tracking.recognised import Recognised, recognise
from massmail_plugin.feedback.tracking.spool import Spooled, SpooledHit, SpoolReader, holding, spool_files
from massmail_plugin.feedback.tracking.stream import Stream
from massmail_plugin.portable_sql import dialect

log = logging.getLogger(__name__)

AT_ONCE = 4_000
"""Hits in one commit."""
FILES_AT_ONCE = 500
"""Files that are open together; more wait for the next time."""


def drain(host: Host, *, wait: timedelta = BURST, stopping: Callable[[], bool] = lambda: False) -> int:
    """Bring to the database what can be judged: hits younger than `wait` stay. The number of events kept.

    0 where another process of this machine is at it. Raises SQLAlchemyError where the database does not answer: the
    hits stay where they are.
    """
    now = host.clock()
    with holding(host.state_dir, now) as ours:
        return _drain(host, now - wait, stopping) if ours else 0


def _drain(host: Host, until: datetime, stopping: Callable[[], bool]) -> int:
    files = spool_files(host.state_dir)[:FILES_AT_ONCE]
    if not files:
        return 0
    try:
        return _drain_files(host, files, until, stopping)
    finally:
        host.session.rollback()


def _drain_files(host: Host, files: Sequence[Path], until: datetime, stopping: Callable[[], bool]) -> int:
    kept = 0
    with ExitStack() as open_files:
        read_to = positions.read(host, files)
        readers = [_opened(path, read_to.get(path.name, 0), open_files) for path in files]
        stream = Stream(reader for reader in readers if reader.size > reader.read_to)
        with ThreadPoolExecutor(1) as reading:
            app = current_app._get_current_object() if dialect(host).name == "postgresql" else None  # type: ignore[attr-defined]
            coming = _Coming(lambda: reading.submit(_read, host, stream, until, app))
            while not stopping() and (batch := coming.take()).lines:
                with _no_collection():
                    kept += _keep(host, batch, read_to, coming.begin)
        _tidy(host, readers, read_to)
    return kept


@dataclass(frozen=True)
class _Batch:
    """Lines, the hits in them and those that come after them in the time of a burst."""

    lines: Sequence[Spooled]
    ahead: Sequence[SpooledHit]
    recognised: Recognised | None = None
    """Looked up already."""

    @property
    def hits(self) -> list[SpooledHit]:
        return [one.hit for one in self.lines if one.hit is not None]

    @property
    def halves(self) -> "tuple[_Batch, _Batch]":
        half = len(self.lines) // 2
        second = _Batch(self.lines[half:], self.ahead)
        return _Batch(self.lines[:half], [*second.hits, *self.ahead]), second


class _Coming:
    """The next batch, which may be begun before it is needed."""

    def __init__(self, submit: "Callable[[], Future[_Batch]]") -> None:
        self._submit = submit
        self._begun: Future[_Batch] | None = None

    def begin(self) -> None:
        self._begun = self._begun or self._submit()

    def take(self) -> _Batch:
        taken, self._begun = self._begun or self._submit(), None
        return taken.result()


def _read(host: Host, stream: Stream, until: datetime, app: Flask | None) -> _Batch:
    """The next batch, in a thread, while the one before it is kept. With `app` its mails are looked up as well."""
    lines = stream.take(AT_ONCE, until)
    batch = _Batch(lines, stream.ahead(lines[-1].at + BURST) if lines else ())
    if app is None or not lines:
        return batch
    with app.app_context():
        return replace(batch, recognised=recognise(host, batch.hits, batch.ahead))


def _opened(path: Path, read_to: int, files: ExitStack) -> SpoolReader:
    reader = SpoolReader(path, read_to)
    files.callback(reader.close)
    return reader


def _keep(host: Host, batch: _Batch, read_to: dict[str, int], meanwhile: Callable[[], object]) -> int:
    """One commit. Where the database refuses it for what it holds, the one line that is at fault is passed over."""
    ends = {one.file: one.end for one in batch.lines}
    try:
        recognised = batch.recognised or recognise(host, batch.hits, batch.ahead)
        kept = keep_judged(host, recognised, meanwhile=meanwhile)
        positions.write(host, read_to, ends)
        host.session.commit()
    except (DataError, IntegrityError) as error:
        host.session.rollback()
        if len(batch.lines) > 1:
            return sum(_keep(host, half, read_to, meanwhile) for half in batch.halves)
        log.error("A hit is passed over, for the database refuses it: %s", type(error).__name__)
        positions.write(host, read_to, ends)
        host.session.commit()
        kept = 0
    read_to.update(ends)
    if torn := sum(one.hit is None for one in batch.lines):
        log.warning("%s lines of the spool were not whole and are passed over", torn)
    return kept


@contextmanager
def _no_collection() -> Iterator[None]:
    """A batch makes very many small objects and no cycles of them; looking for some would take a third of its time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _tidy(host: Host, readers: Sequence[SpoolReader], read_to: Mapping[str, int]) -> None:
    """Remove what is done with. The file goes before its position: without that it would be read once more."""
    done = [reader for reader in readers if reader.left and read_to.get(reader.path.name, 0) >= reader.size]
    for reader in done:
        reader.remove()
    positions.forget(host, [reader.path.name for reader in done])
