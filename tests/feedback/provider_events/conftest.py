"""A host after a mailing went out, on both databases, that listens to providers."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from massmail_plugin.contracts import ContactRef, EventRequest, Host, ProviderEvent
from massmail_plugin.feedback import provider_events
from massmail_plugin.feedback.provider_events import Counted, FeedDraft, Reply
from massmail_plugin.models import Event, EventFeed, Received, Suppression
from massmail_plugin.signed_links import mail_token
from massmail_plugin.vocabulary import EventWord
from tests.providers.events.genuine import MAKE, mandrill, readers, secret_of
from tests.public.mailed_host import MailedHost, mailed_host


@dataclass
class Listening:
    """The host, and shortcuts to what it hears and keeps."""

    mailed: MailedHost
    host: Host

    def token(self, who: ContactRef, *, test: bool = False) -> str:
        """What the provider repeats in events about that contact's mail."""
        return mail_token(self.host.config, self.mailed.message(who, test=test).id)

    def event(self, word: EventWord, who: ContactRef, **more: Any) -> ProviderEvent:
        """An event about a contact's mail."""
        return ProviderEvent(
            **{
                "word": word,
                "recipient": self.mailed.message(who).address,
                "tokens": (self.token(who),),
                "at": self.host.clock(),
                **more,
            }
        )

    def take(self, *events: ProviderEvent) -> Counted:
        counted = provider_events.take_events(self.host, "feed:1", "sendgrid", events)
        self.host.session.commit()
        return counted

    def feed(self, provider: str) -> EventFeed:
        draft = FeedDraft(name=f"Our {provider}", provider=provider, secret=secret_of(provider))
        feed = provider_events.save_feed(self.host, None, draft)
        self.host.session.commit()
        return feed

    def request(self, feed: EventFeed, payload: Any) -> EventRequest:
        """What the provider posts to the feed now, signed."""
        now, key, url = self.host.clock(), secret_of(feed.provider), provider_events.events_address(self.host, feed)
        signed_with_url = partial(mandrill, url=url)
        body, headers = (signed_with_url if feed.provider == "mandrill" else MAKE[feed.provider])(payload, now, key)
        return EventRequest(body=body, headers=headers, url=url, at=now)

    def hear(self, feed: EventFeed, payload: Any) -> Reply:
        return provider_events.take_request(self.host, feed, self.request(feed, payload))

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.mailed.events()]

    def received(self) -> list[tuple[str, str, str]]:
        rows = self.host.session.scalars(select(Received).order_by(Received.id))
        return [(row.state, row.kind, row.address) for row in rows]

    def stopped(self) -> list[tuple[str | None, str]]:
        rows = self.host.session.scalars(select(Suppression).order_by(Suppression.id))
        return [(row.address or row.contact_key, row.reason) for row in rows]

    def events(self) -> list[Event]:
        return list(self.host.session.scalars(select(Event).order_by(Event.id)))


def listening(database_url: str) -> Iterator[Listening]:
    app = Flask("listening")
    app.config["SQLALCHEMY_DATABASE_URI"] = database_url
    mailed = mailed_host(app)
    host = replace(mailed.host, event_readers=readers())
    app.extensions["massmail"] = mailed.host = host
    with app.app_context():
        yield Listening(mailed, host)
        host.session.remove()
        host.db.engine.dispose()


@pytest.fixture
def crm(database_url: str) -> Iterator[Listening]:
    yield from listening(database_url)
