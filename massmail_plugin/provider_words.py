"""What providers post about mails, and how it is read: the port of event readers and its values. Nothing is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import EventWord


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRequest:
    """A request of a provider as it came: names of headers in lower case, the body in the bytes that were signed."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    url: str = ""
    """The address it was posted to, as the provider knows it: some sign it too."""
    at: datetime
    """When it came; what was signed long before is refused."""

    @property
    def media_type(self) -> str:
        """Of the Content-Type header, in lower case and without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEvent:
    """What a provider says became of one mail. It is the provider's word alone: it proves nothing without a token."""

    word: EventWord
    recipient: str | None = None
    message_id: str | int | None = None
    """The provider's own number of the mail, as it writes it."""
    event_id: str | None = None
    """What makes a repeat the same event; None where the provider gives none."""
    at: datetime | None = None
    permanent: bool | None = None
    """Of a failure: whether it stays; None where the provider does not say, and for all else."""
    meaning: Meaning | None = None
    """What a failure means; None for all else."""
    reply: str = ""
    """What the receiving server said."""
    detail: str = ""
    """What the provider says about it."""
    url: str = ""
    user_agent: str = ""
    machine: str = ""
    """Why it was no person, where the provider knows."""
    one_list: bool = False
    """An unsubscription from one group or list of the provider, not from everything."""
    tokens: tuple[str, ...] = ()
    """What may be a token of ours: whoever has the keys can tell."""


class EventReader(Protocol):
    """One provider's webhooks. Whatever the bytes, nothing but RequestRefused is raised; nothing is kept."""

    name: str
    label: str
    secret_label: str
    """What the provider calls that which proves its requests, such as "Signing key"."""
    secret_help: str
    """Where to find it, for the person at the screen."""

    def check(self, request: EventRequest, secret: str) -> None:
        """Raise RequestRefused unless the request was made by the holder of `secret`, and not long ago.

        `secret` may hold several, one on each line, while one replaces another. An empty one proves nothing.
        """

    def read(self, request: EventRequest) -> list[ProviderEvent]:
        """The events in a request; none where it speaks of other things. Raises RequestRefused for any other bytes."""

    def token_header(self, token: str) -> tuple[str, str] | None:
        """Header that makes the provider repeat `token` in the events of a mail; None where the Message-ID does."""
