"""`flask massmail sign-up ...`: who signed up for a list, its form for web sites, asking once more."""

import click
from flask.cli import AppGroup
from sqlalchemy import select

from massmail_plugin import sign_ups
from massmail_plugin.cli.group import json_option, mounted, print_json, print_table
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest, nearest
from massmail_plugin.models import List, SignUp
from massmail_plugin.sign_ups.exporting import sign_up_export
from massmail_plugin.sign_ups.snippet import snippet
from massmail_plugin.signed_links.sign_up_links import sign_up_url
from massmail_plugin.translations import languages
from massmail_plugin.vocabulary import SignUpState

sign_up = AppGroup("sign-up", help="Public sign-up to lists: who waits, the form, asking once more.")
list_argument = click.argument("list_name", metavar="LIST")


@sign_up.command("list")
@list_argument
@click.option("--state", type=click.Choice([state.value for state in SignUpState]), help="Only those in this state.")
@click.option("--limit", default=50, show_default=True, help="At most so many, the newest first.")
@json_option
def list_(list_name: str, state: str | None, limit: int, as_json: bool) -> None:
    """Sign-ups for LIST, the newest first."""
    host = mounted()
    query = select(SignUp).where(SignUp.list_id == _list(host, list_name).id)
    query = query.where(SignUp.state == state) if state else query
    rows = [_row(one) for one in host.session.scalars(query.order_by(SignUp.id.desc()).limit(limit))]
    print_json(rows) if as_json else print_table(rows, empty=f"Nobody has signed up for “{list_name}”.")


@sign_up.command()
@list_argument
def export(list_name: str) -> None:
    """All sign-ups for LIST with their proofs, as CSV."""
    host = mounted()
    for piece in sign_up_export(host, _list(host, list_name).id).bytes_as("csv"):
        click.echo(piece, nl=False)


@sign_up.command()
@list_argument
@click.option("--lang", "language", default="", help="Language of the labels; default: the first that is offered.")
def form(list_name: str, language: str) -> None:
    """Address of the form of LIST, and the piece of HTML for a web site."""
    host = mounted()
    chosen = _list(host, list_name)
    offered = languages(host.config)
    if language and language not in offered:
        raise BadRequest(f"The forms do not speak “{language}”. {nearest(language, offered)}")
    if not (chosen.sign_up and chosen.active):
        click.echo(f"Nobody can sign up for “{list_name}”: its form is closed.", err=True)
    click.echo(f"{sign_up_url(host.config, chosen.id)}\n\n{snippet(host, chosen, language=language or offered[0])}")


@sign_up.command()
@click.argument("sign_up_id", type=int)
def ask(sign_up_id: int) -> None:
    """Send the mail that asks for confirmation once more to the sign-up with this id."""
    host = mounted()
    row = host.session.get(SignUp, sign_up_id)
    if row is None:
        raise BadRequest(f"There is no sign-up {sign_up_id}.")
    sign_ups.ask_again(host, row)
    host.session.commit()
    click.echo(f"{row.address} is asked once more.")


def _list(host: Host, name: str) -> List:
    found = host.session.scalars(select(List).where(List.name == name)).first()
    if found is None:
        raise BadRequest(f"There is no list “{name}”. {nearest(name, host.session.scalars(select(List.name)))}")
    return found


def _row(one: SignUp) -> dict[str, object]:
    return {
        "id": one.id,
        "address": one.address,
        "state": one.state,
        "signed_up": one.created_at,
        "asked": one.times_asked,
        "confirmed": one.confirmed_at,
        "contact": f"{one.contact_source}:{one.contact_key}" if one.contact_key else None,
    }
