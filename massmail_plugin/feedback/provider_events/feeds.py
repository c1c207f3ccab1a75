"""Feeds: the providers whose webhooks we accept, each at an address nobody can guess. Doors enter and commit."""

import secrets
from dataclasses import dataclass, field

from sqlalchemy import delete, select, update

from massmail_plugin.contracts import Host
from massmail_plugin.models import EventFeed, FeedNonce, ProviderListEntry
from massmail_plugin.portable_sql import changed

PATH_LENGTH = 32


@dataclass(frozen=True, kw_only=True)
class FeedDraft:
    """What a person entered of a feed. None for a secret keeps the one that is stored."""

    name: str
    provider: str
    secret: str | None = field(repr=False)
    active: bool = True
    exchanges: bool = False
    account: str = ""
    api_key: str | None = field(default=None, repr=False)


def new_feed(host: Host) -> EventFeed:
    """A feed with an address of its own; not stored yet."""
    return EventFeed(path=secrets.token_urlsafe(PATH_LENGTH * 3 // 4), created_at=host.clock())


def feed_problems(host: Host, feed: EventFeed | None, draft: FeedDraft) -> dict[str, str]:
    """Why a draft cannot be saved: name of the field -> words. Empty where it can."""
    found = {}
    if _name_taken(host, feed, draft.name):
        found["name"] = "There is a feed of this name already. Choose another one."
    if draft.provider not in host.event_readers:
        found["provider"] = "Choose the provider."
    if not draft.secret and (feed is None or not feed.secret):
        found["secret"] = "Without it nobody can tell the provider's requests from forged ones."
    if draft.exchanges and not draft.api_key and (feed is None or not feed.api_key):
        found["api_key"] = "The provider's list can only be read and changed with a key."
    return found


def _name_taken(host: Host, feed: EventFeed | None, name: str) -> bool:
    query = select(EventFeed.id).where(EventFeed.name == name)
    return host.session.scalar(query if feed is None else query.where(EventFeed.id != feed.id)) is not None


def save_feed(host: Host, feed: EventFeed | None, draft: FeedDraft) -> EventFeed:
    """Store a draft without problems. A fault that was noted before is forgotten."""
    saved = feed or new_feed(host)
    saved.name, saved.provider, saved.active = draft.name, draft.provider, draft.active
    saved.exchanges, saved.account = draft.exchanges, draft.account
    saved.fault = saved.exchange_fault = ""
    if draft.secret is not None:
        saved.secret = draft.secret
    if draft.api_key is not None:
        saved.api_key = draft.api_key
    host.session.add(saved)
    host.session.flush()
    return saved


def delete_feed(host: Host, feed: EventFeed) -> None:
    """Forget a feed and what was known of the provider's list; what came through it stays."""
    for table in (FeedNonce, ProviderListEntry):
        changed(host, delete(table).where(table.feed_id == feed.id))
    host.session.delete(feed)
    host.session.flush()


def renew_path(host: Host, feed: EventFeed) -> None:
    """Give a feed a new address; the old one is unknown from now on."""
    feed.path = new_feed(host).path
    host.session.flush()


def events_address(host: Host, feed: EventFeed) -> str:
    """Where the provider posts to."""
    return f"{host.config.public_root}/events/{feed.path}"


def feed_by_path(host: Host, path: str) -> EventFeed | None:
    """The feed that listens there, if one does."""
    if not (len(path) == PATH_LENGTH and path.isascii()):
        return None
    return host.session.scalars(select(EventFeed).where(EventFeed.path == path, EventFeed.active)).first()


def note_fault(host: Host, feed_id: int, fault: str) -> None:
    """Remember why a request was refused; the same reason again writes nothing."""
    changed(host, update(EventFeed).where(EventFeed.id == feed_id, EventFeed.fault != fault).values(fault=fault))
