"""Every table that holds something about a person, and how their rows are found there. Showing and erasing enter.

A test sees to it that no table is missing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select

from massmail_plugin.consent import address_hashes
from massmail_plugin.contracts import Host
from massmail_plugin.models import (
    Campaign,
    ConsentText,
    Enrolment,
    Event,
    EventFeed,
    Frequency,
    Link,
    LinkRequest,
    List,
    Mailing,
    OptOutReason,
    OutboxMessage,
    OutcomeReport,
    PastMessage,
    PreparedMessage,
    ProviderListEntry,
    Received,
    ReleasedSuppression,
    SignUp,
    Standing,
    Subscription,
    SubscriptionEvent,
    Suppression,
    Topic,
    Webhook,
    WebhookDelivery,
)
from massmail_plugin.portable_sql import one_of
from massmail_plugin.upkeep.privacy.people import Person, messages_of
from massmail_plugin.vocabulary import MailingKind


@dataclass(frozen=True)
class Whose:
    """A person, and clauses that find their rows."""

    host: Host
    person: Person

    @cached_property
    def messages(self) -> list[int]:
        """Ids of their mails."""
        return messages_of(self.host, self.person)

    def contact(self, model: Any) -> ColumnElement[bool]:
        """By source and key."""
        refs = self.person.refs
        return or_(false(), *(and_(model.contact_source == ref.source, model.contact_key == ref.key) for ref in refs))

    def address(self, column: Any) -> ColumnElement[bool]:
        """By an address that is kept normalised."""
        return one_of(column, self.person.forms)

    def hash(self, column: Any) -> ColumnElement[bool]:
        """By the keyed hash of an address."""
        config = self.host.config
        return one_of(column, [one for address in self.person.addresses for one in address_hashes(config, address)])

    def mail(self, column: Any) -> ColumnElement[bool]:
        """By one of their mails."""
        return one_of(column, self.messages)


Beside = tuple[Any, Any, ColumnElement[bool]]
"""A column shown beside the row, its table, and how that is joined."""


@dataclass(frozen=True)
class Holding:
    """A table: whose rows are whose, in the order of `by`, and what they are shown with."""

    name: str
    title: str
    model: Any
    which: Callable[[Whose], ColumnElement[bool]]
    beside: dict[str, Beside] = field(default_factory=dict)
    by: Sequence[Any] = ()

    def rows(self, whose: Whose) -> list[dict[str, Any]]:
        """Every column of every row, and the names of what it refers to."""
        columns = list(self.model.__table__.c)
        query = select(*columns, *(column.label(name) for name, (column, _, _) in self.beside.items()))
        for _, table, on in self.beside.values():
            query = query.outerjoin(table, on)
        query = query.where(self.which(whose)).order_by(*(self.by or [self.model.__table__.c.id]))
        names = [*(column.name for column in columns), *self.beside]
        return [dict(zip(names, row, strict=True)) for row in whose.host.session.execute(query)]


def _list(model: Any) -> dict[str, Beside]:
    return {"list": (List.name, List, List.id == model.list_id)}


def _topic(model: Any) -> dict[str, Beside]:
    return {"topic": (Topic.name, Topic, Topic.id == model.topic_id)}


def _words(model: Any) -> dict[str, Beside]:
    return {"agreed_to": (ConsentText.words, ConsentText, ConsentText.id == model.consent_text_id)}


def _mailing(model: Any) -> dict[str, Beside]:
    return {"mailing": (Mailing.name, Mailing, Mailing.id == model.mailing_id)}


def _stops(model: Any) -> Callable[[Whose], ColumnElement[bool]]:
    return lambda whose: or_(whose.contact(model), whose.address(model.address), whose.hash(model.address_hash))


def _received(whose: Whose) -> ColumnElement[bool]:
    sent_by = whose.address(func.lower(func.trim(Received.address)))
    return or_(whose.mail(Received.message_id), sent_by)


def _deliveries(whose: Whose) -> ColumnElement[bool]:
    reports = select(OutcomeReport.id).where(whose.mail(OutcomeReport.message_id))
    return WebhookDelivery.report_id.in_(reports)


def _service_mails(whose: Whose) -> ColumnElement[bool]:
    service = select(OutboxMessage.mailing_id).join(Mailing, Mailing.id == OutboxMessage.mailing_id)
    theirs = service.where(whose.mail(OutboxMessage.id), Mailing.kind == MailingKind.SERVICE.value)
    return PreparedMessage.mailing_id.in_(theirs)


HOLDINGS = (
    Holding("lists", "Lists", Subscription, lambda whose: whose.contact(Subscription), _list(Subscription)),
    Holding(
        "consent_history",
        "Changes to what they agreed to",
        SubscriptionEvent,
        lambda whose: whose.contact(SubscriptionEvent),
        _list(SubscriptionEvent) | _words(SubscriptionEvent),
    ),
    Holding(
        "sign_ups",
        "Sign-ups",
        SignUp,
        lambda whose: or_(whose.contact(SignUp), whose.address(SignUp.address)),
        _list(SignUp) | _words(SignUp),
    ),
    Holding(
        "lost_links",
        "Links they asked for anew",
        LinkRequest,
        lambda whose: whose.address(LinkRequest.address),
    ),
    Holding("suppressions", "Suppressions", Suppression, _stops(Suppression), _list(Suppression) | _topic(Suppression)),
    Holding(
        "released_suppressions",
        "Suppressions of the past",
        ReleasedSuppression,
        _stops(ReleasedSuppression),
        _list(ReleasedSuppression) | _topic(ReleasedSuppression),
    ),
    Holding(
        "fewer_mails", "Fewer mails", Frequency, lambda whose: whose.contact(Frequency), by=[Frequency.contact_source]
    ),
    Holding(
        "opt_out_reasons",
        "Why they opted out",
        OptOutReason,
        lambda whose: whose.contact(OptOutReason),
        _mailing(OptOutReason),
    ),
    Holding("mails", "Mails", OutboxMessage, lambda whose: whose.mail(OutboxMessage.id), _mailing(OutboxMessage)),
    Holding(
        "past_mails",
        "Mails of the past",
        PastMessage,
        lambda whose: whose.contact(PastMessage),
        _mailing(PastMessage),
    ),
    Holding(
        "service_mails",
        "What mails they asked for said",
        PreparedMessage,
        _service_mails,
        by=[PreparedMessage.mailing_id],
    ),
    Holding(
        "events",
        "What came back",
        Event,
        lambda whose: whose.mail(Event.message_id),
        {"link": (Link.target, Link, Link.id == Event.link_id)},
    ),
    Holding("outcomes", "Outcomes", OutcomeReport, lambda whose: whose.mail(OutcomeReport.message_id)),
    Holding(
        "webhook_deliveries",
        "Outcomes told by webhook",
        WebhookDelivery,
        _deliveries,
        {"webhook": (Webhook.name, Webhook, Webhook.id == WebhookDelivery.webhook_id)},
    ),
    Holding("statuses", "Statuses", Standing, lambda whose: whose.contact(Standing), by=[Standing.place]),
    Holding(
        "campaigns",
        "Campaigns",
        Enrolment,
        lambda whose: whose.contact(Enrolment),
        {"campaign": (Campaign.name, Campaign, Campaign.id == Enrolment.campaign_id)},
    ),
    Holding("received", "Mails and provider events that came in", Received, _received),
    Holding(
        "provider_lists",
        "On lists of providers",
        ProviderListEntry,
        lambda whose: or_(whose.contact(ProviderListEntry), whose.address(ProviderListEntry.address)),
        {"feed": (EventFeed.name, EventFeed, EventFeed.id == ProviderListEntry.feed_id)},
        by=[ProviderListEntry.feed_id, ProviderListEntry.address],
    ),
)
