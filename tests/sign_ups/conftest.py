"""A host whose list takes sign-ups, with a provider that keeps the mails and a function that makes contacts."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import pytest
from flask import current_app
from sqlalchemy import select

from massmail_plugin import sign_ups
from massmail_plugin.contracts import ContactRef, Hooks, Host, NewContact, PreferenceFact, SignUpField
from massmail_plugin.models import List, Sender, SignUp, Subscription, SubscriptionEvent
from massmail_plugin.providers.recording import RecordingProvider
from massmail_plugin.sending import run_lane
from massmail_plugin.sign_ups import Form, Standing, Taken, Visitor
from massmail_plugin.signed_links.sign_up_links import form_token, read_confirm_token
from massmail_plugin.translations import words_in
from tests.consent.small_host import PERSONS, Person, add_list, clock, running_host

HOME = Visitor("198.51.100.7", "Firefox")
PHONE = Visitor("2001:db8:1:2::7", "Safari")
QUESTIONS = [
    SignUpField("first", {"en": "First name", "de": "Vorname"}, autocomplete="given-name"),
    SignUpField("city", "City", choices=["Lyon", "Turin"]),
]


@dataclass
class World:
    """What a test of sign-ups needs to say in one line."""

    host: Host
    list_: List
    provider: RecordingProvider
    facts: list[PreferenceFact]
    wanted: list[NewContact] = field(default_factory=list)
    makes: bool = True

    def form(self, language: str = "en", token: str = "") -> Form:
        words = words_in([language], self.host.config)
        return sign_ups.form_of(
            self.host, token or form_token(self.host.config, self.list_.id), words, organisation="Fernhill"
        )

    def sign_up(
        self, address: str, visitor: Visitor = HOME, language: str = "en", answers: Mapping[str, str] | None = None
    ) -> Taken:
        """As the page does it, once somebody has filled the form in."""
        form = self.form(language)
        given = {"email": address, **{f"field-{name}": answer for name, answer in (answers or {}).items()}}
        words = words_in([language], self.host.config)
        entry = sign_ups.fill_in(self.host, form, given, words, address_is_meant=True)
        assert entry.faults == {}
        taken = sign_ups.take(self.host, form, entry, visitor)
        self.host.session.commit()
        return taken

    def mails(self) -> list[EmailMessage]:
        """Sent by a worker, all so far."""
        run_lane(self.host, seconds=5)
        parsed = [message_from_bytes(one.content, policy=policy.default) for one in self.provider.messages]
        return [cast(EmailMessage, mail) for mail in parsed]

    def link(self, mail: EmailMessage) -> str:
        body = mail.get_body(("plain",))
        assert body is not None
        return re.findall(r"http\S+/s/confirm/\S+", body.get_content())[0]

    def confirm(self, mail: EmailMessage, visitor: Visitor = PHONE) -> Standing:
        token = self.link(mail).rpartition("/")[2]
        done = sign_ups.confirm(self.host, read_confirm_token(self.host.config, token), visitor)
        self.host.session.commit()
        return done

    def rows(self) -> list[SignUp]:
        query = select(SignUp).order_by(SignUp.id)
        return list(self.host.session.scalars(query.execution_options(populate_existing=True)))

    def on_list(self) -> set[str]:
        """Keys of the subscribers."""
        query = select(Subscription.contact_key).where(
            Subscription.list_id == self.list_.id, Subscription.state == "subscribed"
        )
        return set(self.host.session.scalars(query))

    def history(self) -> list[SubscriptionEvent]:
        return list(self.host.session.scalars(select(SubscriptionEvent).order_by(SubscriptionEvent.id)))

    def pass_time(self, **span: float) -> int:
        """Let the scheduler look after so long; the number of sign-ups it did something about."""
        clock(self.host).tick(**span)
        return sign_ups.keep_up(self.host)

    def make(self, people: Sequence[NewContact]) -> list[Any]:
        """The host's own function."""
        self.wanted += people
        if not self.makes:
            return [None for _ in people]
        made = [Person(email1=one.address, first=one.values.get("first", ""), last="") for one in people]
        self.host.session.add_all(made)
        self.host.session.flush()
        return [person.id for person in made]


def world_of(host: Host, provider: RecordingProvider, **values: Any) -> World:
    facts: list[PreferenceFact] = []
    list_ = add_list(host, "News", **{"sign_up": True, **values})
    now = host.clock()
    host.session.add(
        Sender(
            name="Post",
            provider="recording",
            from_name="Us",
            from_address="us@example.org",
            created_at=now,
            tested_at=now,
        )
    )
    host.session.commit()
    world = World(host, list_, provider, facts)
    host.hooks.on_preference_change.append(facts.append)
    host.hooks.create_contact = world.make
    return world


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    """On both databases: a list that asks by mail."""
    provider = RecordingProvider()
    _speak_german(tmp_path)
    with running_host(database_url) as host:
        sources = {**host.sources, "person": replace(PERSONS, sign_up=QUESTIONS)}
        config = replace(
            host.config, organisation="Fernhill", base_url="https://crm.example.org", translations=str(tmp_path)
        )
        host = replace(host, providers={provider.name: provider}, sources=sources, config=config, hooks=Hooks())
        current_app.extensions["massmail"] = host
        yield world_of(host, provider)


def _speak_german(folder: Path) -> None:
    """A catalogue of the host's own."""
    file = folder / "de" / "LC_MESSAGES" / "massmail.po"
    file.parent.mkdir(parents=True)
    file.write_text(
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
        '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
        'msgid "Please confirm: %(list)s"\nmsgstr "Bitte bestätigen: %(list)s"\n'
    )


def person(host: Host, key: str) -> Person:
    return host.session.get_one(Person, int(key))


def ref(key: str) -> ContactRef:
    return ContactRef("person", key)
