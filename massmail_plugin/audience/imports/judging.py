"""A slice judged: each row gets one verdict, in a few statements however many they are. Flushes."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, case, func, literal, select

from massmail_plugin.audience.imports.purposes import Found, Purpose
from massmail_plugin.audience.imports.rows import LONGEST_SHOWN, Problem
from massmail_plugin.audience.imports.staging import found, own_addresses, rows, verdicts
from massmail_plugin.contracts import Host
from massmail_plugin.models import Subscription
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import RowVerdict

_RANKS = {verdict: rank for rank, verdict in enumerate(RowVerdict)}
"""Of several contacts that a row belongs to, the first verdict is the row's."""
_VERDICTS = tuple(RowVerdict)
SHOWN = (RowVerdict.LEFT, RowVerdict.OPTED_OUT, RowVerdict.SUPPRESSED, RowVerdict.UNKNOWN, RowVerdict.DUPLICATE)
"""Verdicts of rows that the file of errors names, beside those that were told before the database."""


def judge(host: Host, purpose: Purpose, *, by: str) -> None:
    """Say for each contact of the slice what is to be made of it."""
    here = Found(found.c.contact_key, rows.c.form if by == "address" else found.c.address)
    cases = purpose.cases(here)
    if by == "address" and purpose.of_contacts and len(own_addresses(purpose.source)) > 1:
        first = func.min(found.c.number).over(partition_by=found.c.contact_key)
        again = and_(found.c.contact_key.is_not(None), found.c.number != first)
        cases = ((again, RowVerdict.DUPLICATE), *cases)
    verdict = case(*((when, _rank(then)) for when, then in cases), else_=_rank(RowVerdict.CHANGED))
    beside = rows.outerjoin(found, found.c.number == rows.c.number)
    if purpose.beside is not None:
        standing = and_(
            Subscription.list_id == purpose.beside.id,
            Subscription.contact_source == purpose.source.source_name,
            Subscription.contact_key == found.c.contact_key,
        )
        beside = beside.outerjoin(Subscription.__table__, standing)
    asked = select(rows.c.number, found.c.contact_key, verdict).select_from(beside)
    changed(host, verdicts.insert().from_select(["number", "contact_key", "verdict"], asked))


def counted(host: Host) -> dict[RowVerdict, int]:
    """How many rows of the slice have each verdict."""
    each = _each_row()
    asked = select(each.c.verdict, func.count()).group_by(each.c.verdict)
    return {_VERDICTS[verdict]: number for verdict, number in host.session.execute(asked)}


def to_change(purpose: Purpose) -> Select[Any]:
    """The keys, or of a purpose without contacts the addresses, that the file changes something for."""
    if purpose.of_contacts:
        return select(verdicts.c.contact_key).where(_is(RowVerdict.CHANGED))
    number = verdicts.c.number == rows.c.number
    return select(rows.c.form).join(verdicts, number).where(_is(RowVerdict.CHANGED))


def problems(host: Host, wanted: Iterable[RowVerdict] = SHOWN) -> Iterator[Problem]:
    """The rows of the slice with one of these verdicts."""
    each = _each_row()
    asked = select(each.c.number, rows.c.form, each.c.verdict).join(rows, rows.c.number == each.c.number)
    asked = asked.where(each.c.verdict.in_([_RANKS[one] for one in wanted]))
    for number, text, verdict in host.session.execute(asked):
        yield Problem(number, text[:LONGEST_SHOWN], _VERDICTS[verdict])


def unknown(host: Host) -> Sequence[Any]:
    """Number, address and values of rows that belong to nobody and are not stopped."""
    each = _each_row()
    asked = select(rows.c.number, rows.c.form, rows.c["values"]).join(each, rows.c.number == each.c.number)
    return host.session.execute(asked.where(each.c.verdict == _RANKS[RowVerdict.UNKNOWN])).all()


def _each_row() -> Any:
    best = func.min(verdicts.c.verdict).label("verdict")
    return select(verdicts.c.number, best).group_by(verdicts.c.number).subquery("each_row")


def _is(verdict: RowVerdict) -> ColumnElement[bool]:
    return verdicts.c.verdict == _RANKS[verdict]


def _rank(verdict: RowVerdict) -> ColumnElement[int]:
    return literal(_RANKS[verdict], Integer)
