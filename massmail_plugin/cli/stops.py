"""`flask massmail suppress` and `suppressions list|released|release`: what stops mail, and why it stops it no more."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click
from flask.cli import with_appcontext
from sqlalchemy import ColumnElement, and_, or_, select

from massmail_plugin import consent
from massmail_plugin.cli.group import BY, contact_ref, json_option, mounted, print_json, print_table
from massmail_plugin.cli.named import known_contact, list_called, topic_called
from massmail_plugin.cli.suppressions import suppressions
from massmail_plugin.consent.addresses import spellings
from massmail_plugin.consent.stops.address_hashes import address_hashes
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import List, ReleasedSuppression, Suppression, Topic
from massmail_plugin.vocabulary import ConsentWay, SuppressionReason, SuppressionScope

day = click.DateTime(["%Y-%m-%d"])
who_argument = click.argument("who", required=False)
limit_option = click.option("--limit", default=50, show_default=True, help="So many at the most, the newest first.")


@click.command()
@click.argument("who")
@click.option("--list", "list_name", help="Name of the only list that is to be stopped.")
@click.option("--topic", help="Name of the only topic that is to be stopped.")
@click.option("--until", type=day, help="Day from which mail may go again, at midnight UTC. Default: never.")
@click.option("--note", default="", help="Why, for those who ask later.")
@with_appcontext
def suppress(who: str, list_name: str | None, topic: str | None, until: datetime | None, note: str) -> None:
    """Never write to WHO: an address, whoever has it, or a contact (key, or source:key) at every address."""
    host = mounted()
    if list_name and topic:
        raise BadRequest("Name a list or a topic, not both.")
    consent.suppress(
        host,
        **_named(host, who),
        scope=_scope(list_name, topic),
        list_id=list_called(host, list_name).id if list_name else None,
        topic_id=topic_called(host, topic).id if topic else None,
        reason=SuppressionReason.BY_PERSON,
        until=until.replace(tzinfo=UTC) if until else None,
        note=note,
        by=BY,
        way=ConsentWay.PERSON,
    )
    host.session.commit()
    end = f" before {until:%Y-%m-%d}" if until else " any more"
    click.echo(f"{who} is not written to{end}{_of(list_name or topic)}.")


@suppressions.command("list")
@who_argument
@limit_option
@json_option
def list_(who: str | None, limit: int, as_json: bool) -> None:
    """What stops mail: everything, or what stops WHO (an address, or a contact as key or source:key)."""
    host = mounted()
    rows = _rows(host, Suppression, who, limit)
    shown = [_shown(row, list_name, topic) for row, list_name, topic in rows]
    print_json(shown) if as_json else print_table(shown, empty=f"Nothing stops mail{f' to {who}' if who else ''}.")


@suppressions.command()
@who_argument
@limit_option
@json_option
def released(who: str | None, limit: int, as_json: bool) -> None:
    """What stopped mail once: who let it go, when and why. Of everybody, or of WHO."""
    rows = _rows(mounted(), ReleasedSuppression, who, limit)
    shown = [
        {
            **_shown(row, list_name, topic),
            "released": row.released_at,
            "by": row.released_by,
            "why": row.release_note,
        }
        for row, list_name, topic in rows
    ]
    print_json(shown) if as_json else print_table(shown, empty="Nothing was released.")


@suppressions.command()
@click.argument("number", type=int)
@click.option("--note", required=True, help="Why mail may go there again.")
def release(number: int, note: str) -> None:
    """Let the suppression NUMBER go: mail may go there again."""
    host = mounted()
    row = host.session.get(Suppression, number)
    if row is None:
        raise BadRequest(f"There is no suppression {number}. `flask massmail suppressions list` shows them.")
    if not note.strip():
        raise BadRequest("Say why in --note: it is kept.")
    who = _who(row)
    consent.release(host, row, by=BY, note=note)
    host.session.commit()
    click.echo(f"Mail may go to {who} again.")


def _named(host: Host, who: str) -> dict[str, Any]:
    """As `suppress` takes it: what holds an @ is an address."""
    if "@" not in who:
        return {"contact": known_contact(host, who)}
    if fault := consent.fault(who):
        raise BadRequest(f"{who}: {fault}")
    return {"address": who}


def _scope(list_name: str | None, topic: str | None) -> SuppressionScope:
    if list_name:
        return SuppressionScope.LIST
    return SuppressionScope.TOPIC if topic else SuppressionScope.ALL_BUT_TRANSACTIONAL


def _rows(host: Host, model: Any, who: str | None, limit: int) -> Sequence[Any]:
    columns: list[Any] = [model, List.name, Topic.name]
    query = select(*columns).outerjoin(List, List.id == model.list_id).outerjoin(Topic, Topic.id == model.topic_id)
    if who:
        query = query.where(_speaks_of(host, model, who))
    return host.session.execute(query.order_by(model.id.desc()).limit(limit)).all()


def _speaks_of(host: Host, model: Any, who: str) -> ColumnElement[bool]:
    if "@" in who:
        return or_(model.address.in_(sorted(spellings(who))), model.address_hash.in_(address_hashes(host.config, who)))
    ref: ContactRef = contact_ref(host, who)
    return and_(model.contact_source == ref.source, model.contact_key == ref.key)


def _shown(row: Any, list_name: str | None, topic: str | None) -> dict[str, Any]:
    return {
        "number": row.id,
        "who": _who(row),
        "reason": row.reason,
        "stops": f"{row.scope} {list_name or topic or ''}".strip(),
        "since": row.created_at,
        "until": row.until,
        "way": row.way,
        "note": row.note,
    }


def _who(row: Any) -> str:
    if row.contact_key is not None:
        return f"{row.contact_source}:{row.contact_key}"
    return row.address or f"erased {row.address_hash[:12]}"


def _of(name: str | None) -> str:
    return f" about {name}" if name else ""
