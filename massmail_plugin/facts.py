"""The facts a host's functions are told: frozen values, made after the commit. Nothing is read or committed here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from massmail_plugin.vocabulary import ConsentWay, Outcome, SuppressionReason, SuppressionScope


@dataclass(frozen=True, order=True)
class ContactRef:
    """A contact: the name of its source and its key as text."""

    source: str
    key: str


@dataclass(frozen=True, kw_only=True)
class OutcomeFact:
    """What became of one mail. `report_id` is the same each time the same fact is delivered again."""

    report_id: int
    outcome: Outcome
    at: datetime
    contact: ContactRef
    address: str
    mailing_id: int
    mailing_name: str
    campaign_id: int | None
    list_id: int | None
    url: str | None
    status: str | None
    """The host status this outcome maps to, or None where it changes nothing."""
    interest: str = ""
    """Of a click: the interest that the link's author gave it (`data-interest`)."""
    score: int = 0
    """Of a click: what the link's author said it is worth (`data-score`)."""


@dataclass(frozen=True, kw_only=True)
class InterestFact:
    """Somebody followed a link that speaks of an interest: once for each mail and each of its links.

    `report_id` is the same each time the same fact is delivered again.
    """

    report_id: int
    contact: ContactRef
    interest: str
    score: int
    at: datetime
    url: str
    mailing_id: int
    mailing_name: str


@dataclass(frozen=True, kw_only=True)
class AddressFact:
    """An address that gets no mailing any more: it is dead (HARD_BOUNCE, SOFT_BOUNCES), or its reader complained
    (COMPLAINT): no mailings to this contact then, transactional mail is still allowed.

    `role` is the address's role in the ContactSource, `words` what the mail server or the provider said. `report_id` is
    the same each time the same fact is delivered again.
    """

    report_id: int
    contact: ContactRef
    address: str
    role: str
    reason: SuppressionReason
    words: str
    at: datetime
    mailing_id: int
    mailing_name: str


@dataclass(frozen=True, kw_only=True)
class SentCopy:
    """A mail as its reader got it, but inert. `html` is None for a mail that is text alone."""

    from_name: str
    from_address: str
    subject: str
    html: str | None
    text: str


@dataclass(frozen=True, kw_only=True)
class HistoryFact:
    """A mail that was sent, for the contact's history in the host: inert, without pixel, its links lead nowhere.

    `html` is None for a mail that is text alone. `report_id` is the same each time the same fact is delivered again.
    """

    report_id: int
    contact: ContactRef
    address: str
    at: datetime
    from_name: str
    from_address: str
    subject: str
    html: str | None
    text: str
    mailing_id: int
    mailing_name: str
    template_name: str


@dataclass(frozen=True, kw_only=True)
class StatusFact:
    """A status to be set: `old` is what the contact has now, `new` what the mapping says."""

    contact: ContactRef
    old: str | None
    new: str
    outcome: OutcomeFact


@dataclass(frozen=True, kw_only=True)
class SendFact:
    """A mail about to leave. A `before_send` hook returns None to let it go or a reason to skip it."""

    contact: ContactRef
    address: str
    mailing_id: int
    mailing_name: str


@dataclass(frozen=True, kw_only=True)
class PreferenceFact:
    """A contact's wish changed, for one list (`list_id`), one topic (`topic_id`) or, with neither, for every mailing.

    `way` and `source` say how and by whom; HOST is what the host itself told us.
    """

    contact: ContactRef
    list_id: int | None
    list_name: str | None
    subscribed: bool
    at: datetime
    source: str
    way: ConsentWay
    topic_id: int | None = None
    topic_name: str | None = None

    @property
    def scope(self) -> SuppressionScope:
        """How far the wish reaches."""
        if self.list_id is not None:
            return SuppressionScope.LIST
        return SuppressionScope.ALL_BUT_TRANSACTIONAL if self.topic_id is None else SuppressionScope.TOPIC


@dataclass(frozen=True, kw_only=True)
class NewContact:
    """Somebody who is to become a contact of the host: `values` are what is known of them, by the names of fields.

    `role` is the address's role in the ContactSource, `locale` their language where it is known, and `origin` says how
    we came to them, such as a file's name.
    """

    source: str
    address: str
    role: str
    values: Mapping[str, str] = field(default_factory=dict)
    locale: str = ""
    origin: str = ""
