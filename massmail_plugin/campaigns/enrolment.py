"""Who enters a campaign, who leaves it, who comes back: one statement each, however many they are. Advance enters."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, exists, func, literal, select, text, update

from massmail_plugin.campaigns.schedule import days_later
from massmail_plugin.consent.stops.suppression import WISHES, reaches
from massmail_plugin.contracts import Host
from massmail_plugin.models import Campaign, Enrolment, Subscription, SubscriptionEvent, Suppression
from massmail_plugin.models.base import UtcDateTime
from massmail_plugin.portable_sql import changed, dialect, insert_new
from massmail_plugin.vocabulary import (
    EnrolmentState,
    SkipReason,
    SubscriptionState,
)

MANY = 500


def enrol_new(host: Host, campaign: Campaign) -> int:
    """Take in everybody who joined one of the lists since the first activation; their days count from joining."""
    joined = Subscription.since >= campaign.activated_at
    return _enrol(host, campaign, joined, func.min(Subscription.since, type_=UtcDateTime))


def enrol_present(host: Host, campaign: Campaign) -> int:
    """Take in everybody who is on the lists now; their days count from now."""
    return _enrol(host, campaign, literal(True), literal(host.clock(), UtcDateTime))


def leave(host: Host, campaign: Campaign) -> int:
    """Those who are on none of the lists any more, or must not be written to, get no further mail."""
    stopped, by_wish = _stopped(host, campaign), _stopped(host, campaign, Suppression.reason.in_(WISHES))
    reason = case(
        (by_wish | _unsubscribed_by_mail(campaign), SkipReason.OPTED_OUT.value),
        (stopped, SkipReason.SUPPRESSED.value),
        else_=SkipReason.LEFT_LIST.value,
    )
    leaving = (
        update(Enrolment)
        .where(Enrolment.campaign_id == campaign.id, Enrolment.state == EnrolmentState.ACTIVE.value)
        .where(~_on_a_list(campaign) | stopped)
    )
    return changed(host, leaving.values(state=EnrolmentState.LEFT.value, left_reason=reason))


def come_back(host: Host, campaign: Campaign) -> int:
    """Those who took their leaving back go on where they stopped."""
    returning = (
        update(Enrolment)
        .where(Enrolment.campaign_id == campaign.id, Enrolment.state == EnrolmentState.LEFT.value)
        .where(_on_a_list(campaign), ~_stopped(host, campaign))
    )
    return changed(host, returning.values(state=EnrolmentState.ACTIVE.value, left_reason=""))


def list_ids(campaign: Campaign) -> list[int]:
    """The lists that count: those that are not active are as if nobody were on them."""
    return [list_.id for list_ in campaign.lists if list_.active]


def _enrol(host: Host, campaign: Campaign, joined: ColumnElement[bool], entered: ColumnElement[datetime]) -> int:
    already = exists().where(
        Enrolment.campaign_id == campaign.id,
        Enrolment.contact_source == Subscription.contact_source,
        Enrolment.contact_key == Subscription.contact_key,
    )
    columns: dict[str, Any] = {
        "campaign_id": literal(campaign.id),
        "contact_source": Subscription.contact_source,
        "contact_key": Subscription.contact_key,
        "entry_number": literal(1),
        "list_id": func.min(Subscription.list_id),
        "entered_at": entered,
        "state": literal(EnrolmentState.ACTIVE.value),
        "left_reason": literal(""),
        "next_due_at": days_later(host, entered, campaign.steps[0].day),
    }
    rows = (
        select(*columns.values())
        .where(Subscription.list_id.in_(list_ids(campaign)), Subscription.contact_source == campaign.contact_source)
        .where(Subscription.state == SubscriptionState.SUBSCRIBED.value, joined, ~already)
        .group_by(Subscription.contact_source, Subscription.contact_key)
        .order_by(entered, Subscription.contact_key)
    )
    number = changed(host, insert_new(host, Enrolment).from_select(list(columns), rows))
    if number >= MANY and dialect(host).name == "postgresql":
        # What follows in this transaction is planned by statistics that would not know of these rows.
        host.session.execute(text(f"ANALYZE {Enrolment.__tablename__}"))
    return number


def _on_a_list(campaign: Campaign) -> ColumnElement[bool]:
    return exists().where(
        Subscription.contact_source == Enrolment.contact_source,
        Subscription.contact_key == Enrolment.contact_key,
        Subscription.list_id.in_(list_ids(campaign)),
        Subscription.state == SubscriptionState.SUBSCRIBED.value,
    )


def _stopped(host: Host, campaign: Campaign, *further: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(
        Suppression.contact_source == Enrolment.contact_source,
        Suppression.contact_key == Enrolment.contact_key,
        reaches(list_ids(campaign), at=host.clock()),
        *further,
    )


def _unsubscribed_by_mail(campaign: Campaign) -> ColumnElement[bool]:
    return exists().where(
        SubscriptionEvent.contact_source == Enrolment.contact_source,
        SubscriptionEvent.contact_key == Enrolment.contact_key,
        SubscriptionEvent.list_id.in_([list_.id for list_ in campaign.lists]),
        SubscriptionEvent.state == SubscriptionState.UNSUBSCRIBED.value,
        SubscriptionEvent.message_id.is_not(None),
    )
