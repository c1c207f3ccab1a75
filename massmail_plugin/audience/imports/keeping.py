"""Imports before and after their work: a file is brought, its columns chosen, the work started, cancelled, forgotten.

Flushes; admin and CLI enter and commit.
"""

from collections.abc import Iterator, Mapping
from typing import IO, Any

from sqlalchemy import Select, select, update

from massmail_plugin.audience.imports.file_parts import PartKind, drop_parts, keep_file, open_file, parts
from massmail_plugin.audience.imports.mapping import ColumnMapping, guessed
from massmail_plugin.audience.imports.problem_file import HEADER
from massmail_plugin.audience.table_files import Reading, Table, Workbook, look_at, open_table
from massmail_plugin.consent.notices import after_commit
from massmail_plugin.contracts import ContactSource, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Import
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import ImportPurpose, ImportState

AT_WORK = (ImportState.WAITING.value, ImportState.RUNNING.value)
READY = (ImportState.UPLOADED.value, ImportState.COUNTED.value, ImportState.FAILED.value)
"""States in which a person may change how the file is read, and start."""


def bring(
    host: Host,
    stream: IO[bytes],
    *,
    purpose: ImportPurpose,
    source: ContactSource,
    file_name: str = "",
    list_id: int | None = None,
    options: Mapping[str, Any] | None = None,
    by: str = "",
) -> Import:
    """Keep a file and look at it: how it is written, and which of its columns says what.

    `options` are `topic_id` and `until` (ISO 8601) of opt-outs and stops, and `create`: whether unknown people become
    contacts. Raises ImportRefused, in words, for what is no table; the door then rolls back.
    """
    if purpose in (ImportPurpose.SUBSCRIBE, ImportPurpose.UNSUBSCRIBE) and list_id is None:
        raise BadRequest("Choose the list that the file is for.")
    row = Import(
        purpose=purpose.value,
        contact_source=source.source_name,
        list_id=list_id,
        file_name="".join(filter(str.isprintable, file_name))[-255:],
        options=dict(options or {}),
        created_at=host.clock(),
        created_by=by[:200],
    )
    host.session.add(row)
    host.session.flush()
    row.size = keep_file(host, row.id, stream)
    reading = look_at(open_file(host, row.id, row.size))
    row.format, row.reading = reading.form, reading.to_keep()
    row.mapping = guessed(table_of(host, row), source).to_keep()
    host.session.flush()
    return row


def table_of(host: Host, row: Import) -> Table:
    """The table in the file, read as the row says. Raises ImportRefused, also while its rows are read."""
    return open_table(open_file(host, row.id, row.size), Reading.kept(row.reading))


def sheets(host: Host, row: Import) -> list[str]:
    """The names of the sheets of an XLSX file; none of a CSV file."""
    return Workbook(open_file(host, row.id, row.size)).names if row.format == "xlsx" else []


def choose(
    host: Host,
    row: Import,
    *,
    reading: Reading | None = None,
    mapping: ColumnMapping | None = None,
    evidence: str | None = None,
    create: bool | None = None,
) -> None:
    """Set how a file is read and what its columns say. A file that is read otherwise has its columns guessed anew.

    Raises ImportRefused for what does not fit the file, BadRequest while it is being worked on or after that.
    """
    if row.state not in READY:
        raise BadRequest("This import is under way or over. Bring the file again to do something else with it.")
    if reading is not None and reading.to_keep() != row.reading:
        table = open_table(open_file(host, row.id, row.size), reading)
        table.sample()
        row.reading = reading.to_keep()
        row.mapping = guessed(table, host.source(row.contact_source)).to_keep()
    if mapping is not None:
        mapping.check(table_of(host, row))
        row.mapping = mapping.to_keep()
    if evidence is not None:
        row.evidence = evidence[:500]
    if create is not None:
        row.options = {**row.options, "create": create}
    row.state = ImportState.UPLOADED.value
    host.session.flush()


def start(host: Host, row: Import, *, dry_run: bool) -> None:
    """Let a worker count what the import would do, or do it. Raises BadRequest where it is not ready for that."""
    values = {
        "state": ImportState.WAITING.value,
        "dry_run": dry_run,
        "counts": {},
        "done_rows": 0,
        "done_bytes": 0,
        "attempts": 0,
        "fault": "",
        "finished_at": None,
    }
    if not changed(host, update(Import).where(Import.id == row.id, Import.state.in_(READY)).values(**values)):
        raise BadRequest("This import was started before, or is over.")
    host.session.expire(row)
    drop_parts(host, row.id, [PartKind.ERRORS])
    after_commit(host, lambda: host.wake("imports"))


def cancel(host: Host, row: Import) -> None:
    """End an import where it is: what was done stays done. Its file is deleted. Raises BadRequest if it is over."""
    over = (ImportState.FINISHED.value, ImportState.CANCELLED.value)
    values = {"state": ImportState.CANCELLED.value, "finished_at": host.clock()}
    if not changed(host, update(Import).where(Import.id == row.id, Import.state.not_in(over)).values(**values)):
        raise BadRequest("This import is over already.")
    host.session.expire(row)
    drop_parts(host, row.id, [PartKind.FILE])


def forget(host: Host, row: Import) -> None:
    """Delete an import with its file and its errors; what it did stays. Raises BadRequest while it is under way."""
    if row.state in AT_WORK:
        raise BadRequest("This import is under way. Cancel it first.")
    drop_parts(host, row.id, PartKind)
    host.session.delete(row)
    host.session.flush()


def errors_file(host: Host, row: Import) -> Iterator[bytes]:
    """The rows nothing was done for, as the bytes of a CSV file, piece by piece."""
    yield ("\ufeff" + ",".join(HEADER) + "\r\n").encode()
    yield from parts(host, row.id, PartKind.ERRORS)


def newest() -> Select[Any]:
    """A SELECT of all imports, the latest first."""
    return select(Import).order_by(Import.id.desc())
