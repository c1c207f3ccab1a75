"""A file of as many rows as there are contacts, brought, matched by address and put on a list: CSV and XLSX.

End to end: the file is taken in, read, matched, and each contact stands on the list with its history. Each import runs
in a process of its own, whose peak of memory Linux keeps.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from bench.audience.crm import STATUSES, Base, create_app
from bench.audience.world import CONTACTS, _run, many, settings, settle
from bench.children import children
from bench.figures import Figure
from bench.findings import BenchFailed, Sample
from bench.host import context
from bench.stage import Stage
from massmail_plugin.audience.exporting import Export
from massmail_plugin.upkeep import schema

FIGURES = (
    Figure("import.rows_per_s", "rows of CSV a second, matched by address, end to end", least=20_000),
    Figure("import.xlsx_rows_per_s", "rows of XLSX a second", least=8_000),
    Figure("import.rss_growth", "memory at the many rows over memory at a tenth of them", most=1.25),
)
HEADER = ("Name", "E-Mail", "City")
"""What the files say of each contact."""


def measure(stage: Stage) -> None:
    """Fill in FIGURES. The many are brought once of each form: an import takes a minute."""
    if sys.platform != "linux":
        raise BenchFailed("The peak of a process's memory is read from /proc, which this system does not have.")
    number = many(stage)
    url = _contacts(stage, number)
    few = _brought(stage, url, _file(stage, number // 10, "csv"), "few")
    csv = _brought(stage, url, _file(stage, number, "csv"), "csv")
    xlsx = _brought(stage, url, _file(stage, number, "xlsx"), "xlsx")
    for name, sample in (("few", few), ("csv", csv), ("xlsx", xlsx)):
        stage.findings.keep(f"import.{name}", [sample])
    stage.findings.add("import.rows_per_s", [csv["rate"]])
    stage.findings.add("import.xlsx_rows_per_s", [xlsx["rate"]])
    stage.findings.add("import.rss_growth", [csv["peak_mb"] / few["peak_mb"]])


def _contacts(stage: Stage, number: int) -> str:
    """A database with the contacts of the world and nothing else."""
    stage.say(f"Making {number:,} contacts ...")
    made = settings(stage, "audience_imports")
    with context(create_app(made)) as host:
        Base.metadata.create_all(host.db.engine)
        schema.upgrade(host)
        for statement in CONTACTS[:2]:
            _run(host, statement, number=number, statuses=list(STATUSES))
        host.session.commit()
        settle(host)
    return str(made["SQLALCHEMY_DATABASE_URI"])


def _file(stage: Stage, number: int, form: str) -> Path:
    path = stage.folder / f"{number}.{form}"
    with path.open("wb") as file:
        file.writelines(Export(HEADER, _rows(number)).bytes_as(form))
    return path


def _rows(number: int) -> Iterator[tuple[str, str, str]]:
    """The addresses of the world's contacts as people write them, and a few that are nobody's."""
    for one in range(1, number + 1):
        yield f"Contact {one}", f"Reader{one}@mail{one % 97}.example", "Graz"


def _brought(stage: Stage, url: str, file: Path, name: str) -> Sample:
    stage.say(f"Importing {file.name} ...")
    log = stage.folder / f"import-{name}.log"
    with children("bench.audience.bring", 1, [url, str(file), name, str(stage.folder)], log=log) as process:
        (said,) = process.go()
    if said["state"] != "finished" or said["changed"] < 0.9 * said["rows"]:
        raise BenchFailed(f"The import of {file.name} did not do its work: {said}")
    seconds = said["ended"] - said["began"]
    stage.say(f"  {said['rows'] / seconds:,.0f} rows/s, {said['peak_mb']:,.0f} MB, {said['cpu']:.0f} s of our CPU")
    return {"rate": said["rows"] / seconds, "peak_mb": said["peak_mb"], "cpu_us": said["cpu"] / said["rows"] * 1e6}
