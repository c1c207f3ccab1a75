"""What one contact got and will get of each campaign. Screens and CLI enter; nothing is committed."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from massmail_plugin.campaigns.schedule import BEFORE_FIRST
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import Campaign, CampaignStep, Enrolment, OutboxMessage
from massmail_plugin.vocabulary import EnrolmentState


@dataclass(frozen=True)
class StepMoment:
    """One mail of a campaign, for one contact: `mails` that came of it (one per address), or when it is `expected`.

    Neither where the contact passed the day without an address on file, has left, or has finished.
    """

    number: int
    day: int
    template_name: str
    passed: bool
    expected: datetime | None
    mails: tuple[OutboxMessage, ...]


@dataclass(frozen=True)
class Stay:
    """A contact's time in one campaign. `left_at_step` is the number of the mail it did not get any more."""

    campaign: Campaign
    state: EnrolmentState
    left_reason: str
    entered_at: datetime
    steps: tuple[StepMoment, ...]

    @property
    def left_at_step(self) -> int | None:
        if self.state is not EnrolmentState.LEFT:
            return None
        return next((moment.number for moment in self.steps if not moment.passed), None)


def timeline(host: Host, contact: ContactRef) -> list[Stay]:
    """Every campaign the contact is or was in, the latest entry first."""
    query = (
        select(Enrolment, Campaign)
        .join(Campaign, Campaign.id == Enrolment.campaign_id)
        .where(Enrolment.contact_source == contact.source, Enrolment.contact_key == contact.key)
        .order_by(Enrolment.entered_at.desc(), Enrolment.id.desc())
    )
    found = host.session.execute(query).all()
    mails = _mails(host, contact, [step.mailing_id for _, campaign in found for step in campaign.steps])
    return [_stay(enrolled, campaign, mails) for enrolled, campaign in found]


def _mails(host: Host, contact: ContactRef, mailing_ids: Sequence[int | None]) -> dict[int, list[OutboxMessage]]:
    query = (
        select(OutboxMessage)
        .where(OutboxMessage.contact_source == contact.source, OutboxMessage.contact_key == contact.key)
        .where(OutboxMessage.mailing_id.in_([number for number in mailing_ids if number is not None]))
        .order_by(OutboxMessage.id)
    )
    by_mailing: dict[int, list[OutboxMessage]] = defaultdict(list)
    for message in host.session.scalars(query):
        by_mailing[message.mailing_id].append(message)
    return by_mailing


def _stay(enrolled: Enrolment, campaign: Campaign, mails: dict[int, list[OutboxMessage]]) -> Stay:
    reached = BEFORE_FIRST if enrolled.last_day is None else enrolled.last_day
    coming = [step for step in campaign.steps if step.day > reached]
    moments = [
        StepMoment(
            number=number,
            day=step.day,
            template_name=step.template.name,
            passed=step.day <= reached,
            expected=_expected(enrolled, step, coming),
            mails=tuple(mails.get(step.mailing_id or 0, ())),
        )
        for number, step in enumerate(campaign.steps, 1)
    ]
    return Stay(campaign, EnrolmentState(enrolled.state), enrolled.left_reason, enrolled.entered_at, tuple(moments))


def _expected(enrolled: Enrolment, step: CampaignStep, coming: Sequence[CampaignStep]) -> datetime | None:
    if step not in coming or enrolled.state != EnrolmentState.ACTIVE.value or enrolled.next_due_at is None:
        return None
    return enrolled.next_due_at + timedelta(days=step.day - coming[0].day)
