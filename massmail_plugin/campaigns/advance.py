"""A tick of the campaigns: people enter, leave, and those whose mail is due get an outbox row. Commits by itself.

One transaction for each campaign: a tick that runs twice, late, or dies half way sends nothing twice, forgets nobody.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, case, exists, literal, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import aliased

from massmail_plugin import outbox
from massmail_plugin.audience import AudienceRequest, select_recipients
from massmail_plugin.campaigns import enrolment
from massmail_plugin.campaigns.schedule import days_later, next_step, waiting_for
from massmail_plugin.contracts import Host
from massmail_plugin.errors import MassMailError
from massmail_plugin.mailings import note_mailed
from massmail_plugin.models import Campaign, CampaignStep, Enrolment, Mailing, OutboxMessage
from massmail_plugin.models.base import UtcDateTime
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import CampaignState, EnrolmentState, MailingState, SkipReason

log = logging.getLogger(__name__)

# A mail that goes out later than this moves the later ones along, so that nobody gets two at once.
LATE = timedelta(days=1)


def advance(host: Host) -> int:
    """Advance every active campaign; the number of contacts who moved on. One that fails does not stop the others."""
    active = select(Campaign.id).where(Campaign.state == CampaignState.ACTIVE.value).order_by(Campaign.id)
    campaign_ids: Sequence[int] = host.session.scalars(active).all()
    host.session.commit()
    return sum(_advance_safely(host, campaign_id) for campaign_id in campaign_ids)


def _advance_safely(host: Host, campaign_id: int) -> int:
    try:
        moved = _advance_one(host, campaign_id)
        host.session.commit()
    except (MassMailError, SQLAlchemyError):
        host.session.rollback()
        log.exception("Campaign %s could not be advanced; it is tried again at the next tick", campaign_id)
        return 0
    return moved


def _advance_one(host: Host, campaign_id: int) -> int:
    if not _lock(host, campaign_id):
        return 0
    campaign = host.session.get_one(Campaign, campaign_id, populate_existing=True)
    now = host.clock()
    enrolment.enrol_new(host, campaign)
    enrolment.leave(host, campaign)
    enrolment.come_back(host, campaign)
    if not _anybody_due(host, campaign, now):
        return 0
    # From the last step to the first, so that nobody takes two steps in one tick.
    return sum(_take_step(host, campaign, step, now) for step in reversed(campaign.steps))


def _lock(host: Host, campaign_id: int) -> bool:
    """Hold the campaign for this transaction: a write, since SQLite knows no other lock. False if it is not active."""
    active = Campaign.id == campaign_id, Campaign.state == CampaignState.ACTIVE.value
    return changed(host, update(Campaign).where(*active).values(state=Campaign.state)) == 1


def _anybody_due(host: Host, campaign: Campaign, now: datetime) -> bool:
    due = exists().where(
        Enrolment.campaign_id == campaign.id,
        Enrolment.state == EnrolmentState.ACTIVE.value,
        Enrolment.next_due_at <= now,
    )
    return bool(host.session.scalar(select(due)))


def _take_step(host: Host, campaign: Campaign, step: CampaignStep, now: datetime) -> int:
    """Plan a step's mail for those who are due, and move them on. Where its mailing was cancelled they wait."""
    mailing = step.mailing
    if mailing is None or not MailingState(mailing.state).running:
        return 0
    due = (
        waiting_for(campaign, step.day)
        & (Enrolment.state == EnrolmentState.ACTIVE.value)
        & (Enrolment.next_due_at <= now)
    )
    keys = select(Enrolment.contact_key).where(due)
    if outbox.fill(host, mailing, _recipients(host, campaign, mailing, keys), due_at=now):
        note_mailed(host, mailing, waits=False)
    moved = changed(host, update(Enrolment).where(due).values(last_day=step.day, **_next(host, campaign, step, now)))
    if moved:
        log.info("Campaign %s: %s contacts took the step of day %s", campaign.id, moved, step.day)
    return moved


def _next(host: Host, campaign: Campaign, step: CampaignStep, now: datetime) -> dict[str, Any]:
    """Where those who took `step` stand: at the end, or waiting for the next one."""
    later = next_step(campaign, step.day)
    if later is None:
        return {"state": EnrolmentState.FINISHED.value, "next_due_at": None}
    gap = later.day - step.day
    from_now = literal(now + timedelta(days=gap), UtcDateTime)
    late = Enrolment.next_due_at < now - LATE
    return {"next_due_at": case((late, from_now), else_=days_later(host, Enrolment.next_due_at, gap))}


def _recipients(host: Host, campaign: Campaign, mailing: Mailing, keys: Select[Any]) -> Select[Any]:
    """The addresses of those who are due; one that another contact's earlier mail went to is a duplicate."""
    topic = mailing.template.topic_id if mailing.template else None
    request = AudienceRequest(
        source_name=campaign.contact_source,
        list_ids=enrolment.list_ids(campaign),
        roles=mailing.address_roles,
        one_per_address=mailing.one_per_address,
        only=keys,
        topic_ids=[topic] if topic is not None else [],
        mailing_id=mailing.id,
    )
    found = select_recipients(host, request).subquery("due")
    had = aliased(OutboxMessage)
    same_address = (
        (had.mailing_id == mailing.id) & (had.dedup_key == found.c.dedup_key) & (had.contact_key != found.c.contact_key)
    )
    skipped = case((had.id.is_not(None), SkipReason.DUPLICATE.value), else_=found.c.skip_reason)
    kept = [column for column in found.c if column.name != "skip_reason"]
    return select(*kept, skipped.label("skip_reason")).outerjoin_from(found, had, same_address)
