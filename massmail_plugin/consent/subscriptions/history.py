"""How a contact came to stand where they stand: every change to their subscriptions, with its proof. Reads only."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import ConsentText, List, SubscriptionEvent


@dataclass(frozen=True)
class ConsentChange:
    """One change: to which list, into which state, when, how, by whom, from where, and to which words."""

    list_id: int
    list_name: str
    state: str
    at: datetime
    way: str
    """A ConsentWay; empty for changes that are older than the keeping of it."""
    by: str
    """The user who did it; empty where the contact did."""
    origin: str
    evidence: str
    message_id: int | None
    """The mail whose link was used."""
    text: ConsentText | None
    """The words the contact agreed to."""


def changes_of(host: Host, contact: ContactRef, *, list_id: int | None = None, limit: int = 100) -> list[ConsentChange]:
    """The newest changes to a contact's subscriptions, to one list or to all, the newest first."""
    event = SubscriptionEvent
    query = (
        select(event, List.name, ConsentText)
        .join(List, List.id == event.list_id)
        .outerjoin(ConsentText, ConsentText.id == event.consent_text_id)
        .where(event.contact_source == contact.source, event.contact_key == contact.key)
        .order_by(event.id.desc())
        .limit(limit)
    )
    rows = host.session.execute(query if list_id is None else query.where(event.list_id == list_id))
    return [_change(row, name, text) for row, name, text in rows]


def _change(row: SubscriptionEvent, name: str, text: ConsentText | None) -> ConsentChange:
    return ConsentChange(
        list_id=row.list_id,
        list_name=name,
        state=row.state,
        at=row.at,
        way=row.way,
        by=row.by,
        origin=row.origin,
        evidence=row.evidence,
        message_id=row.message_id,
        text=text,
    )
