"""What a mail that came back says, as plain values. The reader fills them; nobody commits."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from massmail_plugin.smtp_status import Meaning


class ReportKind(StrEnum):
    """What a received mail is."""

    BOUNCE = "bounce"
    DELAY = "delay"
    COMPLAINT = "complaint"
    REPORT_NOT_COMPLAINT = "report-not-complaint"
    """An RFC 5965 report that speaks of authentication or of "not spam": it never suppresses."""
    AUTOREPLY = "autoreply"
    DELIVERED = "delivered"
    NONE = "none"
    """Ordinary mail: a reply by a person, a read receipt (RFC 8098), anything else."""


class Lasting(StrEnum):
    """Whether a failure stays (RFC 3463 class 5) or may pass (class 4)."""

    PERMANENT = "permanent"
    TEMPORARY = "temporary"


class Reason(StrEnum):
    """Why a delivery failed, in the words bounce readers have in common."""

    USER_UNKNOWN = "userunknown"
    HOST_UNKNOWN = "hostunknown"
    HAS_MOVED = "hasmoved"
    NOT_ACCEPT = "notaccept"
    """The domain takes no mail at all (RFC 7504, RFC 7505)."""
    MAILBOX_FULL = "mailboxfull"
    SUSPEND = "suspend"
    FILTERED = "filtered"
    """The recipient's own filter refused, or a server that hides whether the mailbox exists."""
    REJECTED = "rejected"
    """The sender's address was refused."""
    BLOCKED = "blocked"
    """Our server was refused."""
    BAD_REPUTATION = "badreputation"
    REQUIRE_PTR = "requireptr"
    AUTH_FAILURE = "authfailure"
    SPAM_DETECTED = "spamdetected"
    VIRUS_DETECTED = "virusdetected"
    POLICY_VIOLATION = "policyviolation"
    SECURITY_ERROR = "securityerror"
    NO_RELAYING = "norelaying"
    MESSAGE_TOO_BIG = "mesgtoobig"
    CONTENT_ERROR = "contenterror"
    SPEEDING = "speeding"
    TOO_MANY_CONNECTIONS = "toomanyconn"
    EXCEED_LIMIT = "exceedlimit"
    NETWORK_ERROR = "networkerror"
    SYSTEM_FULL = "systemfull"
    SYSTEM_ERROR = "systemerror"
    MAILER_ERROR = "mailererror"
    EXPIRED = "expired"
    ON_HOLD = "onhold"
    UNDEFINED = "undefined"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedRecipient:
    """One recipient a report speaks of."""

    address: str
    """As reported, without brackets; its domain in lower case."""
    original: str = ""
    """The address we mailed, where the report names both (RFC 3464 Original-Recipient) and they differ."""
    status: str = ""
    """RFC 3463, such as "5.1.1"; empty where the report gives none."""
    lasting: Lasting | None = None
    """None: the report does not say."""
    hard: bool = False
    """The address itself is dead: suppress at once."""
    final: bool = True
    """False: the server still tries, or has delivered."""
    reason: str = ""
    """A value of Reason, or empty."""
    action: str = ""
    """RFC 3464 section 2.3.3: failed, delayed, delivered, relayed, expanded; empty where it is not known."""
    meaning: Meaning | None = None
    """What a failure means in the words of an SMTP reply; None for one that is none."""
    code: int = 0
    """SMTP reply code, such as 550; 0 where the report gives none."""
    words: str = ""
    """What the server said, at most 500 characters."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every spelling the report gives, for comparing with the address that was mailed."""
        return (self.address, self.original) if self.original else (self.address,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One received mail, read. All of it is what the mail claims: it proves nothing without a token of ours."""

    kind: ReportKind = ReportKind.NONE
    recipients: tuple[ReportedRecipient, ...] = ()
    sender: str = ""
    """Address of its From header."""
    subject: str = ""
    message_id: str = ""
    """Its own Message-ID, with brackets."""
    came_at: datetime | None = None
    """When it came, as its servers and its writer say; None where nobody does."""
    sent_to: tuple[str, ...] = ()
    """Addresses it came to: To, Delivered-To, X-Original-To, Envelope-To; our return path is among them."""
    answers: tuple[str, ...] = ()
    """Message-IDs of its In-Reply-To and References headers, with brackets."""
    returned_ids: tuple[str, ...] = ()
    """Message-IDs of the mail it returns or quotes, with brackets."""
    returned_links: tuple[str, ...] = ()
    """Addresses in the List-Unsubscribe header of the mail it returns."""
    envelope_ids: tuple[str, ...] = ()
    """RFC 3464 Original-Envelope-Id."""
    feedback_type: str = ""
    """RFC 5965 Feedback-Type, in lower case."""
    automatic: bool = False
    """A machine wrote it: never a reply by a person, and never to be answered (RFC 3834)."""
