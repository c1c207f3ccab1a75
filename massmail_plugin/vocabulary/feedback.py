"""The words for what comes back: events, verdicts, mailboxes, reports to the host."""

from enum import StrEnum


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


FORGOTTEN = "forgotten"
"""Stands in `Event.request` once it is deleted who fetched: such a hit keeps its verdict."""


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


class ReportState(StrEnum):
    """Where an outcome report stands on its way to the host, and a webhook on its way to its receiver."""

    WAITING = "waiting"
    UNTOLD = "untold"
    """The status is set; the host's functions have not heard of it yet."""
    DELIVERED = "delivered"
    SET_ASIDE = "set_aside"
    """It failed and is not tried again by itself: a person said so, or its time is over."""
