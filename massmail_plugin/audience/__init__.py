"""Who gets a mailing: rules to SQL, the recipients as one statement, the funnel, contacts' values, import, export."""

from massmail_plugin.audience.contact_values import Reader, readers, values
from massmail_plugin.audience.contacts import ContactSummary, current_addresses, exists, find, inactive, summaries
from massmail_plugin.audience.counting import count, sample
from massmail_plugin.audience.criteria_sql import clause
from massmail_plugin.audience.funnel import FunnelStep, funnel
from massmail_plugin.audience.rules import parse
from massmail_plugin.audience.selection import AudienceRequest, select_recipients
from massmail_plugin.audience.words import sentence

__all__ = [
    "AudienceRequest",
    "ContactSummary",
    "FunnelStep",
    "Reader",
    "clause",
    "count",
    "current_addresses",
    "exists",
    "find",
    "funnel",
    "inactive",
    "parse",
    "readers",
    "sample",
    "select_recipients",
    "sentence",
    "summaries",
    "values",
]
