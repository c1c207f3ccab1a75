"""Who is in a campaign, and how many would come in at activation. The campaign screens enter; only reads."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, func, select

from massmail_plugin import audience
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import Campaign, CampaignStep, Enrolment, Subscription
from massmail_plugin.vocabulary import EnrolmentState, SubscriptionState


@dataclass(frozen=True)
class Member:
    """A contact in a campaign, with its name and the mail it gets next (None where there is none)."""

    enrolment: Enrolment
    contact: ContactRef
    name: str
    next_step: CampaignStep | None


def members(
    host: Host, campaign: Campaign, state: EnrolmentState, *, after_id: int = 0, limit: int = 50
) -> list[Member]:
    """Up to `limit` people in one state with a row id above `after_id`."""
    query = (
        select(Enrolment)
        .where(Enrolment.campaign_id == campaign.id, Enrolment.state == state.value, Enrolment.id > after_id)
        .where(audience.visible_rows(host, Enrolment.contact_source, Enrolment.contact_key))
        .order_by(Enrolment.id)
        .limit(limit)
    )
    rows = host.session.scalars(query).all()
    known = audience.summaries(host, [_ref(row) for row in rows])
    return [
        Member(row, _ref(row), known[_ref(row)].name if _ref(row) in known else "", _next(campaign.steps, row))
        for row in rows
    ]


def _ref(row: Enrolment) -> ContactRef:
    return ContactRef(row.contact_source, row.contact_key)


def _next(steps: Sequence[CampaignStep], row: Enrolment) -> CampaignStep | None:
    if row.state != EnrolmentState.ACTIVE.value:
        return None
    return next((step for step in steps if row.last_day is None or step.day > row.last_day), None)


def waiting_outside(host: Host, campaign: Campaign) -> int:
    """Contacts who are on the campaign's active lists now and were never in it."""
    inside = exists().where(
        Enrolment.campaign_id == campaign.id,
        Enrolment.contact_source == Subscription.contact_source,
        Enrolment.contact_key == Subscription.contact_key,
    )
    query = select(func.count(func.distinct(Subscription.contact_key))).where(
        Subscription.list_id.in_([list_.id for list_ in campaign.lists if list_.active]),
        Subscription.contact_source == campaign.contact_source,
        Subscription.state == SubscriptionState.SUBSCRIBED.value,
        ~inside,
    )
    return host.session.scalar(query) or 0
