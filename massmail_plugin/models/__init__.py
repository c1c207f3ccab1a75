"""Tables only: columns, keys, tiny properties. Every room reads and writes them through the host's session."""

from massmail_plugin.models.base import Base
from massmail_plugin.models.campaigns import Campaign, CampaignStep, Enrolment, campaign_list
from massmail_plugin.models.criteria import Criterion
from massmail_plugin.models.feedback import Event, OutcomeReport, Standing
from massmail_plugin.models.lists import List, Subscription, SubscriptionEvent, Suppression
from massmail_plugin.models.mailings import Link, Mailing, PreparedMessage, mailing_list
from massmail_plugin.models.outbox import Chunk, OutboxMessage
from massmail_plugin.models.senders import Pace, Sender
from massmail_plugin.models.system import Heartbeat, Lease
from massmail_plugin.models.templates import Template, TemplateVersion

__all__ = [
    "Base",
    "Campaign",
    "CampaignStep",
    "Chunk",
    "Criterion",
    "Enrolment",
    "Event",
    "Heartbeat",
    "Lease",
    "Link",
    "List",
    "Mailing",
    "OutboxMessage",
    "OutcomeReport",
    "Pace",
    "PreparedMessage",
    "Sender",
    "Standing",
    "Subscription",
    "SubscriptionEvent",
    "Suppression",
    "Template",
    "TemplateVersion",
    "campaign_list",
    "mailing_list",
]
