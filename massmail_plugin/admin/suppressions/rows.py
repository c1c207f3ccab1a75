"""What the suppressions screen reads: the rows that fit a search, and how many there are for each reason."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from massmail_plugin.admin.contacts.search import found
from massmail_plugin.consent.addresses import normalised
from massmail_plugin.contracts import Host
from massmail_plugin.models import List, Suppression
from massmail_plugin.vocabulary import SuppressionReason


def rows(host: Host, text: str, reason: str) -> Select[Any]:
    """(Suppression, name of its list or None), newest first: those of an address or contact that holds `text`."""
    columns: list[Any] = [Suppression, List.name]
    query = select(*columns).outerjoin(List, List.id == Suppression.list_id).order_by(Suppression.id.desc())
    if text:
        query = query.where(_holds(host, text))
    return query.where(Suppression.reason == reason) if reason in set(SuppressionReason) else query


def _holds(host: Host, text: str) -> ColumnElement[bool]:
    contacts = [
        and_(Suppression.contact_source == one.ref.source, Suppression.contact_key == one.ref.key)
        for one in found(host, text)
    ]
    return or_(Suppression.address.contains(normalised(text), autoescape=True), *contacts)


def counts(host: Host) -> dict[str, int]:
    """Suppressions for each reason, in the order of the vocabulary; reasons without any are 0."""
    query = select(Suppression.reason, func.count()).group_by(Suppression.reason)
    counted: dict[str, int] = {row[0]: row[1] for row in host.session.execute(query)}
    return {reason.value: counted.get(reason.value, 0) for reason in SuppressionReason}
