"""Stopping mail to many addresses at once: one statement however many they are. Imports enter; their door commits."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, insert, literal, or_, select, true

from massmail_plugin.contracts import Host
from massmail_plugin.models import List, Suppression, Topic
from massmail_plugin.models.base import UtcDateTime
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import ConsentWay, SuppressionReason, SuppressionScope


def suppress_selected(
    host: Host,
    addresses: Select[Any],
    *,
    scope: SuppressionScope,
    reason: SuppressionReason,
    way: ConsentWay,
    list_id: int | None = None,
    topic_id: int | None = None,
    until: datetime | None = None,
    note: str = "",
    by: str = "",
) -> int:
    """`suppress` for all normalised addresses that `addresses` selects; how many were stopped anew."""
    host.session.flush()
    row: dict[str, Any] = {
        "scope": literal(scope.value),
        "list_id": literal(list_id if scope is SuppressionScope.LIST else None, List.id.type),
        "topic_id": literal(topic_id if scope is SuppressionScope.TOPIC else None, Topic.id.type),
        "reason": literal(reason.value),
        "way": literal(way.value),
        "note": literal(note),
        "created_at": literal(host.clock(), UtcDateTime),
        "created_by": literal(by[:200]),
        "until": literal(until, UtcDateTime),
    }
    new = addresses_to_stop(addresses, scope, reason, list_id, topic_id, until).subquery("new")
    stopped = select(new.c.address, *row.values())
    return changed(host, insert(Suppression).from_select(["address", *row], stopped))


def addresses_to_stop(
    addresses: Select[Any],
    scope: SuppressionScope,
    reason: SuppressionReason,
    list_id: int | None = None,
    topic_id: int | None = None,
    until: datetime | None = None,
) -> Select[Any]:
    """Those of the addresses for which `suppress_selected` would make a row, each once, as the column `address`."""
    wanted = addresses.subquery("wanted")
    address: ColumnElement[str] = next(iter(wanted.c))
    longer: ColumnElement[bool] = Suppression.until.is_(None)
    there = exists().where(
        Suppression.address == address,
        Suppression.scope == scope.value,
        Suppression.reason == reason.value,
        Suppression.list_id == list_id if scope is SuppressionScope.LIST else true(),
        Suppression.topic_id == topic_id if scope is SuppressionScope.TOPIC else true(),
        longer if until is None else or_(longer, Suppression.until >= until),
    )
    return select(address.label("address")).where(and_(address != "", ~there)).distinct()
