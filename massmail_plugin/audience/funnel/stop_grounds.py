"""What of our own keeps mail from a contact, in words: stops, mails it got lately, and its wish for fewer.

`grounds` enters; reads only.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import and_, or_, select

from massmail_plugin.audience.funnel.request import AudienceRequest
from massmail_plugin.audience.funnel.sieve import counts_as_mailed
from massmail_plugin.consent.stops.frequency import wanted_days
from massmail_plugin.consent.stops.suppression import reaches
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import List, Mailing, OutboxMessage, Suppression, Topic
from massmail_plugin.vocabulary import SuppressionReason, SuppressionScope

When = Callable[[datetime], str]
REASONS = {
    SuppressionReason.OPT_OUT: "Opted out",
    SuppressionReason.COMPLAINT: "Marked a mail as unwanted",
    SuppressionReason.HARD_BOUNCE: "A mail came back for good",
    SuppressionReason.SOFT_BOUNCES: "Mails came back again and again",
    SuppressionReason.BY_PERSON: "Stopped by a person",
    SuppressionReason.BY_PROVIDER: "Stopped by the mail provider",
    SuppressionReason.PAUSE: "Wants a pause",
    SuppressionReason.ERASED: "Was erased on request",
}


def stops(host: Host, request: AudienceRequest, contact: ContactRef, addresses: Sequence[str], when: When) -> str:
    """Every stop that reaches the mailing."""
    of_contact = and_(Suppression.contact_source == contact.source, Suppression.contact_key == contact.key)
    of_address = Suppression.address.in_([address.lower() for address in addresses])
    reaching = reaches(request.list_ids, at=host.clock(), topic_ids=request.topic_ids)
    found = select(Suppression).where(or_(of_contact, of_address), reaching).order_by(Suppression.created_at)
    return " ".join(_stop(host, stop, when) for stop in host.session.scalars(found))


def _stop(host: Host, stop: Suppression, when: When) -> str:
    words = f"{REASONS[SuppressionReason(stop.reason)]} on {when(stop.created_at)}{_scope(host, stop)}"
    if stop.until is not None:
        words += f", until {when(stop.until)}"
    if stop.address is not None:
        words += f", for the address {stop.address}"
    return words + (f": {stop.note}." if stop.note else ".")


def _scope(host: Host, stop: Suppression) -> str:
    if stop.scope == SuppressionScope.LIST.value and (list_ := host.session.get(List, stop.list_id)):
        return f", of the list “{list_.name}”"
    if stop.scope == SuppressionScope.TOPIC.value and (topic := host.session.get(Topic, stop.topic_id)):
        return f", of the topic “{topic.name}”"
    return ""


def mailed(host: Host, request: AudienceRequest, contact: ContactRef, when: When) -> str:
    """The newest mail that counts for the resend window."""
    if request.lately is None:
        return ""
    found = (
        select(Mailing.name, OutboxMessage.settled_at)
        .join(Mailing, Mailing.id == OutboxMessage.mailing_id)
        .where(OutboxMessage.contact_source == contact.source, OutboxMessage.contact_key == contact.key)
        .where(OutboxMessage.mailing_id.in_(request.lately.mailing_ids), counts_as_mailed(request.lately))
        .order_by(OutboxMessage.id.desc())
    )
    row = host.session.execute(found.limit(1)).first()
    if row is None:
        return "Got it long ago; only that is still known."
    return f"Got “{row.name}” on {when(row.settled_at)}." if row.settled_at else f"“{row.name}” is on its way to them."


def wants_fewer(host: Host, contact: ContactRef) -> str:
    """How many they want."""
    days = wanted_days(host, contact)
    return f"Wants one mailing in {days} days at the most, and got one within that time."
