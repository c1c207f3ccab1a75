"""What hosts and providers implement, and the frozen values that travel between the rooms.

Nothing is committed here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from flask_sqlalchemy.extension import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy.orm import scoped_session
from sqlalchemy.sql.elements import ColumnElement

from massmail_plugin.config import Config
from massmail_plugin.contact_source import Address as Address
from massmail_plugin.contact_source import Column as Column
from massmail_plugin.contact_source import ContactSource as ContactSource
from massmail_plugin.contact_source import Email as Email
from massmail_plugin.contact_source import Fax as Fax
from massmail_plugin.contact_source import Field as Field
from massmail_plugin.contact_source import Phone as Phone
from massmail_plugin.contact_source import Related as Related
from massmail_plugin.errors import SetupError, nearest
from massmail_plugin.facts import AddressFact as AddressFact
from massmail_plugin.facts import ContactRef as ContactRef
from massmail_plugin.facts import HistoryFact as HistoryFact
from massmail_plugin.facts import InterestFact as InterestFact
from massmail_plugin.facts import NewContact as NewContact
from massmail_plugin.facts import OutcomeFact as OutcomeFact
from massmail_plugin.facts import PreferenceFact as PreferenceFact
from massmail_plugin.facts import SendFact as SendFact
from massmail_plugin.facts import SentCopy as SentCopy
from massmail_plugin.facts import StatusFact as StatusFact
from massmail_plugin.provider_words import EventReader as EventReader
from massmail_plugin.provider_words import EventRequest as EventRequest
from massmail_plugin.provider_words import ProviderEvent as ProviderEvent
from massmail_plugin.sign_up_field import SignUpField as SignUpField
from massmail_plugin.smtp_status import Reply
from massmail_plugin.vocabulary import Act, MessageState, Outcome

# --- What a host declares -------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class StatusMapping:
    """Which of the host's statuses each outcome sets. Outcomes that are left out change nothing.

    `known()` gives the host's status names: they are the choices of the mapping form, and every mapped name must be
    among them. A contact whose status is in `final` is left alone. `target` says where the status goes: to the
    contact, to its membership in the list or campaign, or to both.
    """

    statuses: Mapping[Outcome, str]
    known: Callable[[], Iterable[str]]
    final: frozenset[str] | set[str] = frozenset()
    target: Literal["contact", "membership", "both"] = "contact"

    def check(self) -> None:
        """Raise SetupError naming the first mapped or final status the host does not know."""
        known = set(self.known())
        for where, status in [*((str(k), v) for k, v in self.statuses.items()), *(("final", s) for s in self.final)]:
            if status not in known:
                raise SetupError(
                    f"StatusMapping: {where} names the status “{status}”, which known() does not list. "
                    + nearest(status, known)
                )


# --- What a host plugs in --------------------------------------------------------------------------------------


class May(Protocol):
    """Whether `user` may do `act` (a value of `Act`) on `subject` (one of our rows, or None)."""

    def __call__(self, user: Any, act: Act, subject: Any, /) -> bool: ...


Condition = Callable[[type[Any]], ColumnElement[bool]]
"""A host-coded criterion: receives the contact's mapped class, returns an SQL clause over it."""


class HostCondition(NamedTuple):
    """A condition as it was registered: for contacts of one source, or of every source."""

    label: str
    function: Condition
    source: str | None = None


@dataclass
class Hooks:
    """What the host plugged in; filled by the decorators of `MassMail`."""

    may: May | None = None
    on_outcome: list[Callable[[OutcomeFact], None]] = field(default_factory=list)
    on_interest: list[Callable[[InterestFact], None]] = field(default_factory=list)
    on_address_lost: list[Callable[[AddressFact], None]] = field(default_factory=list)
    write_history: Callable[[HistoryFact], None] | None = None
    actions: dict[str, tuple[str, Callable[[OutcomeFact], None]]] = field(default_factory=dict)
    """name -> (label for the screen, what to do in the host when a mail of a template that asks for it was sent)"""
    set_status: Callable[[StatusFact], None] | None = None
    before_send: list[Callable[[SendFact], str | None]] = field(default_factory=list)
    on_preference_change: list[Callable[[PreferenceFact], None]] = field(default_factory=list)
    conditions: dict[str, HostCondition] = field(default_factory=dict)
    page_context: Callable[[], Mapping[str, Any]] | None = None
    create_contact: Callable[[Sequence[NewContact]], Sequence[Any]] | None = None
    """Makes contacts of the host; gives their keys in the same order, None for whom it makes none."""


# --- Carriers: what a provider implements ---------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Account:
    """A sender's account as a provider needs it; the secret is in clear and must never be logged."""

    sender_id: int
    host: str
    port: int
    security: str
    auth: str
    username: str
    secret: str = field(repr=False)
    timeout: float = 60.0
    connections: int = 10
    """How many connections may be open at once in one worker."""


@dataclass(slots=True)
class Outgoing:
    """One finished message on its way: envelope and bytes (CRLF line ends, no bare CR or LF)."""

    message_id: int
    """The outbox row."""
    mail_from: str
    rcpt_to: str
    content: bytes = field(repr=False)
    is_copy: bool = False
    """True for the copy that goes to a BCC address: never marked, never settled in the row."""
    dotless: bool = False
    """True where it is known that no line begins with a dot, so that none has to be doubled (RFC 5321, 4.5.2)."""
    slot: Any = None
    """What the feed remembers by; a carriage leaves it alone."""


class Answer(NamedTuple):
    """What became of one hand-over: `sent`, `refused`, `deferred` or `uncertain`, with the server's reply if any."""

    state: MessageState
    reply: Reply | None = None
    note: str = ""


class Hand(Enum):
    """What a feed says when the content is about to leave."""

    GO = auto()
    """The durable mark is made: the content may leave, and an answer must be settled."""
    STOP = auto()
    """This message must not go any more; the feed has forgotten it."""
    WAIT = auto()
    """Not known yet; `Carriage.wake` tells when to ask again."""


class Feed(Protocol):
    """Where a carriage takes its messages from. Called in the carriage's event loop alone; nothing here blocks."""

    @property
    def ended(self) -> bool:
        """True once nothing will come any more: what was taken is finished, then `carry` returns."""

    def take(self) -> Outgoing | None:
        """The next message, or None where there is none now; `Carriage.wake` tells when to ask again."""

    def put_back(self, message: Outgoing) -> None:
        """Taken, but not handed: the connection was lost before the content. It comes again."""

    def hand(self, message: Outgoing) -> Hand:
        """Called when nothing but the content is missing; GO means that the durable mark is made."""

    def settle(self, message: Outgoing, answer: Answer) -> None:
        """What became of a message that was taken; once for each, except those put back or stopped."""


class Carriage(Protocol):
    """A way out for one account, used by one lane. All its methods run in one event loop."""

    async def carry(self, feed: Feed) -> None:
        """Carry messages until `feed.ended`. Raises CannotConnect where the sender itself is at fault: answers still
        to come were awaited and settled before, and everything taken and not handed was put back.
        """

    def wake(self) -> None:
        """The feed may answer differently now: it has messages, its word on a waiting one, or it has ended."""

    async def close(self) -> None:
        """Leave in good order; never raises."""


@dataclass(frozen=True)
class Stage:
    """One step of trying out a sender: `name` as in CannotConnect, whether it went well, and the server's words."""

    name: str
    ok: bool
    detail: str


class Provider(Protocol):
    """Who carries mail: one file in `providers/`, or an entry point of the group `massmail_plugin.providers`."""

    name: str
    label: str

    def open(self, account: Account) -> Carriage:
        """Prepare a way out; it connects when `carry` has a first message. Called outside the event loop."""

    def probe(self, account: Account, message: Outgoing | None) -> list[Stage]:
        """Try the account step by step and hand over `message` if one is given; blocks, never raises for a bad one."""


# --- Ports that doors implement for the rooms -----------------------------------------------------------------


class Wake(Protocol):
    """Tell the workers that there is something to do. Never raises: the reconciler finds what a lost call meant."""

    def __call__(self, work: Literal["fill", "send", "outcomes", "mailboxes", "stop_lists", "imports"]) -> None: ...


@dataclass(frozen=True)
class QueueState:
    """How the workers are: `reachable` False where Redis does not answer (`problem` says why)."""

    reachable: bool
    workers: int
    waiting: int
    problem: str = ""


class QueueStatus(Protocol):
    """Ask after the workers; answers within two seconds, never raises."""

    def __call__(self) -> QueueState: ...


class CopyOf(Protocol):
    """An inert copy of the mail of an outbox message, or None where the contact or the words are gone."""

    def __call__(self, host: "Host", message_id: int, /) -> SentCopy | None: ...


class Clock(Protocol):
    """The time now, aware, in UTC."""

    def __call__(self) -> datetime: ...


# --- The per-app state ----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Host:
    """One host application with the plugin mounted; doors find it at `current_app.extensions["massmail"]`."""

    config: Config
    db: SQLAlchemy
    sources: Mapping[str, ContactSource]
    statuses: StatusMapping
    hooks: Hooks
    clock: Clock
    wake: Wake
    queue_status: QueueStatus
    providers: Mapping[str, Provider]
    state_dir: Path
    """Folder of the journals of this machine's workers."""
    copy_of: CopyOf | None = None
    """Makes the copies for `write_history`."""
    event_readers: Mapping[str, EventReader] = field(default_factory=dict)
    """Whose webhooks can be read, by the provider's name."""
    viewer: Any = None
    """The user whose screens show contacts, so that each source's `limit` holds; None where nobody looks (workers)."""

    @property
    def session(self) -> scoped_session[Session]:
        """The host's own session: one transaction for its rows and ours."""
        return self.db.session

    def source(self, name: str) -> ContactSource:
        """The contact source called `name`; raises SetupError where the host no longer registers it."""
        if name not in self.sources:
            raise SetupError(f"There is no contact source “{name}”. {nearest(name, self.sources)}")
        return self.sources[name]
