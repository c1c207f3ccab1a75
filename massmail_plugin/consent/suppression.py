"""Addresses and contacts that must not be written to: put there, released, and asked for at fill.

Flushes; the door commits.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, or_, select

from massmail_plugin.consent.addresses import LONGEST, normalised
from massmail_plugin.contracts import Column, ContactRef, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Suppression
from massmail_plugin.vocabulary import SuppressionReason, SuppressionScope

log = logging.getLogger(__name__)


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
