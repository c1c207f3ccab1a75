"""Suppressions that hold no more: they go into the history, with who let them go and why. The room's files enter."""

from typing import Any, cast

from sqlalchemy import ColumnElement, Insert, Table, delete, insert, literal, select

from massmail_plugin.contracts import Host
from massmail_plugin.models import ReleasedSuppression, Suppression
from massmail_plugin.models.base import UtcDateTime
from massmail_plugin.portable_sql import changed, dialect

OVER = "Its time was over."
_ROW = cast(Table, Suppression.__table__).c
_KEPT = [column.name for column in _ROW if column.name not in ("id", "message_id")]


def let_go(host: Host, which: ColumnElement[bool], *, by: str, note: str) -> int:
    """Release all suppressions that fit, in one or two statements however many they are; their number. Flushes.

    One that is stored while this runs stays.
    """
    host.session.flush()
    if dialect(host).name == "postgresql":
        gone = delete(Suppression).where(which).returning(Suppression).cte("gone")
        number = changed(host, _into_history(host, gone.c, by, note).add_cte(gone))
    else:
        number = changed(host, _into_history(host, _ROW, by, note, which))
        changed(host, delete(Suppression).where(which))
    _forget_loaded(host)
    return number


def let_ended_go(host: Host, *, limit: int) -> int:
    """Put suppressions whose time is over into the history, `limit` of them at the most; their number."""
    ended = select(Suppression.id).where(Suppression.until <= host.clock()).order_by(Suppression.until).limit(limit)
    ids = list(host.session.scalars(ended))
    return let_go(host, Suppression.id.in_(ids), by="", note=OVER) if ids else 0


def _into_history(host: Host, row: Any, by: str, note: str, *where: ColumnElement[bool]) -> Insert:
    how = [literal(host.clock(), UtcDateTime), literal(by[:200]), literal(note)]
    kept = select(*(row[name] for name in _KEPT), *how).where(*where)
    names = [*_KEPT, "released_at", "released_by", "release_note"]
    return insert(ReleasedSuppression).from_select(names, kept)


def _forget_loaded(host: Host) -> None:
    session = host.session()
    for loaded in [row for row in session.identity_map.values() if isinstance(row, Suppression)]:
        session.expire(loaded)
