"""The words for mailings and campaigns."""

from enum import StrEnum


class MailingState(StrEnum):
    """The life of a mailing."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    FILLING = "filling"
    SENDING = "sending"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"

    @property
    def running(self) -> bool:
        """True between launch and the last final row."""
        return self in (MailingState.FILLING, MailingState.SENDING, MailingState.PAUSED)


class MailingKind(StrEnum):
    """What a mailing is for; a test is never counted, a step belongs to a campaign."""

    ONE_OFF = "one_off"
    TEST = "test"
    STEP = "step"
    SERVICE = "service"
    """Asks whether a sign-up was meant, or brings a lost link; goes to whoever asked for it, opted out or not."""

    @property
    def counted(self) -> bool:
        """False where it is no mailing to people's minds: no statistics, no list of mailings has it."""
        return self not in UNCOUNTED


UNCOUNTED = (MailingKind.TEST, MailingKind.SERVICE)


class HoldReason(StrEnum):
    """Why a mailing is paused."""

    BY_PERSON = "by_person"
    SENDER_FAULT = "sender_fault"
    NOT_FILLED = "not_filled"
    LATE = "late"
    CRASHED = "crashed"


class ResendWindow(StrEnum):
    """Who got mail so recently is left out."""

    NONE = "none"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
    EVER = "ever"


class ResendOf(StrEnum):
    """Which mail counts for the resend window."""

    MAILING = "mailing"
    """This mailing, and those it is a copy of or that are copies of the same."""
    TEMPLATE = "template"
    ANY = "any"


class CampaignState(StrEnum):
    """The life of a campaign."""

    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"


class EnrolmentState(StrEnum):
    """A contact's standing in a campaign."""

    ACTIVE = "active"
    FINISHED = "finished"
    LEFT = "left"


class BreakdownBy(StrEnum):
    """What a mailing's numbers are broken down by."""

    ALL = "all"
    DOMAIN = "domain"
    LIST = "list"
    REASON = "reason"
