"""`flask massmail suppressions exchange`: our stops and the providers' own lists. The room commits, step by step."""

import click
from flask.cli import AppGroup
from sqlalchemy import select

from massmail_plugin.cli.group import json_option, mounted, print_json, print_table
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest, nearest
from massmail_plugin.feedback import stop_lists
from massmail_plugin.models import EventFeed

suppressions = AppGroup("suppressions", help="Whom we do not write to, and the lists of providers.")


@suppressions.command()
@click.argument("names", nargs=-1)
@json_option
def exchange(names: tuple[str, ...], as_json: bool) -> None:
    """Bring our stops and the lists of the event feeds called NAMES together, or of all that exchange theirs.

    Workers do the same every hour. Exit code 1 where a list could not be read or changed.
    """
    host = mounted()
    rows = [_exchanged(host, name, feed_id) for name, feed_id in _chosen(host, names)]
    print_json(rows) if as_json else print_table(
        rows, empty="No event feed exchanges its list. Choose so in the admin."
    )
    if any(row["fault"] for row in rows):
        raise SystemExit(1)


def _chosen(host: Host, names: tuple[str, ...]) -> list[tuple[str, int]]:
    query = select(EventFeed.name, EventFeed.id).where(EventFeed.exchanges, EventFeed.active).order_by(EventFeed.name)
    known = dict(host.session.execute(query).all())
    for name in names:
        if name not in known:
            raise BadRequest(f"No event feed “{name}” exchanges its list. {nearest(name, known)}")
    return [(name, number) for name, number in known.items() if name in names or not names]


def _exchanged(host: Host, name: str, feed_id: int) -> dict[str, object]:
    try:
        done, fault = stop_lists.exchange(host, feed_id), ""
    except stop_lists.ListFault as error:
        done, fault = None, str(error)
    if done is None and not fault:
        fault = "Another process exchanges it at this moment."
    counted = done or stop_lists.Exchanged(0, 0, 0)
    return {"feed": name, **counted._asdict(), "fault": fault}
