"""What events come to that are about to be deleted: kept, so that the tallies can still be proved. Retention enters.

Flushes only.
"""

from typing import Any, cast

from sqlalchemy import Select, Table, case, func, literal, select, true

from massmail_plugin.contracts import Host
from massmail_plugin.models import Event, PastTally
from massmail_plugin.outcomes.tallies import ALL_LINKS, BACK_IN, recount
from massmail_plugin.portable_sql import dialect, hour_of, upsert_of
from massmail_plugin.vocabulary import EventKind

_PAST = cast(Table, PastTally.__table__)
_NAMES = [part.name for part in _PAST.c]
_COUNTS = ("hits", "machine_hits", "mails")


def put_by(host: Host, mailing_id: int, messages: Select[Any]) -> None:
    """Keep what all events of these mails (`messages` selects their ids) come to; the caller then deletes the events.

    The caller holds `one_at_a_time` of every kind of this mailing.
    """
    name = dialect(host).name
    for counted in (recount(name, mailing_id, messages), _came_back(name, mailing_id, messages)):
        rows = counted.subquery("counted")
        given = select(*(rows.c[column] for column in _NAMES)).where(true())
        new = upsert_of(name, _PAST).from_select(_NAMES, given, include_defaults=False)
        added = {count: _PAST.c[count] + new.excluded[count] for count in _COUNTS}
        host.session.execute(new.on_conflict_do_update(index_elements=list(_PAST.primary_key), set_=added))


def _came_back(dialect_name: str, mailing_id: int, messages: Select[Any]) -> Select[Any]:
    """Mails whose opt-outs were all taken back, by the hour of the last time."""
    out, back = EventKind.OPT_OUT.value, EventKind.OPT_BACK_IN.value
    times_out, times_back = (func.sum(case((Event.kind == kind, 1), else_=0)) for kind in (out, back))
    mails = (
        select(func.max(Event.at).label("at"))
        .where(Event.mailing_id == mailing_id, Event.message_id.in_(messages))
        .where(Event.kind.in_([out, back]), Event.by_machine.is_(False))
        .group_by(Event.message_id)
        .having(times_out.between(1, times_back))
        .subquery()
    )
    hour = hour_of(dialect_name, mails.c.at).label("hour")
    rows = select(hour, func.count().label("mails")).group_by(hour).subquery("back")
    return select(
        literal(mailing_id).label("mailing_id"),
        literal(BACK_IN).label("kind"),
        literal(ALL_LINKS).label("link_id"),
        rows.c.hour,
        literal(0).label("hits"),
        literal(0).label("machine_hits"),
        rows.c.mails,
    )
