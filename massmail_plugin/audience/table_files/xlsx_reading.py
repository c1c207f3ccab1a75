"""XLSX files (ECMA-376) read row by row: nothing is unpacked whole, and bombs are told by their size. Reads only."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO, cast

from massmail_plugin.audience.table_files.cell_values import Formats, read_formats
from massmail_plugin.audience.table_files.shared_strings import SharedStrings
from massmail_plugin.audience.table_files.sheet_rows import sheet_rows
from massmail_plugin.audience.table_files.table import Reading, Row, Table, names_columns, table_of
from massmail_plugin.audience.table_files.xml_stream import XmlStream
from massmail_plugin.errors import ImportRefused

MAX_UNPACKED_BYTES = 4_000_000_000
MAX_RATIO = 200
SMALL = 20_000_000
"""Unpacked bytes up to which nobody asks how tightly a part was packed."""
MAX_PARTS = 10_000
MAX_DIRECTORY_BYTES = 4_000_000
"""Of the list of parts, which `zipfile` reads whole, whatever number of them it holds."""
_ZIP, _OLD = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


def looks_like_xlsx(start: bytes) -> bool:
    """Whether a file is a zip archive by its first four bytes. Raises ImportRefused for the old binary format."""
    if start.startswith(_OLD):
        raise ImportRefused(
            "The file is in the old format of Microsoft Excel, or it has a password. Save it as .xlsx without a "
            "password, or as CSV."
        )
    return start.startswith(_ZIP)


class Workbook:
    """The sheets of an XLSX file in a seekable stream. Raises ImportRefused for what is none."""

    def __init__(self, stream: BinaryIO) -> None:
        try:
            self._archive = zipfile.ZipFile(cast(BinaryIO, _Bounded(stream)))
            _check_sizes(self._archive)
            self._sheets = _sheets(self._archive)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
            raise ImportRefused(f"The XLSX file is damaged ({error}). Save it anew, or save it as CSV.") from None
        if not self._sheets:
            raise ImportRefused("The file is an archive, but no XLSX file. Save the sheet as .xlsx or CSV.")

    @property
    def names(self) -> list[str]:
        """Of the sheets, in their order."""
        return list(self._sheets)

    def reading(self) -> Reading:
        """Its first sheet, and whether the first row there names the columns."""
        first = next(iter(self._sheets))
        named = next((cells for _, cells in self._rows(first) if any(cells)), [""])
        return Reading(form="xlsx", sheet=first, header=names_columns(named))

    def table(self, reading: Reading) -> Table:
        """The table of one sheet. Raises ImportRefused, also while rows are read."""
        name = reading.sheet or next(iter(self._sheets))
        if name not in self._sheets:
            raise ImportRefused(f"The file has no sheet “{name[:50]}”. Its sheets are: {', '.join(self.names[:8])}.")
        return table_of(partial(self._rows, name), header=reading.header)

    def _rows(self, name: str) -> Iterator[Row]:
        try:
            with self._part("xl/sharedStrings.xml") as strings, self._part(self._sheets[name]) as sheet:
                if sheet is None:
                    raise ImportRefused(f"The sheet “{name[:50]}” is missing in the file. Save it anew.")
                shared = SharedStrings(strings)
                try:
                    yield from sheet_rows(sheet, shared, self._formats())
                finally:
                    shared.close()
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
            raise ImportRefused(f"The XLSX file is damaged ({error}). Save it anew, or save it as CSV.") from None

    def _formats(self) -> Formats:
        with self._part("xl/styles.xml") as styles, self._part("xl/workbook.xml") as book:
            return read_formats(styles, book)

    @contextmanager
    def _part(self, name: str) -> Iterator[BinaryIO | None]:
        wanted = name.lower()
        found = next((one for one in self._archive.namelist() if one.lower() == wanted), None)
        if found is None:
            yield None
            return
        with self._archive.open(found) as part:
            yield cast(BinaryIO, part)


class _Bounded:
    """A stream that `zipfile` cannot read too much of at once."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size: int = -1) -> bytes:
        piece = self._stream.read(MAX_DIRECTORY_BYTES + 1 if size < 0 else min(size, MAX_DIRECTORY_BYTES + 1))
        if len(piece) > MAX_DIRECTORY_BYTES:
            raise ImportRefused("The XLSX file is an archive of far too many files. Save the sheet as CSV.")
        return piece


def _check_sizes(archive: zipfile.ZipFile) -> None:
    """`zipfile` gives out no more bytes of a part than its entry announces, so the announced sizes can be held to."""
    parts = archive.infolist()
    whole = sum(part.file_size for part in parts)
    tight = any(part.file_size > SMALL and part.file_size > MAX_RATIO * max(part.compress_size, 1) for part in parts)
    if len(parts) > MAX_PARTS or whole > MAX_UNPACKED_BYTES or tight:
        raise ImportRefused("The XLSX file would be far too large when it is unpacked. Save the sheet as CSV.")


def _sheets(archive: zipfile.ZipFile) -> dict[str, str]:
    """Name of each sheet -> its part of the archive, by the relations of the workbook."""
    names = {name.lower(): name for name in archive.namelist()}
    book, related = (names.get(part) for part in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels"))
    if book is None or related is None:
        return {}
    targets: dict[str, str] = {}
    sheets: dict[str, str] = {}

    def relation(name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship" and attributes.get("Type", "").endswith("/worksheet"):
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    def sheet(name: str, attributes: dict[str, str]) -> None:
        number = next((value for key, value in attributes.items() if key.rpartition(":")[2] == "id"), "")
        if name == "sheet" and number in targets:
            sheets[attributes.get("name", "")] = _path(targets[number])

    for part, begin in ((related, relation), (book, sheet)):
        with archive.open(part) as stream:
            for _ in XmlStream(begin, lambda name, text: None).pieces(cast(BinaryIO, stream)):
                pass
    return sheets


def _path(target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
