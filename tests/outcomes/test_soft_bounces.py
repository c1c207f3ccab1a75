"""Temporary failures: counted by mails in a window, anew after every sign of life; too many of them end the address."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import current_app
from sqlalchemy import select

from massmail_plugin import outcomes
from massmail_plugin.models import Event, OutboxMessage
from massmail_plugin.outcomes import CameBack, NewEvent
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import EventKind
from tests.feedback.received_mail.conftest import Office
from tests.upkeep.small_host import small_host

SOFT, FULL, BLOCKED = Meaning.SOFT, Meaning.FULL, Meaning.BLOCKED


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    """Three in ten days are too many."""
    with small_host(database_url, tmp_path) as (_, host, clock, _):
        host = replace(host, config=replace(host.config, soft_bounces=3, soft_bounce_days=10))
        current_app.extensions["massmail"] = host
        yield Office(host, clock)


def say(office: Office, message: OutboxMessage, kind: EventKind, meaning: Meaning | None = None, **more: str) -> None:
    event = NewEvent(
        message_id=message.id, kind=kind, at=office.host.clock(), meaning=meaning.value if meaning else "", **more
    )
    outcomes.take_in(office.host, [CameBack(message, event)])
    office.host.session.commit()


def bounces(office: Office, number: int, *, every: float = 1, meaning: Meaning = SOFT, address: str = "") -> None:
    """So many mails to one member, each of which comes back."""
    for _ in range(number):
        office.days_later(every)
        say(office, office.mail(address=address), EventKind.BOUNCE, meaning)


def test_the_last_one_ends_the_address_and_is_told_to_the_host(office: Office) -> None:
    bounces(office, 2)
    assert office.suppressed() == []
    bounces(office, 1, meaning=FULL)
    assert office.suppressed() == [("member1@box.test", "soft_bounces")]
    assert office.outcomes() == ["bounced"]
    assert office.tallied() == {"bounce": 3}


def test_those_before_the_window_do_not_count(office: Office) -> None:
    bounces(office, 6, every=5.5)
    assert office.suppressed() == []


def test_several_reports_about_one_mail_count_once(office: Office) -> None:
    message = office.mail()
    for _ in range(5):
        say(office, message, EventKind.BOUNCE, SOFT)
    assert office.suppressed() == []


@pytest.mark.parametrize("life", [EventKind.DELIVERED, EventKind.OPEN, EventKind.CLICK, EventKind.REPLY])
def test_a_sign_of_life_begins_the_count_anew(office: Office, life: EventKind) -> None:
    bounces(office, 2)
    office.days_later(0.5)
    say(office, office.mail(), life)
    bounces(office, 2)
    assert office.suppressed() == []
    bounces(office, 1)
    assert office.suppressed() == [("member1@box.test", "soft_bounces")]


def test_a_program_that_opens_a_mail_is_no_sign_of_life(office: Office) -> None:
    bounces(office, 2)
    say(office, office.mail(), EventKind.OPEN, machine_reason="scanner")
    bounces(office, 1)
    assert office.suppressed() == [("member1@box.test", "soft_bounces")]


def test_a_mail_of_which_nothing_bad_was_heard_for_days_has_arrived(office: Office) -> None:
    bounces(office, 2)
    office.days_later(0.1)
    office.mail()
    office.days_later(5)
    bounces(office, 1)
    assert office.suppressed() == []


def test_a_mail_that_a_server_still_tries_to_deliver_has_not(office: Office) -> None:
    bounces(office, 2)
    office.days_later(0.1)
    say(office, office.mail(), EventKind.DELAY)
    office.days_later(5)
    bounces(office, 1)
    assert office.suppressed() == [("member1@box.test", "soft_bounces")]


@pytest.mark.parametrize("meaning", [BLOCKED, Meaning.SENDER_FAULT, Meaning.MESSAGE])
def test_what_says_nothing_of_the_mailbox_never_counts(office: Office, meaning: Meaning) -> None:
    bounces(office, 9, every=0.1, meaning=meaning)
    assert office.suppressed() == []


def test_another_address_of_the_contact_has_a_count_of_its_own(office: Office) -> None:
    bounces(office, 2, every=0.1)
    bounces(office, 2, every=0.1, address="other@box.test")
    assert office.suppressed() == []
    bounces(office, 1, every=0.1, address="Member1@Box.test")
    assert office.suppressed() == [("member1@box.test", "soft_bounces")]


def test_reports_that_come_together_count_together(office: Office) -> None:
    messages = [office.mail() for _ in range(3)]
    events = [
        NewEvent(message_id=one.id, kind=EventKind.BOUNCE, at=office.host.clock(), meaning=SOFT.value)
        for one in messages
    ]
    outcomes.take_in(office.host, [CameBack(one, event) for one, event in zip(messages, events, strict=True)])
    office.host.session.commit()
    assert {reason for _, reason in office.suppressed()} == {"soft_bounces"}
    assert len(office.host.session.scalars(select(Event)).all()) == 3


def test_a_repeat_is_not_counted(office: Office) -> None:
    message = office.mail()
    for _ in range(3):
        say(office, message, EventKind.BOUNCE, SOFT, provider="mail", provider_event_id="the same")
    assert office.events() == [("bounce", "soft")]


def test_it_can_be_switched_off(office: Office) -> None:
    office.host = replace(office.host, config=replace(office.host.config, soft_bounces=0))
    bounces(office, 9, every=0.1)
    assert office.suppressed() == []
