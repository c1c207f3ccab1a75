"""Who gets a mailing: rules to SQL, the recipients as one statement, the funnel, contacts' values, import, export."""

from massmail_plugin.audience.contacts.summaries import (
    ContactSummary,
    current_addresses,
    exists,
    find,
    inactive,
    summaries,
)
from massmail_plugin.audience.contacts.values import Reader, readers, values
from massmail_plugin.audience.contacts.visibility import limited, visible, visible_rows
from massmail_plugin.audience.criteria.counting import count, sample
from massmail_plugin.audience.criteria.matching import matching
from massmail_plugin.audience.criteria.rule_json import parse
from massmail_plugin.audience.criteria.rule_sql import clause
from massmail_plugin.audience.criteria.words import sentence
from massmail_plugin.audience.funnel.explain import Explanation, StepAnswer, explain
from massmail_plugin.audience.funnel.left_out import left_out
from massmail_plugin.audience.funnel.request import AudienceRequest, Lately
from massmail_plugin.audience.funnel.selection import select_recipients
from massmail_plugin.audience.funnel.steps import STAGES, WILL_GET, FunnelStep, funnel
from massmail_plugin.audience.members import members

__all__ = [
    "STAGES",
    "WILL_GET",
    "AudienceRequest",
    "ContactSummary",
    "Explanation",
    "FunnelStep",
    "Lately",
    "Reader",
    "StepAnswer",
    "clause",
    "count",
    "current_addresses",
    "exists",
    "explain",
    "find",
    "funnel",
    "inactive",
    "left_out",
    "limited",
    "matching",
    "members",
    "parse",
    "readers",
    "sample",
    "select_recipients",
    "sentence",
    "summaries",
    "values",
    "visible",
    "visible_rows",
]
