"""Addresses and contacts that must not be written to: put there, released, and asked for at fill.

Flushes; the door commits.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select

from massmail_plugin.consent.addresses import LONGEST, normalised
from massmail_plugin.consent.stops.released import let_go
from massmail_plugin.contracts import Column, ContactRef, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import List, Suppression
from massmail_plugin.portable_sql import has_row
from massmail_plugin.vocabulary import ConsentWay, SuppressionReason, SuppressionScope

log = logging.getLogger(__name__)

WISHES = tuple(reason.value for reason in SuppressionReason if reason.is_wish)


def suppress(
    host: Host,
    *,
    address: str | None = None,
    address_hash: str | None = None,
    contact: ContactRef | None = None,
    scope: SuppressionScope,
    reason: SuppressionReason,
    list_id: int | None = None,
    topic_id: int | None = None,
    until: datetime | None = None,
    note: str = "",
    by: str = "",
    way: ConsentWay | None = None,
    message_id: int | None = None,
) -> Suppression:
    """Stop mail to an address, to one known by its hash alone (`address_hash`), or to a contact.

    One that says the same already and holds at least as long is returned instead of a second; a shorter one gives way
    to the new one. `until` is the moment from which it holds no more, `way` how we know (None: a mail server's answer).
    Raises BadRequest where nobody, several, or (with scope LIST or TOPIC) no list or topic is named, or where `until`
    is over already.
    """
    wanted: dict[str, Any] = {
        "address": None if address is None else normalised(address),
        "address_hash": address_hash,
        "contact_source": contact.source if contact else None,
        "contact_key": contact.key if contact else None,
        "scope": str(scope),
        "list_id": list_id if scope is SuppressionScope.LIST else None,
        "topic_id": topic_id if scope is SuppressionScope.TOPIC else None,
        "reason": str(reason),
    }
    _check(host, wanted, until)
    same = list(host.session.scalars(select(Suppression).filter_by(**wanted).order_by(Suppression.id)))
    enough = next((one for one in same if _covers(one, until)), None)
    if enough is not None:
        return enough
    made = Suppression(
        **wanted,
        until=until,
        way=str(way or ""),
        note=note,
        created_at=host.clock(),
        created_by=by,
        message_id=message_id,
    )
    host.session.add(made)
    host.session.flush()
    if same:
        let_go(host, Suppression.id.in_([one.id for one in same]), by=by, note="Another one holds longer.")
    return made


def release(host: Host, suppression: Suppression, *, by: str, note: str) -> None:
    """Lift a suppression: mail may go there again. It stays in the history with who let it go and why."""
    log.info("Suppression %s (%s) released by %s: %s", suppression.id, suppression.reason, by, note)
    let_go(host, Suppression.id == suppression.id, by=by, note=note)


def _covers(there: Suppression, until: datetime | None) -> bool:
    return there.until is None or (until is not None and there.until >= until)


def _check(host: Host, wanted: dict[str, Any], until: datetime | None) -> None:
    address = wanted["address"]
    if sum(wanted[name] is not None for name in ("address", "address_hash", "contact_key")) != 1:
        raise BadRequest("Name either an address or a contact to suppress.")
    if address is not None and not address.strip():
        raise BadRequest("The address is empty. Enter the address that must not be written to.")
    if address is not None and (len(address) > LONGEST or not address.isprintable()):
        raise BadRequest(f"The address is longer than {LONGEST} characters or holds characters that cannot be shown.")
    if wanted["scope"] == SuppressionScope.LIST and wanted["list_id"] is None:
        raise BadRequest("Choose the list for which mail is to be stopped.")
    if wanted["scope"] == SuppressionScope.TOPIC and wanted["topic_id"] is None:
        raise BadRequest("Choose the topic for which mail is to be stopped.")
    if until is not None and until <= host.clock():
        raise BadRequest("That day is over already. Choose one that is still to come.")


# --- At fill: SQL ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StopClauses:
    """Two-valued SQL: the recipient opted out (for good or for a while), or is suppressed for another reason."""

    opted_out: ColumnElement[bool]
    suppressed: ColumnElement[bool]


def stop_clause(
    source_name: str,
    key_sql: Column,
    address_sql: Column,
    list_ids: Sequence[int],
    *,
    at: datetime,
    topic_ids: Sequence[int] = (),
    by_hash: bool = False,
) -> StopClauses:
    """Clauses over a statement that has the contact's key text and normalised address.

    `at` is when it is asked for: what is over by then stops nobody. `topic_ids` are topics of the mailing besides those
    of its lists: its template's. Hashes of addresses are not asked for here, only when mail is handed over.
    `by_hash` is for statements over very many contacts, where the stops fit (`portable_sql.has_row`).
    """
    reaching = reaches(list_ids, at=at, topic_ids=topic_ids)
    of_source = Suppression.contact_source == source_name

    def stopped(why: ColumnElement[bool]) -> ColumnElement[bool]:
        return or_(
            has_row(key_sql, Suppression.contact_key, of_source, reaching, why, by_hash=by_hash),
            has_row(address_sql, Suppression.address, reaching, why, by_hash=by_hash),
        )

    by_wish = Suppression.reason.in_(WISHES)
    return StopClauses(stopped(by_wish), stopped(~by_wish))


def reaches(list_ids: Sequence[int], *, at: datetime, topic_ids: Sequence[int] = ()) -> ColumnElement[bool]:
    """True for the rows of `Suppression` that stop a mailing to these lists at that moment, whomever they name.

    A stop of one list, or of the topic of one, stops the mailing even where another of its lists would allow the mail.
    """
    return and_(in_force(at), _within(list_ids, topic_ids))


def in_force(at: datetime) -> ColumnElement[bool]:
    """True for the rows of `Suppression` that hold at that moment."""
    return or_(Suppression.until.is_(None), Suppression.until > at)


def _within(list_ids: Sequence[int], topic_ids: Sequence[int]) -> ColumnElement[bool]:
    of_lists = select(List.topic_id).where(List.id.in_(list_ids), List.topic_id.is_not(None)).correlate(None)
    topic = or_(Suppression.topic_id.in_(of_lists) if list_ids else false(), Suppression.topic_id.in_(topic_ids))
    return or_(
        Suppression.scope == SuppressionScope.ALL_BUT_TRANSACTIONAL.value,
        and_(Suppression.scope == SuppressionScope.LIST.value, Suppression.list_id.in_(list_ids)),
        and_(Suppression.scope == SuppressionScope.TOPIC.value, topic),
    )
