"""The words for one mail: its state, why it was skipped or refused, how it is sent."""

from enum import IntEnum, StrEnum


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


class Priority(IntEnum):
    """Whose chunks leave first; lower goes ahead."""

    TEST = 0
    CONFIRMATION = 1
    TRANSACTIONAL = 2
    BULK = 5


class UncertainPolicy(StrEnum):
    """What becomes of uncertain messages by themselves."""

    LEAVE = "leave"
    RESEND = "resend"


class Security(StrEnum):
    """How the connection to a mail server is protected."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class TemplateFormat(StrEnum):
    """What an author writes: HTML (a text part is derived) or text alone."""

    HTML = "html"
    TEXT = "text"
