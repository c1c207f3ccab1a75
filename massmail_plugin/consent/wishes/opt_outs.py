"""The stops by which contacts opted out, of everything or of a topic, and the subscriptions such an act closed.

The room's other files enter; reads only.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, select, true
from sqlalchemy.orm import aliased

from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import List, Subscription, SubscriptionEvent, Suppression
from massmail_plugin.vocabulary import SubscriptionState, SuppressionReason, SuppressionScope


@dataclass(frozen=True)
class Wide:
    """What an opt-out that is wider than lists is from: one topic, or every mailing."""

    topic_id: int | None = None

    @property
    def scope(self) -> SuppressionScope:
        return SuppressionScope.ALL_BUT_TRANSACTIONAL if self.topic_id is None else SuppressionScope.TOPIC

    def stops(self) -> ColumnElement[bool]:
        """True for the suppressions by which contacts opted out of just this."""
        return and_(
            Suppression.contact_key.is_not(None),
            Suppression.reason == SuppressionReason.OPT_OUT.value,
            Suppression.scope == self.scope.value,
            true() if self.topic_id is None else Suppression.topic_id == self.topic_id,
        )

    def subscriptions(self) -> ColumnElement[bool]:
        """True for the subscriptions within it."""
        if self.topic_id is None:
            return true()
        return Subscription.list_id.in_(select(List.id).where(List.topic_id == self.topic_id))

    def closed_by_it(self, *, now: datetime) -> ColumnElement[bool]:
        """True for the subscriptions that such an opt-out closed, and of which nobody said anything since.

        A list that somebody left before, came back to and left again, or said once more that they leave, is not among
        them. What is written into the history `now` does not count: it is the opening of these very ones.
        """
        before, after, said = aliased(SubscriptionEvent), aliased(SubscriptionEvent), aliased(SubscriptionEvent)
        stop_began = Subscription.since >= Suppression.created_at
        if self.topic_id is not None:
            stop_began = Subscription.since == Suppression.created_at
        on = SubscriptionState.SUBSCRIBED.value
        came_back = exists().where(*_same(after), after.state == on, after.at > Suppression.created_at, after.at < now)
        closed = exists().where(
            Suppression.contact_source == Subscription.contact_source,
            Suppression.contact_key == Subscription.contact_key,
            self.stops(),
            stop_began,
            ~came_back.correlate(Subscription, Suppression),
        )
        was_on = exists().where(*_same(before), before.state == on)
        left_alone = ~exists().where(*_same(said), said.at > Subscription.since, said.at < now)
        return and_(self.subscriptions(), closed, was_on, left_alone)


def _same(event: Any) -> tuple[ColumnElement[bool], ...]:
    return (
        event.list_id == Subscription.list_id,
        event.contact_source == Subscription.contact_source,
        event.contact_key == Subscription.contact_key,
    )


def opted_out_of(host: Host, contact: ContactRef, wide: Wide) -> bool:
    """Whether the contact opted out of just this."""
    found = select(Suppression.id).where(wide.stops(), *of_contact(contact)).limit(1)
    return host.session.scalar(found) is not None


def of_contact(contact: ContactRef) -> tuple[ColumnElement[bool], ...]:
    """For the suppressions that name this contact."""
    return Suppression.contact_source == contact.source, Suppression.contact_key == contact.key
