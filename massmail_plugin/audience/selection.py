"""Who gets a mailing, as one SELECT: lists, criterion, addresses, stops, duplicates. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Select,
    String,
    Subquery,
    and_,
    case,
    func,
    literal,
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
    rows = _checked(request, _rows(_people(host, source, request), addresses_of(source, request)))
    shared = [rows.c.reason, rows.c.normal] if request.one_per_address else [rows.c.reason, rows.c.normal, rows.c.key]
    order = [rows.c.position, rows.c.host_key]
    turn = func.row_number().over(partition_by=shared, order_by=order).label("turn")
    numbered = select(rows, turn).add_cte(rows, nest_here=True).subquery("massmail_numbered")
    reason = case(
        (numbered.c.reason != "", numbered.c.reason), (numbered.c.turn > 1, SkipReason.DUPLICATE.value), else_=null()
    )
    to_send = and_(numbered.c.reason == "", numbered.c.turn == 1) if request.one_per_address else None
    return select(
        literal(source.source_name).label("contact_source"),
        numbered.c.key.label("contact_key"),
        numbered.c.role.label("address_role"),
        numbered.c.channel.label("channel"),
        func.substr(numbered.c.address, 1, LONGEST).label("address"),
        (null() if to_send is None else case((to_send, numbered.c.normal), else_=null())).label("dedup_key"),
        numbered.c.list_id.label("list_id"),
        reason.label("skip_reason"),
    ).where(true())


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
    listed = (
        select(Subscription.contact_key.label("key"), func.min(Subscription.list_id).label("list_id"))
        .join(List, List.id == Subscription.list_id)
        .where(
            List.active,
            Subscription.list_id.in_(request.list_ids),
            Subscription.contact_source == request.source_name,
            Subscription.state == SubscriptionState.SUBSCRIBED,
        )
        .group_by(Subscription.contact_key)
    )
    if request.only is not None:
        listed = listed.where(Subscription.contact_key.in_(request.only))
    return listed.subquery("massmail_listed")


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
            ).where(or_(not_(active), nowhere, there) if position == 0 else there)
        )
    return union_all(*selects).add_cte(people, nest_here=True).subquery("massmail_rows")


def _checked(request: AudienceRequest, rows: Subquery) -> CTE:
    """Each row with its normalised address and the first reason not to write to it; an empty text for none.

    Materialised: else SQLite works out the reason once for each place that mentions it.
    """
    normal = normalised_sql(rows.c.address)
    stops = stop_clause(request.source_name, rows.c.key, normal, request.list_ids)
    by_mail = rows.c.channel == Channel.EMAIL.value
    reason: ColumnElement[str] = case(
        (rows.c.active == 0, SkipReason.INACTIVE.value),
        (rows.c.address == "", SkipReason.NO_ADDRESS.value),
        (
            or_(and_(by_mail, unusable_sql(rows.c.address)), func.length(rows.c.address) > LONGEST),
            SkipReason.BAD_ADDRESS.value,
        ),
        (stops.opted_out, SkipReason.OPTED_OUT.value),
        (stops.suppressed, SkipReason.SUPPRESSED.value),
        else_=literal("", String),
    )
    return (
        select(rows, normal.label("normal"), reason.label("reason")).cte("massmail_checked").prefix_with("MATERIALIZED")
    )
