"""The open mailing of a campaign's step: launched once, filled whenever contacts are due.

Campaigns enter and commit.
"""

from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.mailings.launch import open_at_once
from massmail_plugin.models import Campaign, CampaignStep, Mailing
from massmail_plugin.vocabulary import MailingKind


def open_step(host: Host, campaign: Campaign, step: CampaignStep, *, by: str) -> Mailing:
    """The mailing a step sends through, with the template's newest version frozen.

    Raises BadRequest where the step has no template with words, or neither campaign nor template has a sender.
    """
    sender = campaign.sender or step.template.sender
    if sender is None or not step.template.versions:
        raise BadRequest(f"Day {step.day} of “{campaign.name}” needs a template and a sender.")
    mailing = Mailing(
        name=f"{campaign.name}, day {step.day}"[:200],
        kind=MailingKind.STEP.value,
        contact_source=campaign.contact_source,
        address_roles=[],
        template=step.template,
        sender=sender,
        campaign_id=campaign.id,
        tracking=campaign.tracking,
        lists=list(campaign.lists),
    )
    open_at_once(host, mailing, by=by)
    step.mailing = mailing
    host.session.flush()
    return mailing
