"""A campaign starts and stops. Admin and CLI enter and commit."""

from sqlalchemy import func, update

from massmail_plugin import mailings, outbox
from massmail_plugin.campaigns import enrolment, schedule
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Campaign, CampaignStep
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import CampaignState, HoldReason, MailingState


def activate(host: Host, campaign: Campaign, *, by: str, include_present: bool = False) -> int:
    """Start a campaign, or let a paused one go on; the number of contacts taken in at once.

    Each mail's words are frozen as they are now, unless they were before. Contacts enter who join one of its lists
    from its first activation on; with `include_present` also everybody who is on the lists now. What fell due during a
    pause is sent at the next tick and moves the later mails along.
    Raises BadRequest where lists, mails or a sender are missing, or it is active.
    """
    _check(campaign)
    _turn(host, campaign, CampaignState.ACTIVE)
    for step in campaign.steps:
        _open(host, campaign, step, by)
    schedule.finish_those_at_the_end(host, campaign)
    return enrolment.enrol_present(host, campaign) if include_present else 0


def pause(host: Host, campaign: Campaign, *, by: str) -> None:
    """Stop a campaign: nobody enters or moves on, and what waits in the outbox stays there."""
    stop(host, campaign, HoldReason.BY_PERSON, f"The campaign was paused by {by}.")


def stop(host: Host, campaign: Campaign, reason: HoldReason, words: str) -> None:
    """Pause a campaign and the mailings of its steps for `reason`. Raises BadRequest where it is not active."""
    _turn(host, campaign, CampaignState.PAUSED)
    for step in campaign.steps:
        if step.mailing_id is not None:
            outbox.hold(host, step.mailing_id, reason, words)


def _check(campaign: Campaign) -> None:
    missing = [
        text
        for text, there in (
            ("at least one list, through which contacts enter", campaign.lists),
            ("at least one mail", campaign.steps),
        )
        if not there
    ]
    if missing:
        raise BadRequest(f"“{campaign.name}” cannot start: it needs {' and '.join(missing)}.")


def _turn(host: Host, campaign: Campaign, to: CampaignState) -> None:
    """Change the state in one statement, which also makes a tick that runs at this moment wait."""
    values: dict[str, object] = {"state": to.value}
    allowed = [CampaignState.ACTIVE.value]
    if to is CampaignState.ACTIVE:
        values["activated_at"] = func.coalesce(Campaign.activated_at, host.clock())
        allowed = [CampaignState.DRAFT.value, CampaignState.PAUSED.value]
    there = Campaign.id == campaign.id, Campaign.state.in_(allowed)
    turned = changed(host, update(Campaign).where(*there).values(**values))
    host.session.refresh(campaign)
    if not turned:
        raise BadRequest(f"“{campaign.name}” is {campaign.state}; it cannot become {to.value}.")


def _open(host: Host, campaign: Campaign, step: CampaignStep, by: str) -> None:
    """The mailing of a step: resumed, or made where there is none that could still send."""
    ended = (MailingState.CANCELLED.value, MailingState.FINISHED.value)
    if step.mailing is None or step.mailing.state in ended:
        step.mailing = mailings.open_step(host, campaign, step, by=by)
        host.session.flush()
    else:
        outbox.resume(host, step.mailing.id, filled=True)
