"""`flask massmail mailing ...` and `send-test`: runs, and tests of templates."""

from dataclasses import asdict
from typing import Any

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select

from massmail_plugin import mailings
from massmail_plugin.cli.group import BY, contact_ref, json_option, mounted, print_json, print_table
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest, nearest
from massmail_plugin.models import Mailing, Sender, Template
from massmail_plugin.vocabulary import UNCOUNTED, MailingState

mailing = AppGroup("mailing", help="Runs: list, show, start, pause, resume, cancel, retry.")
number_argument = click.argument("number", type=int)


@mailing.command("list")
@click.option("--state", type=click.Choice([state.value for state in MailingState]), help="Only those in this state.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many, newest first."
)
@json_option
def list_(state: str | None, limit: int, as_json: bool) -> None:
    """The mailings, newest first; tests are left out."""
    host = mounted()
    query = select(Mailing).where(Mailing.kind.not_in(UNCOUNTED)).order_by(Mailing.id.desc()).limit(limit)
    if state:
        query = query.where(Mailing.state == state)
    rows = [_row(one) for one in host.session.scalars(query)]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, empty="There is no mailing.")


@mailing.command()
@number_argument
@json_option
def show(number: int, as_json: bool) -> None:
    """One mailing with its numbers."""
    host = mounted()
    found = _mailing(host, number)
    progress = mailings.progress(host, found)
    row = _row(found) | {
        "hold_reason": found.hold_reason,
        "hold_note": found.hold_note,
        "retries": found.retries,
        **asdict(progress.counts),
        "undecided": mailings.undecided(host, found),
        **asdict(progress.responses),
        "next_due": progress.next_due,
        "sender_fault": progress.sender_fault,
    }
    if as_json:
        print_json(row)
    else:
        print_table(
            [{"what": name, "value": value} for name, value in row.items() if value not in ("", None)], empty=""
        )


@mailing.command()
@number_argument
@click.option("--expect", type=int, help="Start only if it goes to exactly this many; does not ask then.")
def start(number: int, expect: int | None) -> None:
    """Send a draft, now or at the time it has."""
    host = mounted()
    found = _mailing(host, number)
    if expect is None:
        expect = mailings.will_get(host, found)
        click.confirm(f"Send “{found.name}” to {expect:,} recipients?", abort=True)
    mailings.launch(host, found, by=BY, expected=expect)
    _done(host, found)


@mailing.command()
@number_argument
def pause(number: int) -> None:
    """Stop handing over; what is on its way still gets its answer."""
    host = mounted()
    found = _mailing(host, number)
    mailings.pause(host, found, by=BY)
    _done(host, found)
    click.echo(mailings.come_to_rest(host, number).words("wait"))


@mailing.command()
@number_argument
def resume(number: int) -> None:
    """Go on where it stopped; also what was held because nothing ran when it was due."""
    host = mounted()
    found = _mailing(host, number)
    mailings.resume(host, found)
    _done(host, found)


@mailing.command()
@number_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
def cancel(number: int, yes: bool) -> None:
    """End it: what waits is not sent any more."""
    host = mounted()
    found = _mailing(host, number)
    if not yes:
        click.confirm(f"Cancel “{found.name}” for good?", abort=True)
    mailings.halt(host, found, by=BY)
    host.session.commit()
    mailings.cancel(host, found)
    _done(host, found)
    click.echo(mailings.come_to_rest(host, number).words("are not sent any more"))


@mailing.command()
@number_argument
def retry(number: int) -> None:
    """Try exactly the failed mails again."""
    host = mounted()
    found = _mailing(host, number)
    reasons = mailings.failures(host, found)
    again = mailings.retry_failed(host, found)
    host.session.commit()
    click.echo(
        f"{again:,} {'mail' if again == 1 else 'mails'} of “{found.name}” {'is' if again == 1 else 'are'} tried again."
    )
    for reason, failed in reasons.items():
        click.echo(f"  {failed:,} {reason or 'without a reason'}")


@click.command("send-test")
@click.argument("addresses", nargs=-1, required=True)
@click.option("--template", "template_name", required=True, help="Name of the template.")
@click.option("--sender", "sender_name", help="Name of the sender, if not the template's own.")
@click.option("--contact", help="As this contact would get it: key, or source:key.")
@with_appcontext
def send_test(addresses: tuple[str, ...], template_name: str, sender_name: str | None, contact: str | None) -> None:
    """Send a template to ADDRESSES, marked as a test. It leaves when a worker runs."""
    host = mounted()
    template = _named(host, Template, "template", template_name)
    sender = _named(host, Sender, "sender", sender_name) if sender_name else None
    made = mailings.send_test(
        host,
        template_id=template.id,
        addresses=addresses,
        contact=contact_ref(host, contact) if contact else None,
        sender_id=sender.id if sender else None,
        by=BY,
    )
    host.session.commit()
    click.echo(f"A test of “{template.name}” waits for {len(addresses)} addresses (mailing {made.id}).")


def _mailing(host: Host, number: int) -> Mailing:
    found = host.session.get(Mailing, number)
    if found is None:
        raise BadRequest(f"There is no mailing {number}; `flask massmail mailing list` shows those there are.")
    return found


def _named(host: Host, model: type[Any], kind: str, name: str) -> Any:
    found = host.session.scalars(select(model).where(model.name == name)).first()
    if found is None:
        raise BadRequest(f"There is no {kind} “{name}”. {nearest(name, host.session.scalars(select(model.name)))}")
    return found


def _done(host: Host, found: Mailing) -> None:
    host.session.commit()
    click.echo(f"“{found.name}” is {found.state}.")


def _row(found: Mailing) -> dict[str, Any]:
    return {
        "number": found.id,
        "name": found.name,
        "kind": found.kind,
        "state": found.state,
        "scheduled_at": found.scheduled_at,
        "launched_at": found.launched_at,
        "finished_at": found.finished_at,
    }
