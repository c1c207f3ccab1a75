"""`flask massmail events import`: what providers export instead of posting it. Commits batch by batch."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import click
from flask.cli import AppGroup

from massmail_plugin.cli.group import json_option, mounted, print_json
from massmail_plugin.contracts import ProviderEvent
from massmail_plugin.feedback import provider_events

AT_ONCE = 1_000

events = AppGroup("events", help="What providers say about our mails, from files.")


@events.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--provider", default="", help="JSON files hold what this provider's webhooks post.")
@json_option
def import_(files: tuple[Path, ...], provider: str, as_json: bool) -> None:
    """Take in the events of each FILE: CSV, JSON, or JSON lines.

    Only what carries our token or the Message-ID of a mail we sent counts, and only once, however often it is imported.
    A nightly job may import the same export again.
    """
    host = mounted()
    total = {"news": 0, "known": 0, "unmatched": 0}
    for path in files:
        for batch in _batches(provider_events.read_event_file(host, path, provider)):
            counted = provider_events.take_events(host, "file", provider or "import", batch)
            host.session.commit()
            total = {name: number + getattr(counted, name) for name, number in total.items()}
    if as_json:
        print_json(total)
        return
    click.echo(
        f"{total['news']:,} events were new, {total['known']:,} known or of no matter, "
        f"{total['unmatched']:,} belong to none of our mails."
    )


def _batches(events: Iterable[ProviderEvent]) -> Iterator[list[ProviderEvent]]:
    rest = iter(events)
    while batch := list(islice(rest, AT_ONCE)):
        yield batch
