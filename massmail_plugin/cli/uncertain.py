"""`flask massmail uncertain ...`: mails that were handed over and got no answer, and what becomes of them."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy import select

from massmail_plugin import mailings
from massmail_plugin.cli.group import BY, json_option, mounted, print_json, print_table
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Mailing, OutboxMessage

uncertain = AppGroup("uncertain", help="Mails that may have arrived or not: list, resend, leave.")
mailing_option = click.option("--mailing", "number", type=int, help="Those of this mailing only.")
ids_argument = click.argument("ids", nargs=-1, type=click.IntRange(min=1))


@uncertain.command("list")
@mailing_option
@click.option("--decided", is_flag=True, help="Also those that were left as they are.")
@click.option("--limit", type=click.IntRange(min=1), default=200, show_default=True, help="At most so many.")
@json_option
def list_(number: int | None, decided: bool, limit: int, as_json: bool) -> None:
    """The uncertain mails, with what is known of each."""
    host = mounted()
    found = _mailing(host, number) if number is not None else None
    rows = [_row(mail) for mail in mailings.uncertain_mails(host, found, decided=decided, limit=limit)]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, empty="No mail is uncertain.")


@uncertain.command()
@mailing_option
@ids_argument
@json_option
def resend(number: int | None, ids: tuple[int, ...], as_json: bool) -> None:
    """Send the mails IDS again, or all of --mailing; whoever did get one gets it twice."""
    _decide(mailings.resend_uncertain, number, ids, "sent again", as_json)


@uncertain.command()
@mailing_option
@ids_argument
@json_option
def leave(number: int | None, ids: tuple[int, ...], as_json: bool) -> None:
    """Leave the mails IDS as they are, or all of --mailing; whoever did not get one never gets it."""
    _decide(mailings.leave_uncertain, number, ids, "left uncertain", as_json)


def _decide(decision: Callable[..., int], number: int | None, ids: Sequence[int], words: str, as_json: bool) -> None:
    host = mounted()
    decided = sum(decision(host, mailing, by=BY, ids=wanted) for mailing, wanted in _wanted(host, number, ids))
    host.session.commit()
    if as_json:
        print_json({"decided": decided})
    else:
        click.echo(f"{decided:,} {'mail' if decided == 1 else 'mails'} {words}.")


def _wanted(host: Host, number: int | None, ids: Sequence[int]) -> list[tuple[Mailing, list[int] | None]]:
    """Mailings, in the order in which they are locked, each with the mails meant (None: all of them)."""
    if not ids and number is None:
        raise BadRequest(
            "Name mails by their ids, or a mailing with --mailing; `flask massmail uncertain list` has them."
        )
    if not ids:
        return [(_mailing(host, number or 0), None)]
    own = select(OutboxMessage.mailing_id, OutboxMessage.id).where(OutboxMessage.id.in_(ids))
    found: dict[int, list[int]] = defaultdict(list)
    for mailing_id, message_id in host.session.execute(own):
        found[mailing_id].append(message_id)
    missing = set(ids) - {message_id for those in found.values() for message_id in those}
    if missing or (number is not None and set(found) != {number}):
        raise BadRequest(f"{_named(missing or ids)}: there is no such mail{f' in mailing {number}' if number else ''}.")
    return [(_mailing(host, mailing_id), found[mailing_id]) for mailing_id in sorted(found)]


def _named(ids: set[int] | Sequence[int]) -> str:
    return ", ".join(str(number) for number in sorted(ids))


def _mailing(host: Host, number: int) -> Mailing:
    found = host.session.get(Mailing, number)
    if found is None:
        raise BadRequest(f"There is no mailing {number}; `flask massmail mailing list` shows those there are.")
    return found


def _row(mail: mailings.UncertainMail) -> dict[str, Any]:
    return {
        "id": mail.message.id,
        "mailing": mail.mailing.id,
        "contact": f"{mail.contact.source}:{mail.contact.key}",
        "address": mail.message.address,
        "handed_at": mail.message.handed_at,
        "sender": mail.sender_name,
        "decided": mail.decided,
        "message_id": mail.message_id,
        "known": mail.message.reply_text,
    }
