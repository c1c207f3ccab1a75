"""`flask massmail mailboxes ...` and `bounces import`: read what came in, now. The rooms commit, batch by batch."""

import signal
import threading
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy import select

from massmail_plugin.cli.bounces import bounces, paths_argument
from massmail_plugin.cli.group import json_option, mounted, print_json, print_table
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest, nearest
from massmail_plugin.feedback import mailboxes as room
from massmail_plugin.feedback.mail_files import import_mails
from massmail_plugin.models import Mailbox
from massmail_plugin.vocabulary import ReceivedState

mailboxes = AppGroup("mailboxes", help="Mailboxes that bounces, complaints and replies come to.")


@mailboxes.command("list")
@json_option
def list_(as_json: bool) -> None:
    """The mailboxes, when they were read, and what keeps them from it."""
    rows = [_row(mailbox) for mailbox in mounted().session.scalars(select(Mailbox).order_by(Mailbox.name))]
    print_json(rows) if as_json else print_table(rows, empty="There are no mailboxes. Add one in the admin.")


@mailboxes.command()
@click.argument("names", nargs=-1)
@click.option("--once", is_flag=True, help="Read each once, then end.")
@json_option
def read(names: tuple[str, ...], once: bool, as_json: bool) -> None:
    """Read the mailboxes called NAMES, or all that are in use. Without --once, go on until told to stop.

    Workers do the same by themselves. Exit code 1 where one could not be read with --once.
    """
    host, stop = mounted(), threading.Event()
    chosen = _chosen(host, names)
    if once:
        readings = [room.read_mailbox(host, one) for one in chosen]
        _show(readings, as_json)
        if any(reading.fault for reading in readings):
            raise SystemExit(1)
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        due = [one for one in room.due(host) if one in chosen]
        _show([room.read_mailbox(host, one, stopping=stop.is_set) for one in due], as_json)
        host.session.remove()
        stop.wait(1.0)


@mailboxes.command()
@click.argument("name")
@json_option
def test(name: str, as_json: bool) -> None:
    """Connect to the mailbox NAME, log in, open its folder; nothing is read or changed. Exit code 1 where it fails."""
    host = mounted()
    (mailbox_id,) = _chosen(host, (name,))
    stages = room.try_out(host, host.session.get_one(Mailbox, mailbox_id))
    rows = [{"Step": one.name, "Worked": "yes" if one.ok else "no", "Words": one.detail} for one in stages]
    print_json(rows) if as_json else print_table(rows, empty="")
    if not all(one.ok for one in stages):
        raise SystemExit(1)


@bounces.command("import")
@paths_argument
@json_option
def import_(paths: tuple[Path, ...], as_json: bool) -> None:
    """Take in received mails kept as files: *.eml, folders of them, Maildirs, mbox. A repeat changes nothing."""
    counts = import_mails(mounted(), paths)
    if as_json:
        print_json(counts)
        return
    words = {ReceivedState.MATCHED: "of ours", ReceivedState.UNMATCHED: "unmatched", ReceivedState.IGNORED: "ordinary"}
    shown = [f"{counts[state]:,} {word}" for state, word in words.items()]
    click.echo(f"{counts.total():,} mails: {', '.join(shown)}, {counts['repeated']:,} known already.")


def _chosen(host: Host, names: tuple[str, ...]) -> list[int]:
    known = dict(host.session.execute(select(Mailbox.name, Mailbox.id)).all())
    for name in names:
        if name not in known:
            raise BadRequest(f"There is no mailbox “{name}”. {nearest(name, known)}")
    if names:
        return [known[name] for name in names]
    return list(host.session.scalars(select(Mailbox.id).where(Mailbox.active).order_by(Mailbox.name)))


def _show(readings: list[room.Reading], as_json: bool) -> None:
    rows = [
        {
            "mailbox": one.mailbox,
            "read": one.read,
            **{state.value: one.states[state] for state in ReceivedState},
            "removed": one.removed,
            "fault": "somebody else reads it now" if one.busy else one.fault,
        }
        for one in readings
    ]
    if as_json:
        print_json(rows)
    elif rows:
        print_table(rows, empty="")


def _row(mailbox: Mailbox) -> dict[str, Any]:
    place = mailbox.folder if mailbox.kind == "maildir" else f"{mailbox.username} at {mailbox.host}"
    return {
        "name": mailbox.name,
        "kind": mailbox.kind,
        "place": place,
        "in use": "yes" if mailbox.active else "no",
        "read": mailbox.read_at,
        "fault": mailbox.fault,
    }
