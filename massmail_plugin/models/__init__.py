"""Tables only: columns, keys, tiny properties. Every room reads and writes them through the host's session."""

from massmail_plugin.models.base import Base
from massmail_plugin.models.campaigns import Campaign, CampaignStep, Enrolment, campaign_list
from massmail_plugin.models.criteria import Criterion
from massmail_plugin.models.feedback import Event, EventTally, OutcomeReport, SpoolFile, Standing
from massmail_plugin.models.imports import Import, ImportPart
from massmail_plugin.models.link_requests import LinkRequest
from massmail_plugin.models.lists import ConsentText, List, Segment, Topic
from massmail_plugin.models.mailings import Link, Mailing, PreparedMessage, excluded_list, mailing_list
from massmail_plugin.models.outbox import Chunk, KeptValues, OutboxMessage
from massmail_plugin.models.privacy import Erasure, PastMessage, PastTally, RetentionPass
from massmail_plugin.models.received import EventFeed, FeedNonce, Mailbox, MailboxMail, ProviderListEntry, Received
from massmail_plugin.models.senders import Pace, Sender
from massmail_plugin.models.statistics import BREAKDOWN_COUNTS, Breakdown, ChunkShare, RollUp
from massmail_plugin.models.subscriptions import SignUp, Subscription, SubscriptionEvent, SubscriptionTally
from massmail_plugin.models.suppressions import Frequency, OptOutReason, ReleasedSuppression, Suppression
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
    "ConsentText",
    "Criterion",
    "Enrolment",
    "Erasure",
    "Event",
    "EventFeed",
    "EventTally",
    "FeedNonce",
    "Frequency",
    "Heartbeat",
    "Import",
    "ImportPart",
    "KeptValues",
    "Lease",
    "Link",
    "LinkRequest",
    "List",
    "Mailbox",
    "MailboxMail",
    "Mailing",
    "OptOutReason",
    "OutboxMessage",
    "OutcomeReport",
    "Pace",
    "PastMessage",
    "PastTally",
    "PreparedMessage",
    "ProviderListEntry",
    "Received",
    "ReleasedSuppression",
    "RetentionPass",
    "RollUp",
    "Segment",
    "Sender",
    "SignUp",
    "SpoolFile",
    "Standing",
    "Subscription",
    "SubscriptionEvent",
    "SubscriptionTally",
    "Suppression",
    "Template",
    "TemplateVersion",
    "Topic",
    "Webhook",
    "WebhookDelivery",
    "campaign_list",
    "excluded_list",
    "mailing_list",
]
