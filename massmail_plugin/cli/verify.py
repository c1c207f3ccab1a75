"""`flask massmail verify`: every number that is kept, against a recount of its rows."""

from dataclasses import asdict

import click
from flask.cli import with_appcontext

from massmail_plugin.cli.group import json_option, mounted, print_json, print_table
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.upkeep import verify as room

SHOWN = 50


@click.command()
@click.option("--mailing", "mailing_id", type=int, help="This mailing alone.")
@click.option("--repair", is_flag=True, help="Write what is wrong anew from the rows.")
@json_option
@with_appcontext
def verify(mailing_id: int | None, repair: bool, as_json: bool) -> None:
    """Count everything once more: chunks, tallies, numbers by domain, list and reason. 1 where a number is wrong."""
    host = mounted()
    ids = room.mailing_ids(host)
    if mailing_id is not None and mailing_id not in ids:
        raise BadRequest(f"There is no launched mailing {mailing_id}.")
    wanted = ids if mailing_id is None else [mailing_id]
    found = list(room.verify(host, wanted))
    if repair and found:
        room.repair(host, sorted({one.mailing_id for one in found}))
        left = list(room.verify(host, wanted))
    else:
        left = found
    lists, wrong_lists = _lists(host, repair) if mailing_id is None else ([], [])
    if as_json:
        said = {"mailings": len(wanted), "differences": [asdict(one) for one in found], "left": len(left)}
        print_json({**said, "lists": [asdict(one) for one in lists], "lists_left": len(wrong_lists)})
    else:
        _say(len(wanted), found, left, repair)
        _say_lists(lists, wrong_lists, repair)
    if left or wrong_lists:
        raise SystemExit(1)


def _lists(host: Host, repair: bool) -> tuple[list[room.ListDifference], list[room.ListDifference]]:
    """What was wrong with the numbers of lists, and what still is."""
    found = room.verify_lists(host)
    if not (repair and found):
        return found, found
    room.repair_lists(host, found)
    return found, room.verify_lists(host)


def _say_lists(found: list[room.ListDifference], left: list[room.ListDifference], repair: bool) -> None:
    if not found:
        return
    print_table([asdict(one) for one in found[:SHOWN]], empty="")
    click.echo(
        f"Lists: {len(found):,} numbers were wrong, {len(left):,} still are."
        if repair
        else f"Lists: {len(found):,} numbers are wrong. `flask massmail verify --repair` writes them anew."
    )


def _say(mailings: int, found: list[room.Difference], left: list[room.Difference], repair: bool) -> None:
    number = f"{mailings:,} {'mailing' if mailings == 1 else 'mailings'}"
    if not found:
        click.echo(f"{number}: every number equals a recount.")
        return
    print_table([asdict(one) for one in found[:SHOWN]], empty="")
    if len(found) > SHOWN:
        click.echo(f"... and {len(found) - SHOWN:,} more.")
    if repair:
        click.echo(f"{number}: {len(found):,} numbers were wrong, {len(left):,} still are.")
    else:
        click.echo(f"{number}: {len(found):,} numbers are wrong. `flask massmail verify --repair` writes them anew.")
