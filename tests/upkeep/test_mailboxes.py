"""The doctor hears whether anybody hears of bounces."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from massmail_plugin.contracts import Host
from massmail_plugin.models import EventFeed, Mailbox, Sender
from massmail_plugin.upkeep.doctor import Check, Level, checks
from tests.upkeep.small_host import HandClock, small_host


@pytest.fixture
def clinic(database_url: str, tmp_path: Path) -> Iterator[tuple[Host, HandClock]]:
    """A host with a sender."""
    with small_host(database_url, tmp_path) as (_, host, clock, _):
        host.session.add(Sender(name="Post", from_address="post@example.org", created_at=host.clock()))
        host.session.commit()
        yield host, clock


def heard(host: Host) -> list[Check]:
    return [check for check in checks(host) if check.name.startswith("mailbox")]


def feed(host: Host, **values: object) -> Check:
    """What is said of a feed with these values."""
    host.session.add(EventFeed(name="Feed", provider="ses", path="p" * 20, created_at=host.clock(), **values))
    host.session.commit()
    (said,) = [check for check in checks(host) if check.name == "event feed “Feed”"]
    return said


def mailbox(host: Host, **values: object) -> Mailbox:
    made = Mailbox(name="Bounces", created_at=host.clock(), **values)
    host.session.add(made)
    host.session.commit()
    return made


def test_nobody_reads_what_comes_back(clinic: tuple[Host, HandClock]) -> None:
    (check,) = heard(clinic[0])
    assert check.level is Level.WARNING
    assert "Nobody hears of bounces" in check.text


def test_a_provider_that_tells_is_enough(clinic: tuple[Host, HandClock]) -> None:
    host, _ = clinic
    host.session.add(EventFeed(name="Feed", provider="ses", path="p" * 20, created_at=host.clock()))
    host.session.commit()
    assert heard(host) == []


def test_an_address_to_opt_out_by_mail_needs_a_mailbox_that_is_read(clinic: tuple[Host, HandClock]) -> None:
    host, _ = clinic

    def said() -> list[str]:
        return [check.text for check in checks(host) if check.name == "opting out by mail"]

    assert said() == []
    host.session.scalars(select(Sender)).one().opt_out_address = "leave@example.org"
    host.session.commit()
    assert "no mailbox is read" in said()[0]
    mailbox(host)
    assert said() == []


def test_a_mailbox_that_was_read_lately(clinic: tuple[Host, HandClock]) -> None:
    host, clock = clinic
    mailbox(host, read_at=host.clock())
    assert [check.level for check in heard(host)] == [Level.OK]
    clock.now += timedelta(hours=1)
    (check,) = heard(host)
    assert check.level is Level.WARNING
    assert "It was not read since" in check.text


def test_a_new_mailbox_has_some_time(clinic: tuple[Host, HandClock]) -> None:
    host, clock = clinic
    mailbox(host)
    assert [check.level for check in heard(host)] == [Level.OK]
    clock.now += timedelta(hours=1)
    assert "It was not read yet" in heard(host)[0].text


def test_a_mailbox_that_cannot_be_read(clinic: tuple[Host, HandClock]) -> None:
    host, _ = clinic
    mailbox(host, read_at=host.clock(), fault="The server refused the login.")
    (check,) = heard(host)
    assert (check.level, check.name) == (Level.WARNING, "mailbox “Bounces”")
    assert "refused the login" in check.text


# --- Event feeds ----------------------------------------------------------------------------------------------


def test_a_feed_that_is_understood(clinic: tuple[Host, HandClock]) -> None:
    said = feed(clinic[0], heard_at=clinic[0].clock())
    assert said.level is Level.OK
    assert "Last heard" in said.text


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"fault": "The signature does not fit."}, "was refused: The signature does not fit."),
        ({"exchanges": True, "exchange_fault": "HTTP 401"}, "could not be exchanged: HTTP 401"),
    ],
)
def test_a_feed_with_a_fault(clinic: tuple[Host, HandClock], values: dict[str, object], words: str) -> None:
    said = feed(clinic[0], **values)
    assert said.level is Level.WARNING
    assert words in said.text
    assert "Event feeds" in said.what_to_do
