"""When people in a campaign get their next mail: set by SQL when its steps change. The room's other files enter."""

from typing import Any

from sqlalchemy import ColumnElement, Interval, Update, func, update

from massmail_plugin.contracts import Column, Host
from massmail_plugin.models import Campaign, CampaignStep, Enrolment
from massmail_plugin.portable_sql import changed, dialect
from massmail_plugin.vocabulary import EnrolmentState

BEFORE_FIRST = -1


def days_later(host: Host, moment: Column, days: int) -> ColumnElement[Any]:
    """SQL of a moment `days` times 24 hours later (or earlier), exact to the microsecond on every database."""
    if dialect(host).name == "postgresql":
        return moment + func.make_interval(0, 0, 0, 0, 24 * days, type_=Interval)
    whole_seconds = func.strftime("%Y-%m-%d %H:%M:%S", func.substr(moment, 1, 19), f"{days:+d} days")
    return whole_seconds.concat(func.substr(moment, 20))


def waiting_for(campaign: Campaign, day: int) -> ColumnElement[bool]:
    """The enrolments of a campaign whose next mail is the one on `day`, or would be if there were one."""
    before = [step.day for step in campaign.steps if step.day < day]
    reached = func.coalesce(Enrolment.last_day, BEFORE_FIRST)
    return (
        (Enrolment.campaign_id == campaign.id)
        & (Enrolment.state != EnrolmentState.FINISHED.value)
        & (reached >= max(before, default=BEFORE_FIRST))
        & (reached < day)
    )


def next_step(campaign: Campaign, day: int) -> CampaignStep | None:
    """The first mail after `day`."""
    return next((step for step in campaign.steps if step.day > day), None)


def make_room(host: Host, campaign: Campaign, day: int) -> None:
    """A mail on `day` is about to come: whoever waits for the one after it waits for this one instead."""
    later = next_step(campaign, day)
    known = Enrolment.next_due_at
    moment = days_later(host, known, day - later.day) if later else days_later(host, Enrolment.entered_at, day)
    changed(host, _those(campaign, day).values(next_due_at=moment))


def close_gap(host: Host, campaign: Campaign, day: int) -> None:
    """The mail on `day` is gone: whoever waited for it waits for the next one, or for what is yet to be added."""
    later = next_step(campaign, day)
    moment = days_later(host, Enrolment.next_due_at, later.day - day) if later else None
    changed(host, _those(campaign, day).values(next_due_at=moment))


def finish_those_at_the_end(host: Host, campaign: Campaign) -> None:
    """Whoever has had the last mail there is has finished."""
    last = max(step.day for step in campaign.steps)
    at_the_end = (
        update(Enrolment)
        .where(Enrolment.campaign_id == campaign.id, Enrolment.last_day >= last)
        .where(Enrolment.state != EnrolmentState.FINISHED.value)
    )
    changed(host, at_the_end.values(state=EnrolmentState.FINISHED.value, next_due_at=None))


def _those(campaign: Campaign, day: int) -> Update:
    return update(Enrolment).where(waiting_for(campaign, day))
