"""Everybody on the lists of a request, and the first reason why one is left out: one row for each contact and address.

The outbox, the numbers before sending and the people behind each are all read from this one statement. Reads only.
It is made for a million rows: what costs is worked out once for each row, cheap reasons come first, and numbers stand
for reasons until the end.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    Select,
    Subquery,
    and_,
    case,
    collate,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    true,
    union_all,
)

from massmail_plugin.audience.criteria.rule_sql import clause
from massmail_plugin.audience.funnel.on_lists import active_ids, first_list, of_listed, on_any
from massmail_plugin.audience.funnel.request import AudienceRequest, Lately, addresses_of
from massmail_plugin.audience.members import members
from massmail_plugin.consent.addresses import LONGEST, absent_sql, trimmed_sql, unusable_sql
from massmail_plugin.consent.contact_keys import TextOf, key_text
from massmail_plugin.consent.stops.frequency import too_soon
from massmail_plugin.consent.stops.suppression import stop_clause
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import Address, ContactSource, Host
from massmail_plugin.models import OutboxMessage, PastMessage, Suppression
from massmail_plugin.portable_sql import dialect, fits, has_row
from massmail_plugin.vocabulary import WAITING, Channel, MessageState, SkipReason

REASONS = (
    SkipReason.OTHER_STATUS,
    SkipReason.EXCLUDED,
    SkipReason.INACTIVE,
    SkipReason.NO_ADDRESS,
    SkipReason.BAD_ADDRESS,
    SkipReason.OPTED_OUT,
    SkipReason.SUPPRESSED,
    SkipReason.MAILED_LATELY,
    SkipReason.WANTS_FEWER,
    SkipReason.DUPLICATE,
)
"""In the order of the funnel."""
GOES = len(REASONS)
"""How far a row gets that nothing stops."""
_WENT = (MessageState.SENT.value, MessageState.UNCERTAIN.value)
_WILL_GO = tuple(state.value for state in WAITING)


def sieve(host: Host, request: AudienceRequest, *, lists: bool = True, turns: bool = True) -> Subquery:
    """Columns: key (text), host_key, position and role of the address, channel, address, normal, list_id, far.

    `far` is how far the row gets: the number of the reason in REASONS that stops it, or GOES. Who is on archived lists
    alone or outside the criterion has no row. Without `lists` there is no list_id, without `turns` nobody is a
    duplicate: both cost. Raises RuleError, BadRequest (unknown role) or SetupError (unknown source).
    """
    source = host.source(request.source_name)
    addresses = addresses_of(source, request)
    found = _judged(host, request, _rows(_people(host, source, request, lists=lists), addresses))
    if turns and (request.one_per_address or len(addresses) > 1):
        return _in_turn(host, request, found)
    return found


def bytewise(host: Host, column: Any) -> ColumnElement[Any]:
    """The column, to be sorted by its bytes: the same order on every database, and several times as fast as words."""
    ordered: ColumnElement[Any] = collate(column, "C") if dialect(host).name == "postgresql" else column
    return ordered


def in_status(source: ContactSource, statuses: Sequence[str]) -> ColumnElement[bool]:
    """True where the contact has one of these statuses of the host; always, where none is named."""
    if not statuses or source.status is None:
        return true()
    return func.coalesce(TextOf(source.status), "").in_(statuses)


# --- The contacts, with what must be asked of the host's table -----------------------------------------------------


def _people(host: Host, source: ContactSource, request: AudienceRequest, *, lists: bool) -> CTE:
    """Contacts on the active lists and within the criterion, with their addresses as a0, a1, ..."""
    addresses = [one.column.label(f"a{number}") for number, one in enumerate(addresses_of(source, request))]
    active = true() if source.active is None else func.coalesce(source.active, False)
    columns: list[Any] = [
        key_text(source).label("key"),
        register(source).key_column.label("host_key"),
        _flag(in_status(source, request.statuses)).label("chosen"),
        _flag(active).label("active"),
        *addresses,
    ]
    people = select(*columns).select_from(source.model).where(clause(host, source, request.rule))
    ids = active_ids(host, request.list_ids)
    if lists:
        listed = first_list(host, request, ids)
        people = people.add_columns(listed.c.list_id).join(listed, of_listed(host, source, request, listed))
    else:
        people = people.where(on_any(host, source, request, ids))
    return people.cte("massmail_people")


def _flag(test: ColumnElement[bool]) -> ColumnElement[int]:
    return case((test, 1), else_=0)


# --- Their addresses, one in a row ---------------------------------------------------------------------------------


def _rows(people: CTE, addresses: Sequence[Address]) -> Subquery:
    """One row for each address that is there; the first role also stands for those who are inactive or have none."""
    columns = [people.c[f"a{number}"] for number in range(len(addresses))]
    nowhere = reduce(and_, (absent_sql(column) for column in columns))
    active = people.c.active == 1
    kept = [column for column in people.c if column.name not in {column.name for column in columns}]
    selects = []
    for position, (address, column) in enumerate(zip(addresses, columns, strict=True)):
        there = and_(active, not_(absent_sql(column)))
        first = true() if len(addresses) == 1 else or_(not_(active), nowhere, there)
        trimmed = func.coalesce(trimmed_sql(column), "")
        selects.append(
            select(
                *kept,
                literal(position).label("position"),
                literal(address.role).label("role"),
                literal(str(address.channel)).label("channel"),
                trimmed.label("address"),
                func.lower(trimmed).label("normal"),
            ).where(first if position == 0 else there)
        )
    rows = union_all(*selects) if len(selects) > 1 else selects[0]
    return _once(rows.add_cte(people, nest_here=True), "massmail_rows")


# --- Why not -------------------------------------------------------------------------------------------------------


def _judged(host: Host, request: AudienceRequest, rows: Subquery) -> Subquery:
    """Each row with how far it gets. A database looks no further once a reason holds."""
    tests = _tests(host, request, rows)
    reasons = [(tests[reason], number) for number, reason in enumerate(REASONS) if tests.get(reason) is not None]
    far = case(*reasons, else_=GOES).label("far")
    kept = [column for column in rows.c if column.name not in ("active", "chosen")]
    return _once(select(*kept, far), "massmail_judged")


def _tests(host: Host, request: AudienceRequest, row: Subquery) -> dict[SkipReason, Any]:
    """What is true where a reason holds; None where the request does not ask."""
    stops = stop_clause(
        request.source_name,
        row.c.key,
        row.c.normal,
        request.list_ids,
        at=host.clock(),
        topic_ids=request.topic_ids,
        by_hash=_many_against(host, request, select(Suppression.id)),
    )
    by_mail = row.c.channel == Channel.EMAIL.value
    return {
        SkipReason.OTHER_STATUS: row.c.chosen == 0 if request.statuses else None,
        SkipReason.EXCLUDED: _excluded(host, request, row),
        SkipReason.INACTIVE: row.c.active == 0,
        SkipReason.NO_ADDRESS: row.c.address == "",
        SkipReason.BAD_ADDRESS: or_(and_(by_mail, unusable_sql(row.c.address)), func.length(row.c.address) > LONGEST),
        SkipReason.OPTED_OUT: stops.opted_out,
        SkipReason.SUPPRESSED: stops.suppressed,
        SkipReason.MAILED_LATELY: _mailed(host, request, row),
        SkipReason.WANTS_FEWER: row.c.key.in_(
            too_soon(host, request.source_name, at=host.clock(), mailing_id=request.mailing_id)
        ),
    }


def _excluded(host: Host, request: AudienceRequest, row: Subquery) -> ColumnElement[bool] | None:
    if not request.excluded_list_ids:
        return None
    found = members(host, host.source(request.source_name), request.excluded_list_ids).subquery("massmail_excluded")
    by_hash = _many_against(host, request, select(found.c.key))
    return has_row(row.c.key, found.c.key, by_hash=by_hash)


def _many_against(host: Host, request: AudienceRequest, rows: Select[Any]) -> bool:
    """Whether everybody on the lists is held against rows that fit into a hash table."""
    return request.only is None and fits(host, rows)


def _mailed(host: Host, request: AudienceRequest, row: Subquery) -> ColumnElement[bool] | None:
    """True for who got one of the mailings of the resend window, or is about to.

    What was deleted for its age counts as old as can be: it does where the window has no beginning.
    """
    lately = request.lately
    if lately is None or not lately.mailing_ids:
        return None
    mail, past = OutboxMessage, PastMessage
    those = mail.contact_source == request.source_name, mail.mailing_id.in_(lately.mailing_ids)
    by_hash = _many_against(host, request, select(mail.id).where(*those))
    mails = has_row(row.c.key, mail.contact_key, *those, counts_as_mailed(lately), by_hash=by_hash)
    if lately.since is not None:
        return mails
    gone = past.contact_source == request.source_name, past.mailing_id.in_(lately.mailing_ids)
    return or_(mails, has_row(row.c.key, past.contact_key, *gone, by_hash=False))


def counts_as_mailed(lately: Lately) -> ColumnElement[bool]:
    """True for outbox messages that went out within the window, or may have, or still wait to."""
    went: ColumnElement[bool] = OutboxMessage.state.in_(_WENT)
    if lately.since is not None:
        went = and_(went, OutboxMessage.settled_at > lately.since)
    return or_(went, OutboxMessage.state.in_(_WILL_GO))


# --- One mail per address ------------------------------------------------------------------------------------------


def _in_turn(host: Host, request: AudienceRequest, rows: Subquery) -> Subquery:
    """All but the first of those with the same address are duplicates; the contact's own roles come in order."""
    own = [] if request.one_per_address else [rows.c.key]
    shared = [bytewise(host, case((rows.c.far == GOES, rows.c.normal))), *own]
    turn = func.row_number().over(partition_by=shared, order_by=[rows.c.position, rows.c.host_key]).label("turn")
    numbered = select(rows, turn).subquery("massmail_numbered")
    later = and_(numbered.c.far == GOES, numbered.c.turn > 1)
    far = case((later, REASONS.index(SkipReason.DUPLICATE)), else_=numbered.c.far).label("far")
    kept = [column for column in numbered.c if column.name not in ("far", "turn")]
    return select(*kept, far).subquery("massmail_sieve")


def _once(rows: Select[Any] | CompoundSelect[Any], name: str) -> Subquery:
    """The rows with every expression worked out once: an OFFSET keeps databases from copying it to where it is used.

    Written as a text, since PostgreSQL knows only of a bare constant early enough that it is none, and that processors
    can share the work; a number would have to be cast first.
    """
    return rows.offset(literal_column("'0'")).subquery(name)
