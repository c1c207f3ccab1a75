"""`flask massmail import FILE`: contacts onto a list, off it, out of mail; addresses among the suppressions.

The work is done here and now; each slice is committed with its progress, and an import that was broken off goes on in
a worker.
"""

from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from massmail_plugin.audience import imports
from massmail_plugin.audience.imports import ColumnMapping
from massmail_plugin.audience.table_files import ENCODINGS, Reading
from massmail_plugin.audience.table_files.dialects import DELIMITERS
from massmail_plugin.cli.group import BY, json_option, mounted, print_json
from massmail_plugin.cli.named import list_called, source_called, topic_called
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Import
from massmail_plugin.vocabulary import ImportPurpose, ImportState

_FAILED = (ImportState.FAILED.value, ImportState.CANCELLED.value)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--list", "list_name", help="The list, by its name.")
@click.option(
    "--purpose",
    type=click.Choice([one.value for one in ImportPurpose]),
    default=ImportPurpose.SUBSCRIBE.value,
    show_default=True,
    help="What the file is for.",
)
@click.option("--topic", "topic_name", help="Of opt-outs and suppressions: of one topic, not of everything.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Of suppressions: the day they end.")
@click.option("--source", "source_name", help="The contact source, where there are several.")
@click.option("--by", type=click.Choice(["address", "key"]), help="What contacts are found by. Default: as it looks.")
@click.option("--column", help="Name of the column with it. Default: the one that looks like it.")
@click.option("--field", "fields", multiple=True, metavar="FIELD=COLUMN", help="A value of new contacts; repeatable.")
@click.option("--create", is_flag=True, help="Make contacts of people who are unknown.")
@click.option("--sheet", help="Sheet of an XLSX file. Default: the first.")
@click.option("--encoding", type=click.Choice(list(ENCODINGS)), help="Of a CSV file. Default: as it looks.")
@click.option("--delimiter", type=click.Choice(list(DELIMITERS)), help="Of a CSV file. Default: as it looks.")
@click.option("--header/--no-header", default=None, help="Whether the first row names the columns.")
@click.option("--evidence", default="", help="How we know; it is kept with each contact.")
@click.option("--dry-run", is_flag=True, help="Only say what it would do.")
@click.option("--errors", type=click.Path(dir_okay=False, path_type=Path), help="Write the rows nothing is done for.")
@json_option
@with_appcontext
def import_(file: Path, dry_run: bool, errors: Path | None, as_json: bool, **given: Any) -> None:
    """Bring the contacts of FILE (CSV or XLSX); prints what became of its rows. Exit code 1 where it failed."""
    host = mounted()
    row = _brought(host, file, given)
    _chosen(host, row, given)
    imports.start(host, row, dry_run=dry_run)
    host.session.commit()
    imports.complete(host, row.id, told=_tell)
    if errors is not None:
        errors.write_bytes(b"".join(imports.errors_file(host, row)))
    if as_json:
        print_json({"id": row.id, "state": row.state, "fault": row.fault, **row.counts})
    else:
        _say(row)
    if row.state in _FAILED:
        raise SystemExit(1)


def _brought(host: Host, file: Path, given: dict[str, Any]) -> Import:
    topic = topic_called(host, given["topic_name"]) if given["topic_name"] else None
    until = given["until"]
    options = {
        "topic_id": topic.id if topic else None,
        "until": until.replace(tzinfo=host.clock().tzinfo).isoformat() if until else None,
        "create": given["create"],
    }
    with file.open("rb") as stream:
        return imports.bring(
            host,
            stream,
            purpose=ImportPurpose(given["purpose"]),
            source=source_called(host, given["source_name"]),
            file_name=file.name,
            list_id=list_called(host, given["list_name"]).id if given["list_name"] else None,
            options=options,
            by=BY,
        )


def _chosen(host: Host, row: Import, given: dict[str, Any]) -> None:
    said = {name: given[name] for name in ("sheet", "encoding", "delimiter", "header") if given[name] is not None}
    if said:
        imports.choose(host, row, reading=Reading.kept({**row.reading, **said}))
    table, found = imports.table_of(host, row), ColumnMapping.kept(row.mapping)
    fields = dict(found.fields)
    for pair in given["fields"]:
        name, equals, column = pair.partition("=")
        if not equals or name not in {one.path for one in imports.fillable(host.source(row.contact_source))}:
            raise BadRequest(f"--field {pair}: say FIELD=COLUMN with a field of the contacts.")
        fields[name] = table.column(column)
    column = table.column(given["column"]) if given["column"] else found.column
    mapping = ColumnMapping(given["by"] or ("address" if given["column"] else found.by), column, fields)
    imports.choose(host, row, mapping=mapping, evidence=given["evidence"])


def _tell(row: Import) -> None:
    click.echo(f"{row.done_rows:,} rows, {100 * row.done_bytes // row.size} percent", err=True)


def _say(row: Import) -> None:
    if row.fault:
        click.echo(row.fault, err=True)
    click.echo("It would be:" if row.dry_run else "Done:")
    for name, number in row.counts.items():
        click.echo(f"{number:>10,}  {name.replace('_', ' ')}")
