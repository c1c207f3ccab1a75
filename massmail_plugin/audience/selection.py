"""Who gets a mailing, as one SELECT: lists, criterion, addresses, stops, duplicates. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    Select,
    String,
    Subquery,
    and_,
    case,
    collate,
    func,
    literal,
    literal_column,
    not_,
    null,
    or_,
    select,
    true,
    union_all,
)

from massmail_plugin.audience.criteria_sql import clause
from massmail_plugin.consent.addresses import LONGEST, absent_sql, normalised_sql, trimmed_sql, unusable_sql
from massmail_plugin.consent.contact_keys import key_from_text
from massmail_plugin.consent.suppression import stop_clause
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import Address, ContactSource, Host
from massmail_plugin.errors import BadRequest, nearest
from massmail_plugin.models import List, Subscription
from massmail_plugin.portable_sql import dialect
from massmail_plugin.vocabulary import Channel, SkipReason, SubscriptionState


@dataclass(frozen=True)
class AudienceRequest:
    """Who is asked for: contacts of a source on any of the lists, within a criterion's rule, at these address roles.

    `roles` empty means every e-mail role; their order is the order of preference. `one_per_address` False lets two
    contacts with one address get a message each. `only` narrows to the key texts a SELECT gives.
    """

    source_name: str
    list_ids: Sequence[int]
    rule: Any = None
    roles: Sequence[str] = ()
    one_per_address: bool = True
    only: Select[Any] | None = None


def select_recipients(host: Host, request: AudienceRequest) -> Select[Any]:
    """One row for each (contact, address) of the audience, also for those left out.

    Columns: contact_source, contact_key, address_role, channel, address, dedup_key, list_id, skip_reason (NULL: to be
    sent, else a SkipReason). A contact outside the criterion has no row; an inactive one, or one without an address,
    has one. `dedup_key` is set on rows to be sent where the request wants one message per address. Lists that are
    not active count nobody. Raises RuleError, BadRequest (unknown role) or SetupError (unknown source).
    """
    source = host.source(request.source_name)
    addresses = addresses_of(source, request)
    found = _checked(request, _rows(_people(host, source, request), addresses))
    several = request.one_per_address or len(addresses) > 1
    turn: ColumnElement[int] = _turn(host, request, found) if several else literal(1)
    rows = select(found, turn.label("turn")).subquery("massmail_numbered")
    reason = case((rows.c.reason != "", rows.c.reason), (rows.c.turn > 1, SkipReason.DUPLICATE.value), else_=null())
    to_send = and_(rows.c.reason == "", rows.c.turn == 1) if request.one_per_address else None
    return select(
        literal(source.source_name).label("contact_source"),
        rows.c.key.label("contact_key"),
        rows.c.role.label("address_role"),
        rows.c.channel.label("channel"),
        func.substr(rows.c.address, 1, LONGEST).label("address"),
        (null() if to_send is None else case((to_send, rows.c.normal), else_=null())).label("dedup_key"),
        rows.c.list_id.label("list_id"),
        reason.label("skip_reason"),
    ).where(true())


def bytewise(host: Host, column: Any) -> ColumnElement[Any]:
    """The column, to be sorted by its bytes: the same order on every database, and several times as fast as words."""
    ordered: ColumnElement[Any] = collate(column, "C") if dialect(host).name == "postgresql" else column
    return ordered


def addresses_of(source: ContactSource, request: AudienceRequest) -> list[Address]:
    """The addresses a request asks for, in its order. Raises BadRequest for a role the source does not have."""
    known = {one.role: one for one in source.addresses}
    roles = request.roles or [one.role for one in register(source).roles(Channel.EMAIL)]
    strange = next((role for role in roles if role not in known), None)
    if strange is not None:
        raise BadRequest(f"The contacts have no address called “{strange}”. {nearest(strange, known)}")
    if not roles:
        raise BadRequest(f"The contacts of “{source.source_name}” have no e-mail address. Choose another source.")
    return [known[role] for role in dict.fromkeys(roles)]


def on_lists(host: Host, request: AudienceRequest) -> Subquery:
    """The contacts on the request's active lists: key, and the first such list of each."""
    wanted = (
        List.active,
        Subscription.list_id.in_(request.list_ids),
        Subscription.contact_source == request.source_name,
        Subscription.state == SubscriptionState.SUBSCRIBED,
    )
    several = len(set(request.list_ids)) > 1
    first = func.min(Subscription.list_id) if several else Subscription.list_id
    listed = select(Subscription.contact_key.label("key"), first.label("list_id")).where(*wanted)
    listed = listed.join(List, List.id == Subscription.list_id)
    if request.only is not None:
        listed = listed.where(Subscription.contact_key.in_(request.only))
    return (listed.group_by(Subscription.contact_key) if several else listed).subquery("massmail_listed")


def _people(host: Host, source: ContactSource, request: AudienceRequest) -> CTE:
    """Contacts on the lists and within the criterion, with their addresses as a0, a1, ..."""
    known = register(source)
    listed = on_lists(host, request)
    addresses = [one.column.label(f"a{number}") for number, one in enumerate(addresses_of(source, request))]
    active = true() if source.active is None else func.coalesce(source.active, False)
    return (
        select(
            listed.c.key,
            listed.c.list_id,
            known.key_column.label("host_key"),
            case((active, 1), else_=0).label("active"),
            *addresses,
        )
        .select_from(listed)
        .join(source.model, known.key_column == key_from_text(source, listed.c.key))
        .where(clause(host, source, request.rule))
        .cte("massmail_people")
    )


def _rows(people: CTE, addresses: Sequence[Address]) -> Subquery:
    """One row for each address that is there; the first role also stands for those who are inactive or have none."""
    columns = [people.c[f"a{number}"] for number in range(len(addresses))]
    nowhere = reduce(and_, (absent_sql(column) for column in columns))
    active = people.c.active == 1
    selects = []
    for position, (address, column) in enumerate(zip(addresses, columns, strict=True)):
        there = and_(active, not_(absent_sql(column)))
        first = true() if len(addresses) == 1 else or_(not_(active), nowhere, there)
        selects.append(
            select(
                people.c.key,
                people.c.list_id,
                people.c.host_key,
                people.c.active,
                literal(position).label("position"),
                literal(address.role).label("role"),
                literal(str(address.channel)).label("channel"),
                func.coalesce(trimmed_sql(column), "").label("address"),
            ).where(first if position == 0 else there)
        )
    rows = union_all(*selects) if len(selects) > 1 else selects[0]
    return _once(rows.add_cte(people, nest_here=True), "massmail_rows")


def _checked(request: AudienceRequest, rows: Subquery) -> Subquery:
    """Each row with its normalised address and the first reason not to write to it; an empty text for none."""
    named = _once(select(rows, normalised_sql(rows.c.address).label("normal")), "massmail_named")
    stops = stop_clause(request.source_name, named.c.key, named.c.normal, request.list_ids)
    by_mail = named.c.channel == Channel.EMAIL.value
    reason: ColumnElement[str] = case(
        (named.c.active == 0, SkipReason.INACTIVE.value),
        (named.c.address == "", SkipReason.NO_ADDRESS.value),
        (
            or_(and_(by_mail, unusable_sql(named.c.address)), func.length(named.c.address) > LONGEST),
            SkipReason.BAD_ADDRESS.value,
        ),
        (stops.opted_out, SkipReason.OPTED_OUT.value),
        (stops.suppressed, SkipReason.SUPPRESSED.value),
        else_=literal("", String),
    )
    kept = [column for column in named.c if column.name != "active"]
    return _once(select(*kept, reason.label("reason")), "massmail_checked")


def _once(rows: Select[Any] | CompoundSelect[Any], name: str) -> Subquery:
    """The rows with every expression worked out once: an OFFSET keeps databases from copying it to where it is used."""
    return rows.offset(literal_column("0")).subquery(name)


def _turn(host: Host, request: AudienceRequest, rows: Subquery) -> ColumnElement[int]:
    """1 for the row that gets the mail among those with the same address; the contact's own roles come in order."""
    own = [] if request.one_per_address else [rows.c.key]
    shared = [bytewise(host, rows.c.normal), rows.c.reason, *own]
    return func.row_number().over(partition_by=shared, order_by=[rows.c.position, rows.c.host_key])
