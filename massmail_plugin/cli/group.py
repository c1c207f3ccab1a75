"""How commands behave: the host, errors as one sentence, output for people or as JSON. The files of the room enter."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.exc import OperationalError, ProgrammingError

from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import BadRequest, MassMailError

BY = "command line"

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


class PlainGroup(AppGroup):
    """A group of commands whose expected errors end as one sentence and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except MassMailError as error:
            raise click.ClickException(str(error)) from None
        except (OperationalError, ProgrammingError) as error:
            words = str(error.orig).strip().splitlines()[0]
            raise click.ClickException(
                f"The database did not answer as expected: {words}. If our tables are missing or old, "
                "run `flask massmail db upgrade`."
            ) from None


def mounted() -> Host:
    """The plugin's state in the current application."""
    host: Host = current_app.extensions["massmail"]
    return host


def contact_ref(host: Host, text: str) -> ContactRef:
    """A contact as one types it: its key, or `source:key` where the host has several sources."""
    source, colon, key = text.partition(":")
    if colon and source in host.sources:
        return ContactRef(source, key)
    if len(host.sources) == 1:
        return ContactRef(next(iter(host.sources)), text)
    raise BadRequest(
        f"Say which contact source “{text}” belongs to: one of {', '.join(sorted(host.sources))}, as in source:key."
    )


def print_json(data: Any) -> None:
    """Print for programs; times become ISO 8601."""
    click.echo(json.dumps(data, default=_plain, ensure_ascii=False, indent=2))


def print_table(rows: Sequence[Mapping[str, Any]], *, empty: str) -> None:
    """Print rows in columns; the keys of the first are the headings."""
    if not rows:
        click.echo(empty)
        return
    lines = [[*rows[0]], *([_shown(value) for value in row.values()] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:%Y-%m-%d %H:%M}" if hasattr(value, "strftime") else str(value)


def _plain(value: Any) -> str:
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
