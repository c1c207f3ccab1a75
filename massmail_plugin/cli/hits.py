"""`flask massmail hits ...`: opens and clicks on their way to the database."""

from dataclasses import asdict

import click
from flask.cli import AppGroup

from massmail_plugin import feedback
from massmail_plugin.cli.group import json_option, mounted, print_json

hits = AppGroup("hits", help="Opens and clicks that wait on this machine.")


@hits.command()
def drain() -> None:
    """Bring what waits to the database. Those of the last seconds wait on, to be judged together."""
    host = mounted()
    kept = feedback.drain(host)
    click.echo(f"{kept} opens and clicks were brought to the database. {_words(feedback.waiting(host))}")


@hits.command()
@json_option
def waiting(as_json: bool) -> None:
    """How much waits, and since when."""
    found = feedback.waiting(mounted())
    if as_json:
        print_json(asdict(found))
    else:
        click.echo(_words(found))


def _words(found: feedback.Waiting) -> str:
    if found.since is None:
        return "Nothing waits."
    return f"{found.octets:,} bytes wait, the oldest since {found.since:%Y-%m-%d %H:%M:%S} UTC."
