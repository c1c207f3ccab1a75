"""A campaign while it is written: name, lists, sender, steps. Admin, CLI and hosts enter and commit.

The steps of an active campaign cannot be changed: pause it first. What a change does to the people inside is said at
`add_step` and `remove_step`.
"""

from collections.abc import Sequence

from sqlalchemy import delete, exists, select

from massmail_plugin import outbox
from massmail_plugin.campaigns import schedule
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Campaign, CampaignStep, List, Sender, Template, campaign_list
from massmail_plugin.vocabulary import CampaignState

LONGEST_DAYS = 3650


def create(
    host: Host,
    *,
    name: str,
    source_name: str,
    by: str,
    description: str = "",
    list_ids: Sequence[int] = (),
    sender_id: int | None = None,
    tracking: bool = True,
) -> Campaign:
    """A new draft. Raises BadRequest for a name that is empty or taken, or a list or sender that is gone."""
    host.source(source_name)
    campaign = Campaign(
        contact_source=source_name, created_at=host.clock(), created_by=by, state=CampaignState.DRAFT.value
    )
    save(host, campaign, name=name, description=description, list_ids=list_ids, sender_id=sender_id, tracking=tracking)
    return campaign


def save(
    host: Host,
    campaign: Campaign,
    *,
    name: str,
    description: str,
    list_ids: Sequence[int],
    sender_id: int | None,
    tracking: bool = True,
) -> None:
    """Change a campaign. Who is on none of its lists then leaves at the next tick.

    Open mailings keep their sender, and are tracked or not as before.
    """
    campaign.name = _free_name(host, campaign, name)
    campaign.description = description.strip()
    campaign.lists = _lists(host, list_ids)
    if sender_id is not None and host.session.get(Sender, sender_id) is None:
        raise BadRequest("The sender is not there any more. Choose another one.")
    campaign.sender_id, campaign.tracking = sender_id, tracking
    host.session.add(campaign)
    host.session.flush()


def remove(host: Host, campaign: Campaign) -> None:
    """Delete a draft. Raises BadRequest once it was activated: what people received is kept."""
    if campaign.activated_at is not None:
        raise BadRequest(f"“{campaign.name}” was active, so it is kept as the record of what people received.")
    host.session.execute(delete(campaign_list).where(campaign_list.c.campaign_id == campaign.id))
    host.session.expire(campaign, ["lists"])
    host.session.delete(campaign)
    host.session.flush()


def add_step(host: Host, campaign: Campaign, *, day: int, template_id: int) -> CampaignStep:
    """Add a mail `day` days after entry.

    Contacts who are not that far get it in its turn. Contacts who are past that day, or have finished, do not.
    Raises BadRequest for an active campaign, a day that is taken or out of range, a template without words.
    """
    _must_not_run(campaign)
    if not 0 <= day <= LONGEST_DAYS:
        raise BadRequest(f"The day must be between 0 and {LONGEST_DAYS:,}; day 0 is the day of entry.")
    if any(step.day == day for step in campaign.steps):
        raise BadRequest(f"“{campaign.name}” has a mail on day {day} already.")
    template = host.session.get(Template, template_id)
    if template is None or not template.versions:
        raise BadRequest("The template is not there any more, or has no words yet. Choose another one.")
    schedule.make_room(host, campaign, day)
    step = CampaignStep(campaign=campaign, day=day, template=template)
    host.session.add(step)
    host.session.flush()
    host.session.expire(campaign, ["steps"])
    return step


def remove_step(host: Host, campaign: Campaign, step: CampaignStep) -> None:
    """Take a mail out: what of it still waits is cancelled, and contacts who were to get it go on with the next one.

    Its mailing stays as the record of what was sent. Raises BadRequest for an active campaign.
    """
    _must_not_run(campaign)
    day, mailing_id = step.day, step.mailing_id
    host.session.delete(step)
    host.session.flush()
    host.session.expire(campaign, ["steps"])
    if mailing_id is not None:
        outbox.cancel(host, mailing_id)
    schedule.close_gap(host, campaign, day)


def _must_not_run(campaign: Campaign) -> None:
    if campaign.state == CampaignState.ACTIVE.value:
        raise BadRequest(f"“{campaign.name}” is active. Pause it, change its mails, and activate it again.")


def _free_name(host: Host, campaign: Campaign, name: str) -> str:
    name = name.strip()[:200]
    if not name:
        raise BadRequest("The campaign needs a name.")
    with host.session.no_autoflush:
        taken = exists().where(Campaign.name == name, Campaign.id != (campaign.id or 0))
        if host.session.scalar(select(taken)):
            raise BadRequest(f"There is a campaign “{name}” already. Choose another name.")
    return name


def _lists(host: Host, list_ids: Sequence[int]) -> list[List]:
    wanted = set(list_ids)
    with host.session.no_autoflush:
        found = list(host.session.scalars(select(List).where(List.id.in_(wanted)).order_by(List.name)))
    if len(found) != len(wanted):
        raise BadRequest("One of the lists is not there any more. Choose the lists again.")
    return found
