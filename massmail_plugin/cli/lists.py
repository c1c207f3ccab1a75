"""`flask massmail list ...`: lists and who is on them."""

from collections.abc import Iterable, Sequence
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy import func, select

from massmail_plugin import audience, consent
from massmail_plugin.cli.group import BY, contact_ref, json_option, mounted, print_json, print_table
from massmail_plugin.cli.named import criterion_called, list_called
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import List, Subscription
from massmail_plugin.vocabulary import ConsentWay, SubscriptionState

lists = AppGroup("list", help="Lists: show, subscribers, add, remove, archive, restore.")
name_argument = click.argument("name")
contacts_argument = click.argument("contacts", nargs=-1)
criterion_option = click.option("--criterion", help="Name of a criterion: everybody whom it finds now.")
evidence_option = click.option("--evidence", default="", help="How we know that they want it; kept with each of them.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Only say what would change.")


@lists.command()
@click.argument("name", required=False)
@json_option
def show(name: str | None, as_json: bool) -> None:
    """The lists with their numbers, or all that is known of the list NAME."""
    host = mounted()
    found = host.session.scalars(select(List).order_by(List.active.desc(), func.lower(List.name))).all()
    chosen = [list_called(host, name)] if name else found
    counts = consent.list_counts(host, [list_.id for list_ in chosen])
    rows = [_row(list_, counts[list_.id], whole=name is not None) for list_ in chosen]
    if as_json:
        print_json(rows)
    elif name:
        print_table([{"what": key, "is": value} for key, value in rows[0].items()], empty="")
    else:
        print_table(rows, empty="There is no list.")


@lists.command()
@name_argument
@click.option(
    "--state",
    type=click.Choice([state.value for state in SubscriptionState]),
    default=SubscriptionState.SUBSCRIBED.value,
    help="Those who are on it, or those who left.",
)
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="How many, newest first.")
@json_option
def subscribers(name: str, state: str, limit: int, as_json: bool) -> None:
    """Who is on the list NAME, the newest first; whom only its criterion finds is not shown."""
    host = mounted()
    query = select(Subscription).where(Subscription.list_id == list_called(host, name).id, Subscription.state == state)
    found = host.session.scalars(query.order_by(Subscription.since.desc(), Subscription.id.desc()).limit(limit)).all()
    known = audience.summaries(host, [ContactRef(row.contact_source, row.contact_key) for row in found])
    rows = [_person(row, known) for row in found]
    print_json(rows) if as_json else print_table(rows, empty="There is nobody.")


@lists.command()
@name_argument
@contacts_argument
@criterion_option
@evidence_option
@click.option("--again", is_flag=True, help="They asked for it themselves: bring back also those who had left.")
@dry_run_option
def add(name: str, contacts: Sequence[str], criterion: str | None, evidence: str, again: bool, dry_run: bool) -> None:
    """Put CONTACTS (keys, or source:key), or all whom a criterion finds, on the list NAME."""
    host = mounted()
    list_ = list_called(host, name)
    _one_way(contacts, criterion)
    if criterion:
        source, keys = audience.matching(host, criterion_called(host, criterion))
        done = consent.would_subscribe(host, list_, source, keys, again=again)
        if not dry_run:
            proof = _proof(evidence, f"Added by criterion “{criterion}”")
            done = consent.subscribe_selected(host, list_, source, keys, proof=proof, again=again)
    else:
        refs = _refs(host, contacts)
        done = consent.subscribe(host, list_, refs, proof=_proof(evidence, "Added"), again=again)
    _keep(host, dry_run)
    click.echo(
        f"{_would(dry_run)}{done.new:,} new on “{list_.name}”, {done.already:,} on it already, {done.back:,} back, "
        f"{done.kept_out:,} stay out because they left or opted out."
    )


@lists.command()
@name_argument
@contacts_argument
@criterion_option
@evidence_option
@dry_run_option
def remove(name: str, contacts: Sequence[str], criterion: str | None, evidence: str, dry_run: bool) -> None:
    """Take CONTACTS (keys, or source:key), or all whom a criterion finds, off the list NAME."""
    host = mounted()
    list_ = list_called(host, name)
    _one_way(contacts, criterion)
    if criterion:
        source, keys = audience.matching(host, criterion_called(host, criterion))
        number = consent.would_unsubscribe(host, list_, source, keys).new
        if not dry_run:
            proof = _proof(evidence, f"Taken off by criterion “{criterion}”")
            number = consent.unsubscribe_selected(host, list_, source, keys, proof=proof)
    else:
        number = consent.unsubscribe(host, list_, _refs(host, contacts), proof=_proof(evidence, "Taken off"))
    _keep(host, dry_run)
    click.echo(f"{_would(dry_run)}{number:,} taken off “{list_.name}”.")


@lists.command()
@name_argument
def archive(name: str) -> None:
    """Use the list NAME no more: it keeps its contacts and history, and no mailing goes to it."""
    _set_active(name, active=False)


@lists.command()
@name_argument
def restore(name: str) -> None:
    """Use the archived list NAME again."""
    _set_active(name, active=True)


def _set_active(name: str, *, active: bool) -> None:
    host = mounted()
    list_ = list_called(host, name)
    list_.active = active
    host.session.commit()
    click.echo(f"“{list_.name}” is {'in use' if active else 'archived'}.")


def _row(list_: List, counts: dict[str, int], *, whole: bool) -> dict[str, Any]:
    row = {
        "number": list_.id,
        "name": list_.name,
        "topic": list_.topic.name if list_.topic else None,
        "state": "in use" if list_.active else "archived",
        **counts,
        "last_mailed": list_.last_mailed_at,
    }
    if not whole:
        return row
    return row | {
        "public_name": list_.title,
        "description": list_.description,
        "segment": list_.segment.name if list_.segment else None,
        "criterion": list_.criterion.name if list_.criterion else None,
        "sign_up": ("confirmed by mail" if list_.double_opt_in else "at once") if list_.sign_up else "no",
        "made": list_.created_at,
    }


def _person(row: Subscription, known: dict[ContactRef, audience.ContactSummary]) -> dict[str, Any]:
    ref = ContactRef(row.contact_source, row.contact_key)
    return {
        "contact": f"{ref.source}:{ref.key}",
        "name": known[ref].name if ref in known else None,
        "since": row.since,
        "how we know": row.evidence,
    }


def _one_way(contacts: Sequence[str], criterion: str | None) -> None:
    if bool(contacts) == bool(criterion):
        raise BadRequest("Name contacts by their keys, or a criterion with --criterion.")


def _refs(host: Host, contacts: Iterable[str]) -> list[ContactRef]:
    """The contacts that were named. Raises BadRequest for one the host does not have."""
    refs = [contact_ref(host, text) for text in contacts]
    known = audience.summaries(host, refs)
    for ref in refs:
        if ref not in known:
            raise BadRequest(f"The contact source “{ref.source}” has no contact with the key “{ref.key}”.")
    return refs


def _proof(evidence: str, how: str) -> consent.Proof:
    words = f"{evidence} – {how[:1].lower()}{how[1:]}" if evidence else how
    return consent.Proof(ConsentWay.PERSON, evidence=f"{words}, {BY}", by=BY)


def _keep(host: Host, dry_run: bool) -> None:
    """A dry run of named contacts does the same and takes it back."""
    host.session.rollback() if dry_run else host.session.commit()


def _would(dry_run: bool) -> str:
    return "Nothing was changed. It would be: " if dry_run else ""
