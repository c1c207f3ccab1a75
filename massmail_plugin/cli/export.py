"""`flask massmail export ...`: people and suppressions as CSV or XLSX. Nothing is changed."""

from pathlib import Path

import click
from flask.cli import AppGroup

from massmail_plugin.audience.exporting import FORMS, Export, criterion_export, list_export, stop_export
from massmail_plugin.cli.group import mounted
from massmail_plugin.cli.named import criterion_called, list_called

export = AppGroup("export", help="Write a list, a criterion's contacts or the suppressions as CSV or XLSX.")
output_option = click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="File, .csv or .xlsx. Default: CSV on screen."
)


@export.command("list")
@click.argument("name")
@output_option
def list_(name: str, output: Path | None) -> None:
    """Every contact that is or was on the list NAME."""
    host = mounted()
    _write(list_export(host, list_called(host, name)), output)


@export.command()
@click.argument("name")
@output_option
def criterion(name: str, output: Path | None) -> None:
    """Every contact that the criterion NAME finds now."""
    host = mounted()
    found = criterion_called(host, name)
    _write(criterion_export(host, host.source(found.contact_source), found.rule), output)


@export.command()
@output_option
def suppressions(output: Path | None) -> None:
    """Every suppression."""
    _write(stop_export(mounted()), output)


def _write(table: Export, output: Path | None) -> None:
    form = output.suffix.lower().removeprefix(".") if output else "csv"
    if form not in FORMS:
        raise click.BadParameter("The name of the file must end in .csv or .xlsx.")
    if output is None:
        for piece in table.bytes_as(form):
            click.echo(piece, nl=False)
        return
    with output.open("wb") as file:
        file.writelines(table.bytes_as(form))
    click.echo(f"Written to {output}.")
