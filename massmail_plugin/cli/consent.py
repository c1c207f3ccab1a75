"""`flask massmail opt-out ...` and `suppress`: whom not to write to."""

from collections.abc import Sequence

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select

from massmail_plugin import audience, consent
from massmail_plugin.cli.group import BY, contact_ref, mounted
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import BadRequest, nearest
from massmail_plugin.models import List
from massmail_plugin.vocabulary import SuppressionReason, SuppressionScope

opt_out = AppGroup("opt-out", help="A contact's wish to get no mail: set or clear it.")
contact_argument = click.argument("contact")
lists_option = click.option(
    "--list", "lists", multiple=True, help="Name of a list; may be repeated. Default: everything."
)
evidence_option = click.option("--evidence", default=BY, help="How we know of the wish.")


@opt_out.command("set")
@contact_argument
@lists_option
@evidence_option
def set_(contact: str, lists: tuple[str, ...], evidence: str) -> None:
    """CONTACT (key, or source:key) wants no more mail."""
    host = mounted()
    ref = _contact(host, contact)
    done = consent.withdraw(host, ref, list_ids=_list_ids(host, lists), evidence=evidence)
    host.session.commit()
    click.echo(f"{contact} gets no more mail{_of(lists)}." if done.changed else f"{contact} had opted out already.")


@opt_out.command()
@contact_argument
@lists_option
@evidence_option
def clear(contact: str, lists: tuple[str, ...], evidence: str) -> None:
    """CONTACT (key, or source:key) wants mail again."""
    host = mounted()
    ref = _contact(host, contact)
    changed = consent.take_back(host, ref, list_ids=_list_ids(host, lists), evidence=evidence)
    host.session.commit()
    click.echo(f"{contact} gets mail{_of(lists)} again." if changed else f"{contact} had not opted out.")


@click.command()
@click.argument("address")
@click.option("--note", default="", help="Why, for those who ask later.")
@with_appcontext
def suppress(address: str, note: str) -> None:
    """Never write to ADDRESS, whoever has it."""
    host = mounted()
    if fault := consent.fault(address):
        raise BadRequest(f"{address}: {fault}")
    consent.suppress(
        host,
        address=address,
        scope=SuppressionScope.ALL_BUT_TRANSACTIONAL,
        reason=SuppressionReason.BY_PERSON,
        note=note,
        by=BY,
    )
    host.session.commit()
    click.echo(f"{address} is not written to any more.")


def _contact(host: Host, text: str) -> ContactRef:
    ref = contact_ref(host, text)
    if not audience.exists(host, ref):
        raise BadRequest(f"The contact source “{ref.source}” has no contact with the key “{ref.key}”.")
    return ref


def _list_ids(host: Host, names: Sequence[str]) -> list[int] | None:
    if not names:
        return None
    known = {name: number for number, name in host.session.execute(select(List.id, List.name))}
    for name in names:
        if name not in known:
            raise BadRequest(f"There is no list “{name}”. {nearest(name, known)}")
    return [known[name] for name in names]


def _of(lists: Sequence[str]) -> str:
    return f" of {', '.join(lists)}" if lists else ""
