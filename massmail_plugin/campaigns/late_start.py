"""Campaigns in which a mail fell due while nothing ran are paused and ask. The doors of workers and scheduler enter.

They commit.
"""

from sqlalchemy import ColumnElement, exists, select

from massmail_plugin.campaigns.lifecycle import stop
from massmail_plugin.contracts import Host
from massmail_plugin.mailings import Absence
from massmail_plugin.models import Campaign, CampaignStep, Chunk, Enrolment
from massmail_plugin.vocabulary import CampaignState, EnrolmentState, HoldReason


def hold_late(host: Host, gap: Absence) -> int:
    """Pause every active campaign with a mail that is due or waits; the number of them.

    Activated again, it goes on as after any pause: what fell due is sent, and the later mails move along.
    """
    active = Campaign.state == CampaignState.ACTIVE.value
    query = select(Campaign).where(active, _somebody_due(host) | _mail_waits()).order_by(Campaign.id)
    campaigns = host.session.scalars(query).all()
    for campaign in campaigns:
        again = " More may have left after that; whoever got it would get it a second time." if gap.restored else ""
        words = f"{gap.words} A mail of it fell due or waited.{again} Activate it if it should go on."
        stop(host, campaign, HoldReason.LATE, words)
    return len(campaigns)


def _somebody_due(host: Host) -> ColumnElement[bool]:
    return exists().where(
        Enrolment.campaign_id == Campaign.id,
        Enrolment.state == EnrolmentState.ACTIVE.value,
        Enrolment.next_due_at <= host.clock(),
    )


def _mail_waits() -> ColumnElement[bool]:
    return exists().where(
        CampaignStep.campaign_id == Campaign.id,
        Chunk.mailing_id == CampaignStep.mailing_id,
        Chunk.due_at.is_not(None),
    )
