"""Imports at work: slice by slice, each with its progress in one transaction, so that a killed worker loses nothing.

Jobs and the command line enter; the room commits after each slice.
"""

import logging
import time
from collections.abc import Callable, Mapping

from sqlalchemy import select, update

from massmail_plugin import leases
from massmail_plugin.audience.imports.creating import create
from massmail_plugin.audience.imports.file_parts import PartKind, drop_parts, keep_errors, open_file
from massmail_plugin.audience.imports.judging import SHOWN, counted, judge, problems, to_change, unknown
from massmail_plugin.audience.imports.keeping import AT_WORK
from massmail_plugin.audience.imports.mapping import ColumnMapping
from massmail_plugin.audience.imports.problem_file import problem_lines
from massmail_plugin.audience.imports.purposes import Purpose, Subscribe, purpose_of
from massmail_plugin.audience.imports.rows import SLICES, FileRows, Problem, Slice
from massmail_plugin.audience.imports.staging import match, own_addresses, staged
from massmail_plugin.audience.table_files import Reading, open_table
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.subscriptions.subscribing import subscribe
from massmail_plugin.contracts import Host
from massmail_plugin.errors import MassMailError
from massmail_plugin.models import Import, Lease
from massmail_plugin.portable_sql import changed, dialect, room_to_sort
from massmail_plugin.vocabulary import ConsentWay, ImportState, RowVerdict

log = logging.getLogger(__name__)

LEASE = "import "
"""What the name of a lease begins with; the number of the import follows."""
LEASE_SECONDS = 120
WAIT_SECONDS = 0.5
"""Between two looks at an import that another worker has."""
MOST_ATTEMPTS = 5
"""So often in a row an import may end without having got on; then it has failed."""


def never() -> bool:
    return False


def never_mind(row: Import) -> None:
    """Nobody wants to hear."""


def due(host: Host) -> list[int]:
    """The imports that have work to do and nobody works on, in the order in which they were brought."""
    waiting = select(Import.id).where(Import.state.in_(AT_WORK)).order_by(Import.id)
    held = select(Lease.name).where(Lease.name.startswith(LEASE), Lease.until > leases.database_now(host))
    found = list(host.session.scalars(waiting))
    taken = set(host.session.scalars(held)) if found else set()
    return [import_id for import_id in found if f"{LEASE}{import_id}" not in taken]


def run(
    host: Host,
    import_id: int,
    *,
    seconds: float | None = None,
    stopping: Callable[[], bool] = never,
    slice_: int | None = None,
    told: Callable[[Import], object] = never_mind,
) -> bool:
    """Work on an import until it is done, for about so many seconds, or until `stopping`; True if there is more to do.

    `told` hears after each slice how far it is. Nothing happens where another worker has it. What is wrong with the
    file ends in the row's `fault`, in words.
    """
    lease = f"{LEASE}{import_id}"
    if not leases.take(host, lease, seconds=LEASE_SECONDS):
        return False
    try:
        return _Run(host, import_id, slice_ or SLICES[dialect(host).name]).until(seconds, stopping, told)
    except MassMailError as error:
        host.session.rollback()
        _end(host, import_id, ImportState.FAILED, fault=str(error))
        return False
    finally:
        host.session.rollback()
        leases.give_back(host, lease)


def complete(host: Host, import_id: int, *, told: Callable[[Import], object] = never_mind) -> Import:
    """Work on an import here until it is over, or wait for the worker who has it; `told` hears how far it is."""
    row = host.session.get_one(Import, import_id)
    while True:
        run(host, import_id, told=told)
        host.session.refresh(row)
        if row.state not in AT_WORK:
            return row
        told(row)
        host.session.rollback()
        time.sleep(WAIT_SECONDS)


class _Run:
    """One turn of one worker on one import."""

    def __init__(self, host: Host, import_id: int, slice_: int) -> None:
        self._host, self._import_id, self._slice = host, import_id, slice_
        self._row = self._begun()
        self._stream = open_file(host, import_id, self._row.size)
        self._counts = dict(self._row.counts)
        self._create = bool(self._row.options.get("create")) and host.hooks.create_contact is not None

    def _begun(self) -> Import:
        row = self._host.session.get_one(Import, self._import_id, populate_existing=True)
        if row.state in AT_WORK:
            row.state = ImportState.RUNNING.value
            row.attempts += 1
            if row.attempts > MOST_ATTEMPTS:
                row.state, row.finished_at = ImportState.FAILED.value, self._host.clock()
                row.fault = (
                    f"It stopped {MOST_ATTEMPTS} times after row {row.done_rows:,} without a word. The log of the "
                    "workers says more."
                )
            self._host.session.commit()
        return row

    def until(self, seconds: float | None, stopping: Callable[[], bool], told: Callable[[Import], object]) -> bool:
        row = self._row
        if row.state != ImportState.RUNNING.value:
            return False
        mapping = ColumnMapping.kept(row.mapping)
        table = open_table(self._stream, Reading.kept(row.reading))
        mapping.check(table)
        rows = FileRows(table, mapping, with_values=self._create)
        rows.skip(row.done_rows)
        end = None if seconds is None else time.monotonic() + seconds
        while self._do_slice(rows, mapping.by):
            told(row)
            if stopping() or (end is not None and time.monotonic() > end):
                return True
        return False

    def _do_slice(self, rows: FileRows, by: str) -> bool:
        """One slice; False where it was the last one, or the import is no longer ours to work on."""
        leases.take(self._host, f"{LEASE}{self._import_id}", seconds=LEASE_SECONDS)
        before = rows.taken
        fit, wrong = rows.take(self._slice), rows.problems.copy()
        purpose = self._purpose()
        if fit.rows:
            purpose.hold()
            room_to_sort(self._host)
            with staged(self._host, fit):
                wrong += self._judged(purpose, fit, by)
        for one in rows.problems:
            self._count(one.verdict, 1)
        rows.problems.clear()
        if not self._kept(rows, before, wrong):
            self._host.session.rollback()
            return False
        self._host.session.commit()
        return not rows.ended

    def _purpose(self) -> Purpose:
        row = self._row
        name = f"the file “{row.file_name}”" if row.file_name else "a file"
        said = f"{row.evidence}{' – b' if row.evidence else 'B'}y {name}, {row.created_by}"
        proof = Proof(ConsentWay.FILE, evidence=said, by=row.created_by, origin=row.file_name)
        return purpose_of(self._host, row, self._host.source(row.contact_source), proof)

    def _judged(self, purpose: Purpose, slice_: Slice, by: str) -> list[Problem]:
        host = self._host
        if purpose.of_contacts:
            match(host, purpose.source, slice_, by=by)
        else:
            own_addresses(purpose.source)
        judge(host, purpose, by=by)
        counts = counted(host)
        for verdict, number in counts.items():
            self._count(verdict, number)
        wrong = list(problems(host)) if any(counts.get(one) for one in SHOWN) else []
        if not self._row.dry_run:
            purpose.act(to_change(purpose))
        if self._create and isinstance(purpose, Subscribe):
            wrong = self._created(purpose, wrong)
        return wrong

    def _created(self, purpose: Subscribe, wrong: list[Problem]) -> list[Problem]:
        """Unknown people become contacts; a dry run only counts them."""
        people = unknown(self._host)
        if self._row.dry_run:
            numbers = {number for number, _, _ in people}
        else:
            made = create(self._host, purpose.source, people, origin=self._row.file_name)
            subscribe(self._host, purpose.list_, made.values(), proof=purpose.proof)
            numbers = set(made)
        self._count(RowVerdict.CREATED, len(numbers))
        self._count(RowVerdict.UNKNOWN, -len(numbers))
        return [one for one in wrong if one.number not in numbers]

    def _count(self, verdict: RowVerdict, number: int) -> None:
        self._counts[verdict.value] = self._counts.get(verdict.value, 0) + number

    def _kept(self, rows: FileRows, before: int, wrong: list[Problem]) -> bool:
        """Write down how far it is; False where a person cancelled it, or another worker was here meanwhile."""
        if wrong:
            keep_errors(self._host, self._import_id, problem_lines(wrong))
        values: dict[str, object] = {
            "counts": {**self._counts, "rows": rows.taken},
            "done_rows": rows.taken,
            "done_bytes": self._row.size if rows.ended else self._stream.raw.tell(),
            "attempts": 0,
        }
        if rows.ended:
            values |= self._ended()
        mine = Import.id == self._import_id, Import.state == ImportState.RUNNING.value, Import.done_rows == before
        return changed(self._host, update(Import).where(*mine).values(**values)) == 1

    def _ended(self) -> Mapping[str, object]:
        if self._row.dry_run:
            return {"state": ImportState.COUNTED.value, "finished_at": self._host.clock()}
        drop_parts(self._host, self._import_id, [PartKind.FILE])
        return {"state": ImportState.FINISHED.value, "finished_at": self._host.clock()}


def _end(host: Host, import_id: int, state: ImportState, *, fault: str) -> None:
    values = {"state": state.value, "fault": fault, "finished_at": host.clock()}
    changed(host, update(Import).where(Import.id == import_id, Import.state.in_(AT_WORK)).values(**values))
    host.session.commit()
