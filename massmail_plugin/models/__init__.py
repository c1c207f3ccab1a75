"""Tables only: columns, keys, tiny properties. Every room reads and writes them through the host's session."""

from massmail_plugin.models.base import Base
from massmail_plugin.models.campaigns import Campaign, CampaignStep, Enrolment, campaign_list
from massmail_plugin.models.criteria import Criterion
from massmail_plugin.models.feedback import Event, EventTally, OutcomeReport, SpoolFile, Standing
from massmail_plugin.models.lists import List, Subscription, SubscriptionEvent, Suppression
from massmail_plugin.models.mailings import Link, Mailing, PreparedMessage, mailing_list
from massmail_plugin.models.outbox import Chunk, KeptValues, OutboxMessage
from massmail_plugin.models.received import EventFeed, FeedNonce, Mailbox, MailboxMail, ProviderListEntry, Received
from massmail_plugin.models.senders import Pace, Sender
from massmail_plugin.models.statistics import BREAKDOWN_COUNTS, Breakdown, ChunkShare, RollUp
from massmail_plugin.models.system import Heartbeat, Lease
from massmail_plugin.models.templates import Template, TemplateVersion
from massmail_plugin.models.webhooks import Webhook, WebhookDelivery

__all__ = [
    "BREAKDOWN_COUNTS",
    "Base",
    "Breakdown",
    "Campaign",
    "CampaignStep",
    "Chunk",
    "ChunkShare",
    "Criterion",
    "Enrolment",
    "Event",
    "EventFeed",
    "EventTally",
    "FeedNonce",
    "Heartbeat",
    "KeptValues",
    "Lease",
    "Link",
    "List",
    "Mailbox",
    "MailboxMail",
    "Mailing",
    "OutboxMessage",
    "OutcomeReport",
    "Pace",
    "PreparedMessage",
    "ProviderListEntry",
    "Received",
    "RollUp",
    "Sender",
    "SpoolFile",
    "Standing",
    "Subscription",
    "SubscriptionEvent",
    "Suppression",
    "Template",
    "TemplateVersion",
    "Webhook",
    "WebhookDelivery",
    "campaign_list",
    "mailing_list",
]
