"""Short ways to bring a file and let it be worked on."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from massmail_plugin.audience import imports
from massmail_plugin.contracts import ContactSource, Host
from massmail_plugin.models import Import
from massmail_plugin.vocabulary import ImportPurpose
from tests.consent.small_host import PERSONS


def csv_file(header: Sequence[str], *rows: Sequence[Any]) -> io.BytesIO:
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return io.BytesIO(text.getvalue().encode())


def addresses(*them: str) -> io.BytesIO:
    return csv_file(["E-Mail"], *([address] for address in them))


def brought(
    host: Host,
    file: io.BytesIO,
    purpose: ImportPurpose = ImportPurpose.SUBSCRIBE,
    source: ContactSource = PERSONS,
    **more: Any,
) -> Import:
    row = imports.bring(host, file, purpose=purpose, source=source, file_name="people.csv", by="ann", **more)
    host.session.commit()
    return row


def worked(host: Host, row: Import, *, dry_run: bool = False, **how: Any) -> dict[str, int]:
    """The counts of an import that ran to its end."""
    imports.start(host, row, dry_run=dry_run)
    host.session.commit()
    while imports.run(host, row.id, **how):
        pass
    host.session.refresh(row)
    return {name: number for name, number in row.counts.items() if number}


def errors(host: Host, row: Import) -> list[list[str]]:
    text = b"".join(imports.errors_file(host, row)).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))[1:]
