"""`flask massmail opt-out set|clear`: the wishes of contacts, one by one or many at once."""

from collections.abc import Sequence
from typing import Any

import click
from flask.cli import AppGroup

from massmail_plugin import consent
from massmail_plugin.cli.bulk_wishes import by_criterion, by_file, what_of
from massmail_plugin.cli.group import BY, mounted
from massmail_plugin.cli.named import known_contact
from massmail_plugin.consent.wishes.withdrawing_many import What
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.vocabulary import ConsentWay

opt_out = AppGroup("opt-out", help="A contact's wish to get no mail: set or clear it.")
contact_argument = click.argument("contact", required=False)
lists_option = click.option(
    "--list", "lists", multiple=True, help="Name of a list; may be repeated. Default: everything."
)
topic_option = click.option("--topic", help="Name of a topic, instead of lists.")
evidence_option = click.option("--evidence", default=BY, help="How we know of the wish.")
criterion_option = click.option("--criterion", help="Name of a criterion: everybody whom it finds now.")
file_option = click.option("--file", "path", help="A CSV or XLSX file with a column of addresses or keys.")
source_option = click.option("--source", help="Which contacts the file is about, where the host has several sources.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Only say how many it would be.")


def _wish_options(command: Any) -> Any:
    """What `set` and `clear` take."""
    options = (dry_run_option, source_option, file_option, criterion_option, evidence_option, topic_option)
    for option in (*options, lists_option, contact_argument):
        command = option(command)
    return command


@opt_out.command("set")
@_wish_options
def set_(contact: str | None, lists: tuple[str, ...], topic: str | None, evidence: str, **many: Any) -> None:
    """CONTACT (key, or source:key), or all whom a criterion or a file names, want no more mail."""
    host = mounted()
    what = what_of(host, lists, topic)
    if _many(host, contact, what, out=True, evidence=evidence, **many):
        return
    ref, proof = known_contact(host, contact or ""), consent.Proof(ConsentWay.PERSON, evidence=evidence, by=BY)
    done = consent.withdraw(host, ref, list_ids=what.list_ids, topic_id=what.topic_id, proof=proof)
    host.session.commit()
    of = _of([*lists, *filter(None, [topic])])
    click.echo(f"{contact} gets no more mail{of}." if done.changed else f"{contact} had opted out already.")


@opt_out.command()
@_wish_options
def clear(contact: str | None, lists: tuple[str, ...], topic: str | None, evidence: str, **many: Any) -> None:
    """CONTACT (key, or source:key), or all whom a criterion or a file names, want mail again."""
    host = mounted()
    what = what_of(host, lists, topic)
    if _many(host, contact, what, out=False, evidence=evidence, **many):
        return
    ref, proof = known_contact(host, contact or ""), consent.Proof(ConsentWay.PERSON, evidence=evidence, by=BY)
    changed = consent.take_back(host, ref, list_ids=what.list_ids, topic_id=what.topic_id, proof=proof)
    host.session.commit()
    of = _of([*lists, *filter(None, [topic])])
    click.echo(f"{contact} gets mail{of} again." if changed else f"{contact} had not opted out.")


def _many(
    host: Host,
    contact: str | None,
    what: What,
    *,
    out: bool,
    evidence: str,
    criterion: str | None,
    path: str | None,
    source: str | None,
    dry_run: bool,
) -> bool:
    """Whether many were meant, and were dealt with."""
    if sum(map(bool, (contact, criterion, path))) != 1:
        raise BadRequest("Name one contact, or --criterion, or --file.")
    if criterion:
        by_criterion(host, criterion, what, out=out, evidence=evidence, dry_run=dry_run)
    elif path:
        by_file(host, path, what, out=out, evidence=evidence, dry_run=dry_run, source=source)
    elif dry_run:
        raise BadRequest("--dry-run goes with --criterion or --file.")
    return contact is None


def _of(lists: Sequence[str]) -> str:
    return f" of {', '.join(lists)}" if lists else ""
