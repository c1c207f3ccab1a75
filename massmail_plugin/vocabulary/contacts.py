"""The words for contacts and what the host hears of them."""

from enum import StrEnum

NOBODY = ""
"""The `contact_key` of a service mail to an address that belongs to no contact."""
GONE = "gone:"
"""How the `contact_key` begins of what is left of contacts who were deleted or erased."""


class Channel(StrEnum):
    """How a message travels."""

    EMAIL = "email"
    SMS = "sms"
    FAX = "fax"


class FieldKind(StrEnum):
    """What a field of a contact holds: decides operators in criteria and how a value is printed."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    TIME = "time"
    BOOLEAN = "boolean"
    CODE = "code"
    """Letters and digits that count up, such as account or invoice numbers."""


class Outcome(StrEnum):
    """What a send result or an event means for the host."""

    SENT = "sent"
    FAILED = "failed"
    READ = "read"
    CLICKED = "clicked"
    BOUNCED = "bounced"
    REMOVED = "removed"
    COMPLAINED = "complained"

    @property
    def precedence(self) -> int:
        """Rank among the outcomes of one mailing: a lower one never overwrites a higher one.

        Sent ranks above failed: a failed mail may be tried again, and one of two addresses may be reached.
        """
        return _PRECEDENCE.index(self)

    @property
    def outlives_mailing(self) -> bool:
        """True where a later mailing's lower outcome must not overwrite this one either."""
        return self in (Outcome.REMOVED, Outcome.COMPLAINED)


_PRECEDENCE = (
    Outcome.FAILED,
    Outcome.SENT,
    Outcome.READ,
    Outcome.CLICKED,
    Outcome.BOUNCED,
    Outcome.REMOVED,
    Outcome.COMPLAINED,
)


class Act(StrEnum):
    """What a user asks leave for; the host's `may` hook receives the value."""

    TEMPLATE_EDIT = "template.edit"
    LIST_MANAGE = "list.manage"
    CRITERION_EDIT = "criterion.edit"
    SUPPRESSION_MANAGE = "suppression.manage"
    MAILING_PREPARE = "mailing.prepare"
    MAILING_TEST = "mailing.test"
    MAILING_SEND = "mailing.send"
    CAMPAIGN_EDIT = "campaign.edit"
    CAMPAIGN_ACTIVATE = "campaign.activate"
    SENDER_MANAGE = "sender.manage"
    WEBHOOK_MANAGE = "webhook.manage"
    RESULTS_VIEW = "results.view"
    PEOPLE_VIEW = "people.view"
    PRIVACY_MANAGE = "privacy.manage"
    SYSTEM_VIEW = "system.view"
