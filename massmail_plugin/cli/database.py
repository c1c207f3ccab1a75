"""`flask massmail db ...`: the tables of the plugin."""

import click
from flask.cli import AppGroup

from massmail_plugin.cli.group import json_option, mounted, print_json
from massmail_plugin.upkeep import schema

db = AppGroup("db", help="The plugin's own tables; the host's migrations are not touched.")


@db.command()
def upgrade() -> None:
    """Bring the tables to the newest revision."""
    before = schema.upgrade(mounted())
    if before.up_to_date:
        click.echo(f"The tables are up to date (revision {before.newest}).")
    else:
        click.echo(f"The tables were brought from {before.current or 'nothing'} to revision {before.newest}.")


@db.command()
@click.argument("revision")
@click.option("--yes", is_flag=True, help="Do not ask.")
def downgrade(revision: str, yes: bool) -> None:
    """Take the tables back to REVISION; `base` removes them all, with everything in them."""
    if not yes:
        click.confirm("Data will be lost. Go on?", abort=True)
    before = schema.downgrade(mounted(), revision)
    click.echo(f"The tables were taken from {before.current or 'nothing'} to {revision}.")


@db.command()
@json_option
def current(as_json: bool) -> None:
    """Say where the tables stand; exit code 1 where they are not up to date."""
    found = schema.current(mounted())
    if as_json:
        print_json({"current": found.current, "newest": found.newest, "up_to_date": found.up_to_date})
    else:
        state = "up to date" if found.up_to_date else f"{found.newest} is needed: run `flask massmail db upgrade`"
        click.echo(f"{found.current or 'no tables'} ({state})")
    if not found.up_to_date:
        raise SystemExit(1)


@db.command()
@click.option("--whole", is_flag=True, help="From the very beginning, not from where the tables stand.")
def sql(whole: bool) -> None:
    """Print the SQL that `upgrade` would run, for the host's database."""
    script = schema.sql(mounted(), whole=whole)
    click.echo(script or "-- The tables are up to date.")
