"""The words of the house as enums: states, outcomes, reasons. A leaf; everybody may enter."""

from enum import IntEnum, StrEnum


class Channel(StrEnum):
    """How a message travels."""

    EMAIL = "email"
    SMS = "sms"
    FAX = "fax"


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


class MessageState(StrEnum):
    """Where an outbox message stands. *Leased* is a fact of its chunk and *handed* a mark in the row: no states."""

    PLANNED = "planned"
    DEFERRED = "deferred"
    SENT = "sent"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """True where nothing more happens to the row by itself."""
        return self not in WAITING


WAITING = (MessageState.PLANNED, MessageState.DEFERRED)


class SkipReason(StrEnum):
    """Why a planned recipient gets no mail."""

    NO_ADDRESS = "no_address"
    BAD_ADDRESS = "bad_address"
    OPTED_OUT = "opted_out"
    SUPPRESSED = "suppressed"
    DUPLICATE = "duplicate"
    INACTIVE = "inactive"
    CONTACT_GONE = "contact_gone"
    LEFT_LIST = "left_list"
    VETOED = "vetoed"


class RefusalReason(StrEnum):
    """Why an outbox message ended as refused."""

    REFUSED_BY_SERVER = "refused_by_server"
    GAVE_UP = "gave_up"
    NOT_BUILT = "not_built"
    POISON = "poison"
    NOT_RETRIED = "not_retried"


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


class HoldReason(StrEnum):
    """Why a mailing is paused."""

    BY_PERSON = "by_person"
    SENDER_FAULT = "sender_fault"
    NOT_FILLED = "not_filled"
    LATE = "late"
    CRASHED = "crashed"


class UncertainPolicy(StrEnum):
    """What becomes of uncertain messages by themselves."""

    LEAVE = "leave"
    RESEND = "resend"


class Priority(IntEnum):
    """Whose chunks leave first; lower goes ahead."""

    TEST = 0
    CONFIRMATION = 1
    TRANSACTIONAL = 2
    BULK = 5


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


class SubscriptionState(StrEnum):
    """A contact's standing on a list."""

    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"


class EventKind(StrEnum):
    """What came back about an outbox message."""

    OPEN = "open"
    CLICK = "click"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    REPLY = "reply"
    AUTOREPLY = "autoreply"
    DELAY = "delay"
    DELIVERED = "delivered"
    OPT_OUT = "opt_out"
    OPT_BACK_IN = "opt_back_in"


class MachineReason(StrEnum):
    """Why an open or a click counts as a program's and not as a person's."""

    PROXY = "proxy"
    """The image proxy of a mail service: somebody may have read the mail, or nobody."""
    ROBOT = "robot"
    SCANNER = "scanner"
    NO_AGENT = "no_agent"
    HEAD = "head"
    PREFETCH = "prefetch"
    PART = "part"
    HIDDEN_LINK = "hidden_link"
    BURST = "burst"
    TOO_SOON = "too_soon"


class EventWord(StrEnum):
    """What a provider says became of a mail, in one set of words for all providers."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCE = "bounce"
    REJECTED = "rejected"
    """The provider itself did not send it."""
    FAILED = "failed"
    """It could not be built or sent, for a reason that is not the address."""
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    SUBSCRIBE = "subscribe"
    OPEN = "open"
    CLICK = "click"
    AUTOREPLY = "autoreply"
    UNKNOWN = "unknown"


class MailboxKind(StrEnum):
    """How a mailbox is read."""

    IMAP = "imap"
    POP3 = "pop3"
    MAILDIR = "maildir"


class AfterReading(StrEnum):
    """What becomes of a mail in a mailbox once its result is kept."""

    LEAVE = "leave"
    MOVE = "move"
    DELETE = "delete"


class ReceivedState(StrEnum):
    """What became of a mail or provider event that came in."""

    MATCHED = "matched"
    UNMATCHED = "unmatched"
    IGNORED = "ignored"


class BreakdownBy(StrEnum):
    """What a mailing's numbers are broken down by."""

    ALL = "all"
    DOMAIN = "domain"
    LIST = "list"
    REASON = "reason"


class SuppressionScope(StrEnum):
    """How far a suppression reaches."""

    ALL_BUT_TRANSACTIONAL = "all_but_transactional"
    LIST = "list"


class SuppressionReason(StrEnum):
    """Why an address or contact must not be written to."""

    OPT_OUT = "opt_out"
    COMPLAINT = "complaint"
    HARD_BOUNCE = "hard_bounce"
    SOFT_BOUNCES = "soft_bounces"
    BY_PERSON = "by_person"
    BY_PROVIDER = "by_provider"


class ReportState(StrEnum):
    """Where an outcome report stands on its way to the host, and a webhook on its way to its receiver."""

    WAITING = "waiting"
    UNTOLD = "untold"
    """The status is set; the host's functions have not heard of it yet."""
    DELIVERED = "delivered"
    SET_ASIDE = "set_aside"
    """It failed and is not tried again by itself: a person said so, or its time is over."""


class Security(StrEnum):
    """How the connection to a mail server is protected."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class TemplateFormat(StrEnum):
    """What an author writes: HTML (a text part is derived) or text alone."""

    HTML = "html"
    TEXT = "text"


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
    SYSTEM_VIEW = "system.view"
