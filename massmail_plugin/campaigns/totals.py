"""How a campaign stands in numbers, computed from rows. Screens and CLI enter; nothing is committed."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import func, select

from massmail_plugin import outbox
from massmail_plugin.campaigns.schedule import BEFORE_FIRST, next_step
from massmail_plugin.contracts import Host
from massmail_plugin.models import Campaign, CampaignStep, Enrolment
from massmail_plugin.vocabulary import EnrolmentState


@dataclass(frozen=True)
class StepTotals:
    """One mail of a campaign: how many contacts have it as their next, and the counts of its outbox."""

    step: CampaignStep
    next_for: int
    counts: outbox.Counts


@dataclass(frozen=True)
class Totals:
    """Contacts by standing, those who left by reason, and each mail."""

    active: int
    finished: int
    left: int
    left_by_reason: dict[str, int]
    steps: tuple[StepTotals, ...]

    @property
    def entered(self) -> int:
        return self.active + self.finished + self.left


def totals(host: Host, campaign: Campaign) -> Totals:
    """Count a campaign's contacts and mails as they are now."""
    states: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    next_for: Counter[int] = Counter()
    query = (
        select(Enrolment.state, Enrolment.left_reason, Enrolment.last_day, func.count())
        .where(Enrolment.campaign_id == campaign.id)
        .group_by(Enrolment.state, Enrolment.left_reason, Enrolment.last_day)
    )
    for state, reason, last_day, number in host.session.execute(query):
        states[state] += number
        if state == EnrolmentState.LEFT.value:
            reasons[reason] += number
        step = next_step(campaign, BEFORE_FIRST if last_day is None else last_day)
        if state == EnrolmentState.ACTIVE.value and step is not None:
            next_for[step.id] += number
    return Totals(
        active=states[EnrolmentState.ACTIVE.value],
        finished=states[EnrolmentState.FINISHED.value],
        left=states[EnrolmentState.LEFT.value],
        left_by_reason=dict(reasons),
        steps=tuple(StepTotals(step, next_for[step.id], _counts(host, step)) for step in campaign.steps),
    )


def _counts(host: Host, step: CampaignStep) -> outbox.Counts:
    return outbox.counts(host, step.mailing_id) if step.mailing_id else outbox.Counts()
