"""`flask massmail criterion ...`: saved criteria, whom they find, and what uses them. Reads only."""

from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy import func, select

from massmail_plugin import audience
from massmail_plugin.audience.criteria.saved_criteria import askers
from massmail_plugin.cli.group import json_option, mounted, print_json, print_table
from massmail_plugin.cli.named import criterion_called
from massmail_plugin.contracts import Host
from massmail_plugin.errors import MassMailError
from massmail_plugin.models import Criterion, List, Mailing

criterion = AppGroup("criterion", help="Criteria: show, find.")
name_argument = click.argument("name")


@criterion.command()
@click.argument("name", required=False)
@json_option
def show(name: str | None, as_json: bool) -> None:
    """All criteria in words, or with NAME one of them with its number and what uses it."""
    host = mounted()
    found = host.session.scalars(select(Criterion).order_by(func.lower(Criterion.name))).all()
    rows = [_whole(host, criterion_called(host, name))] if name else [_row(host, one) for one in found]
    if as_json:
        print_json(rows)
    elif name:
        print_table([{"what": key, "is": value} for key, value in rows[0].items()], empty="")
    else:
        print_table(rows, empty="There is no criterion.")


@criterion.command()
@name_argument
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many, by name.")
@json_option
def find(name: str, limit: int, as_json: bool) -> None:
    """The first contacts that the criterion NAME finds now."""
    host = mounted()
    one = criterion_called(host, name)
    found = audience.sample(host, host.source(one.contact_source), one.rule, limit)
    rows = [{"contact": who.ref.key, "name": who.name, "addresses": ", ".join(who.addresses.values())} for who in found]
    print_json(rows) if as_json else print_table(rows, empty="It finds nobody.")


def _row(host: Host, one: Criterion) -> dict[str, Any]:
    try:
        words = audience.sentence(host, host.source(one.contact_source), one.rule)
    except MassMailError as error:
        words = f"Cannot be used any more: {error}"
    return {"name": one.name, "contacts": one.contact_source, "finds": words}


def _whole(host: Host, one: Criterion) -> dict[str, Any]:
    mailings = host.session.scalar(select(func.count()).where(Mailing.criterion_id == one.id))
    lists = host.session.scalars(select(List.name).where(List.criterion_id == one.id).order_by(List.name))
    others = [other.name for other in askers(host, one.contact_source, [one.id])[one.id]]
    return {
        **_row(host, one),
        "number": audience.count(host, host.source(one.contact_source), one.rule),
        "mailings": mailings or 0,
        "lists": ", ".join(lists),
        "criteria": ", ".join(others),
    }
