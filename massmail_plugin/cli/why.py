"""`flask massmail why` and `funnel`: whom a mailing goes to, and why somebody is among them or not. Reads only."""

from dataclasses import asdict

import click
from flask.cli import with_appcontext

from massmail_plugin import mailings
from massmail_plugin.cli.group import contact_ref, json_option, mounted, print_json, print_table
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.mailings import Why
from massmail_plugin.models import Mailing


@click.command()
@click.argument("number", type=int, metavar="MAILING")
@json_option
@with_appcontext
def funnel(number: int, as_json: bool) -> None:
    """How many contacts are left after each step of MAILING, and how many get it."""
    host = mounted()
    steps = mailings.funnel(host, _mailing(host, number))
    rows = [
        {"step": step.label, "left": step.count, "left_out": step.left_out, "why": step.reason_label}
        for step in steps
        if step.taken
    ]
    if as_json:
        print_json([asdict(step) for step in steps])
    else:
        print_table(rows, empty="")


@click.command()
@click.argument("number", type=int, metavar="MAILING")
@click.argument("contact")
@json_option
@with_appcontext
def why(number: int, contact: str, as_json: bool) -> None:
    """Why CONTACT (its key, or source:key) is among the recipients of MAILING, or is not."""
    host = mounted()
    answer = mailings.why(host, _mailing(host, number), contact_ref(host, contact))
    if as_json:
        print_json(_plain(answer))
        return
    for message in answer.messages:
        click.echo(f"{message.state}: {message.address or 'no address'}{_because(message.reason)}")
    if answer.filled and not answer.messages:
        click.echo("Not among the recipients: the mailing was not meant for this contact when it was filled.")
    if answer.now is not None:
        if answer.filled:
            click.echo("If it were filled now:")
        print_table(
            [{"step": s.label, "passes": "yes" if s.passed else "no", "why": s.words} for s in answer.now.steps],
            empty="",
        )
    if answer.held_back is not None:
        click.echo(f"It could not leave all the same: {answer.held_back.value}.")


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""


def _plain(answer: Why) -> dict[str, object]:
    rows = [
        {"id": one.id, "address": one.address, "state": one.state, "reason": one.reason, "settled_at": one.settled_at}
        for one in answer.messages
    ]
    steps = [asdict(step) for step in answer.now.steps] if answer.now else None
    gets_it = answer.now.gets_it if answer.now else None
    return {
        "filled": answer.filled,
        "messages": rows,
        "gets_it_now": gets_it,
        "steps_now": steps,
        "held_back": answer.held_back,
    }


def _mailing(host: Host, number: int) -> Mailing:
    found = host.session.get(Mailing, number)
    if found is None:
        raise BadRequest(f"There is no mailing {number}. `flask massmail mailing list` shows them.")
    return found
