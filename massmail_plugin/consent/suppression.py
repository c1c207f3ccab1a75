"""Addresses and contacts that must not be written to: put there, released, and asked for at fill and at hand-off.

Flushes; the door commits.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select

from massmail_plugin.consent.addresses import LONGEST, fault, normalised, spellings
from massmail_plugin.contracts import Column, ContactRef, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Subscription, SubscriptionEvent, Suppression
from massmail_plugin.portable_sql import listed, one_of
from massmail_plugin.vocabulary import SkipReason, SubscriptionState, SuppressionReason, SuppressionScope

log = logging.getLogger(__name__)

Row = tuple[int, ContactRef, str, Sequence[int]]
"""A message about to leave: its id, contact, address, and the lists of its mailing (empty: no list is asked)."""


def suppress(
    host: Host,
    *,
    address: str | None = None,
    contact: ContactRef | None = None,
    scope: SuppressionScope,
    reason: SuppressionReason,
    list_id: int | None = None,
    note: str = "",
    by: str = "",
    message_id: int | None = None,
) -> Suppression:
    """Stop mail to an address or to a contact. One that says the same already is returned instead of a second.

    Raises BadRequest where nobody, both, or (with scope LIST) no list is named.
    """
    _check(address, contact, scope, list_id)
    same = {
        "address": None if address is None else normalised(address),
        "contact_source": contact.source if contact else None,
        "contact_key": contact.key if contact else None,
        "scope": str(scope),
        "list_id": list_id if scope is SuppressionScope.LIST else None,
        "reason": str(reason),
    }
    found = host.session.scalars(select(Suppression).filter_by(**same).order_by(Suppression.id).limit(1)).first()
    if found is not None:
        return found
    made = Suppression(**same, note=note, created_at=host.clock(), created_by=by, message_id=message_id)
    host.session.add(made)
    host.session.flush()
    return made


def release(host: Host, suppression: Suppression, *, by: str, note: str) -> None:
    """Lift a suppression: mail may go there again."""
    log.info("Suppression %s (%s) released by %s: %s", suppression.id, suppression.reason, by, note)
    host.session.delete(suppression)
    host.session.flush()


def _check(address: str | None, contact: ContactRef | None, scope: SuppressionScope, list_id: int | None) -> None:
    if (address is None) == (contact is None):
        raise BadRequest("Name either an address or a contact to suppress.")
    if address is not None and not address.strip():
        raise BadRequest("The address is empty. Enter the address that must not be written to.")
    if address is not None and (len(normalised(address)) > LONGEST or not address.strip().isprintable()):
        raise BadRequest(f"The address is longer than {LONGEST} characters or holds characters that cannot be shown.")
    if scope is SuppressionScope.LIST and list_id is None:
        raise BadRequest("Choose the list for which mail is to be stopped.")


# --- At fill: SQL ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StopClauses:
    """Two-valued SQL: the recipient opted out, or is suppressed for another reason."""

    opted_out: ColumnElement[bool]
    suppressed: ColumnElement[bool]


def stop_clause(source_name: str, key_sql: Column, address_sql: Column, list_ids: Sequence[int]) -> StopClauses:
    """Clauses over a statement that has the contact's key text and normalised address.

    A suppression for one list stops a mailing to it even where another list of the mailing would allow the mail.
    """
    contact = and_(Suppression.contact_source == source_name, Suppression.contact_key == key_sql)
    address = Suppression.address == address_sql
    by_wish = Suppression.reason == SuppressionReason.OPT_OUT
    reaches = _reaches(list_ids)
    return StopClauses(
        or_(exists().where(contact, reaches, by_wish), exists().where(address, reaches, by_wish)),
        or_(exists().where(contact, reaches, ~by_wish), exists().where(address, reaches, ~by_wish)),
    )


def _reaches(list_ids: Sequence[int]) -> ColumnElement[bool]:
    everything = Suppression.scope == SuppressionScope.ALL_BUT_TRANSACTIONAL
    return or_(everything, and_(Suppression.scope == SuppressionScope.LIST, Suppression.list_id.in_(list_ids)))


# --- At hand-off: a chunk -------------------------------------------------------------------------------------


def stopped(host: Host, rows: Sequence[Row]) -> dict[int, SkipReason]:
    """Which of up to some hundred messages must not go now, and why; four queries for each contact source at most.

    BAD_ADDRESS is decided strictly here. A contact who is on none of the mailing's lists any more is OPTED_OUT where
    they said so themselves through a mail, else LEFT_LIST.
    """
    answer = {row[0]: SkipReason.BAD_ADDRESS for row in rows if fault(row[2])}
    by_source: dict[str, list[Row]] = {}
    for row in rows:
        by_source.setdefault(row[1].source, []).append(row)
    for source_name, group in by_source.items():
        answer |= _left(host, source_name, group)
        answer |= _suppressed(host, source_name, group)
    return answer


def _suppressed(host: Host, source_name: str, rows: Sequence[Row]) -> dict[int, SkipReason]:
    wanted = (Suppression.address, Suppression.contact_key, Suppression.scope, Suppression.list_id, Suppression.reason)
    addresses = {form for row in rows for form in spellings(row[2]) if form.isprintable()}
    keys = sorted({row[1].key for row in rows})
    of_contact = and_(Suppression.contact_source == source_name, one_of(Suppression.contact_key, keys))
    found = [
        *host.session.execute(select(*wanted).where(one_of(Suppression.address, sorted(addresses)))),
        *host.session.execute(select(*wanted).where(of_contact)),
    ]
    if not found:
        return {}
    by_who: dict[str | tuple[str], list[Any]] = {}
    for stop in found:
        by_who.setdefault(stop.address if stop.address is not None else (stop.contact_key,), []).append(stop)
    reasons = ((row[0], _reason(by_who, row)) for row in rows)
    return {message_id: reason for message_id, reason in reasons if reason is not None}


def _reason(by_who: Mapping[str | tuple[str], list[Any]], row: Row) -> SkipReason | None:
    _, contact, address, list_ids = row
    who: list[str | tuple[str]] = [(contact.key,), *spellings(address)]
    reaching = {
        stop.reason
        for one in who
        for stop in by_who.get(one, ())
        if stop.scope != SuppressionScope.LIST or stop.list_id in list_ids
    }
    if SuppressionReason.OPT_OUT in reaching:
        return SkipReason.OPTED_OUT
    return SkipReason.SUPPRESSED if reaching else None


def _left(host: Host, source_name: str, rows: Sequence[Row]) -> dict[int, SkipReason]:
    """Those who are on none of the mailing's lists any more: the few are asked for, not the many who are."""
    by_lists: dict[tuple[int, ...], list[Row]] = {}
    for row in rows:
        by_lists.setdefault(tuple(row[3]), []).append(row)
    by_lists.pop((), None)
    answer: dict[int, SkipReason] = {}
    for lists, asked in by_lists.items():
        gone = _on_none(host, source_name, [row[1].key for row in asked], lists)
        if not gone:
            continue
        themselves = _left_through_a_mail(host, source_name, gone, lists)
        for row in asked:
            if row[1].key in gone:
                answer[row[0]] = SkipReason.OPTED_OUT if row[1].key in themselves else SkipReason.LEFT_LIST
    return answer


def _on_none(host: Host, source_name: str, keys: Sequence[str], lists: Sequence[int]) -> set[str]:
    key = listed(host, keys).c.value
    subscribed = exists().where(
        Subscription.contact_source == source_name,
        Subscription.contact_key == key,
        Subscription.list_id.in_(lists),
        Subscription.state == SubscriptionState.SUBSCRIBED,
    )
    return set(host.session.scalars(select(key).where(~subscribed)))


def _left_through_a_mail(host: Host, source_name: str, keys: Iterable[str], lists: Iterable[int]) -> set[str]:
    keys = list(keys)
    if not keys:
        return set()
    left = select(SubscriptionEvent.contact_key).where(
        SubscriptionEvent.contact_source == source_name,
        one_of(SubscriptionEvent.contact_key, keys),
        SubscriptionEvent.list_id.in_(lists),
        SubscriptionEvent.state == SubscriptionState.UNSUBSCRIBED,
        SubscriptionEvent.message_id.is_not(None),
    )
    return set(host.session.scalars(left))
