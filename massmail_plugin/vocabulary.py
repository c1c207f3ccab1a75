"""The words of the house as enums: states, outcomes, reasons. A leaf; everybody may enter."""

from enum import IntEnum, StrEnum


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
    EXCLUDED = "excluded"
    """On an excluded list."""
    OTHER_STATUS = "other_status"
    """The host status is not among those chosen."""
    MAILED_LATELY = "mailed_lately"
    """Within the resend window."""
    WANTS_FEWER = "wants_fewer"
    """The contact asked for fewer mails and got one lately."""


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
    SERVICE = "service"
    """Asks whether a sign-up was meant, or brings a lost link; goes to whoever asked for it, opted out or not."""

    @property
    def counted(self) -> bool:
        """False where it is no mailing to people's minds: no statistics, no list of mailings has it."""
        return self not in UNCOUNTED


UNCOUNTED = (MailingKind.TEST, MailingKind.SERVICE)
NOBODY = ""
"""The `contact_key` of a service mail to an address that belongs to no contact."""


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


GONE = "gone:"
"""How the `contact_key` begins of what is left of contacts who were deleted or erased."""
FORGOTTEN = "forgotten"
"""Stands in `Event.request` once it is deleted who fetched: such a hit keeps its verdict."""


class ConsentWay(StrEnum):
    """How a change to a subscription came about."""

    PERSON = "person"
    """A user did it, one by one or for a selection."""
    FILE = "file"
    FORM = "form"
    """The contact filled in the sign-up form and confirmed."""
    PAGE = "page"
    """The contact chose on a page behind a link in a mail."""
    ONE_CLICK = "one_click"
    MAIL = "mail"
    """The contact wrote to the address in List-Unsubscribe."""
    HOST = "host"
    PROVIDER = "provider"
    CAMPAIGN = "campaign"

    @property
    def by_contact(self) -> bool:
        """True where the contact said so, whoever passed it on."""
        return self not in (ConsentWay.PERSON, ConsentWay.FILE, ConsentWay.CAMPAIGN)


class SignUpState(StrEnum):
    """Where a sign-up stands."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    EXPIRED = "expired"


class OptOutWhy(StrEnum):
    """Reasons for opting out that are offered."""

    TOO_MANY = "too_many"
    NOT_FOR_ME = "not_for_me"
    NEVER_ASKED = "never_asked"
    HAVE_IT = "have_it"
    OTHER = "other"


class ImportPurpose(StrEnum):
    """What a file is brought for."""

    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    SUPPRESS = "suppress"


class ImportState(StrEnum):
    """The life of an import."""

    UPLOADED = "uploaded"
    WAITING = "waiting"
    RUNNING = "running"
    COUNTED = "counted"
    """The dry run is over."""
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RowVerdict(StrEnum):
    """What an import makes of a row of its file."""

    CHANGED = "changed"
    """Added, taken off, opted out and so on, as the purpose says; of a dry run: would be."""
    CREATED = "created"
    """Nobody the host knew: a contact was made and added."""
    ALREADY = "already"
    """It was so before."""
    LEFT = "left"
    """Left this list; stays off."""
    OPTED_OUT = "opted_out"
    SUPPRESSED = "suppressed"
    UNKNOWN = "unknown"
    """No contact of the host."""
    INVALID = "invalid"
    DUPLICATE = "duplicate"
    """An earlier row of the file says the same."""


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
    TOPIC = "topic"
    LIST = "list"


class SuppressionReason(StrEnum):
    """Why an address or contact must not be written to."""

    OPT_OUT = "opt_out"
    COMPLAINT = "complaint"
    HARD_BOUNCE = "hard_bounce"
    SOFT_BOUNCES = "soft_bounces"
    BY_PERSON = "by_person"
    BY_PROVIDER = "by_provider"
    PAUSE = "pause"
    """The contact wants no mail for a while."""
    ERASED = "erased"
    """The person was erased on request."""

    @property
    def is_wish(self) -> bool:
        """True where the contact wants no mailings, for good or for a while: they opted out."""
        return self in (SuppressionReason.OPT_OUT, SuppressionReason.PAUSE)

    @property
    def yields(self) -> bool:
        """True where a mail that was asked for just now may go all the same, and signing up ends it."""
        return self.is_wish or self is SuppressionReason.ERASED


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
    PRIVACY_MANAGE = "privacy.manage"
    SYSTEM_VIEW = "system.view"
