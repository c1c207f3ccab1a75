"""A table as it comes out of a file: named columns and rows of text, and how the file is to be read. Reads only."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from itertools import islice
from typing import Any

from massmail_plugin.errors import ImportRefused, nearest

MAX_COLUMNS = 500
Row = tuple[int, list[str]]
"""Number of the row in the file, from 1, and its cells."""


@dataclass(frozen=True)
class Reading:
    """How a file is read. Found by looking at it; a person may say otherwise."""

    form: str = "csv"
    """csv or xlsx."""
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    header: bool = True
    """Whether the first row names the columns."""
    sheet: str = ""
    """Name of the sheet of an XLSX file; empty means the first."""

    @classmethod
    def kept(cls, values: Mapping[str, Any]) -> "Reading":
        """As a row of ours keeps it."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})

    def to_keep(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Table:
    """The columns of a table, and its rows from the first one below the names; `rows()` begins anew each time."""

    columns: tuple[str, ...]
    rows: Callable[[], Iterator[Row]]
    """Blank rows are passed over. Raises ImportRefused on the way."""

    def sample(self, limit: int = 5) -> list[list[str]]:
        """The first rows, each as long as there are columns."""
        width = len(self.columns)
        return [(cells + [""] * width)[:width] for _, cells in islice(self.rows(), limit)]

    def column(self, name: str) -> int:
        """The position of a column by its name, whatever its case. Raises ImportRefused."""
        names = [column.strip().casefold() for column in self.columns]
        if name.strip().casefold() not in names:
            hint = nearest(name, self.columns)
            raise ImportRefused(f"The file has no column “{name[:50]}”. {hint} Nothing was imported.")
        return names.index(name.strip().casefold())


def table_of(cells: Callable[[], Iterator[Row]], *, header: bool) -> Table:
    """The table in rows of text; without names in the first row, columns are called Column 1, Column 2 and so on."""
    first = next(_filled(cells()), None)
    if first is None:
        raise ImportRefused("The file is empty. Nothing was imported.")
    number, names = first
    columns = tuple(" ".join(name.split()) for name in names) if header else _numbered(cells())

    def rows() -> Iterator[Row]:
        return (row for row in _filled(cells()) if row[0] > number or not header)

    return Table(columns, rows)


def names_columns(first: list[str]) -> bool:
    """Whether a first row looks like names of columns rather than like a row of people."""
    said = [cell.strip() for cell in first if cell.strip()]
    return bool(said) and not any("@" in cell or cell[0].isdigit() for cell in said)


def _filled(rows: Iterator[Row]) -> Iterator[Row]:
    return ((number, cells) for number, cells in rows if any(cell and not cell.isspace() for cell in cells))


def _numbered(rows: Iterator[Row]) -> tuple[str, ...]:
    width = max((len(cells) for _, cells in islice(_filled(rows), 50)), default=1)
    return tuple(f"Column {number}" for number in range(1, width + 1))
