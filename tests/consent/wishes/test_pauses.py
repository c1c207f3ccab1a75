"""No mail for a while: the newest pause counts, and it ends by itself."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.stops.hand_off import Asked, Purpose, stopped
from massmail_plugin.consent.stops.released import OVER, let_ended_go
from massmail_plugin.consent.wishes.pauses import end_pause, pause, paused_until
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import ReleasedSuppression, Suppression
from massmail_plugin.vocabulary import ConsentWay, SkipReason
from tests.consent.small_host import add_person, clock

PAGE = Proof(ConsentWay.PAGE, evidence="page", message_id=7)


def said(host: Host, who: ContactRef) -> dict[int, SkipReason]:
    return stopped(host, "person", [Asked(1, who.key, "a@x.test")], Purpose())


def test_a_pause_holds_until_its_end_to_the_moment(host: Host) -> None:
    who, end = add_person(host), host.clock() + timedelta(days=30)
    assert pause(host, who, until=end, proof=PAGE)
    assert not pause(host, who, until=end, proof=PAGE)
    assert paused_until(host, who) == end
    clock(host).now = end - timedelta(microseconds=1)
    assert said(host, who) == {1: SkipReason.OPTED_OUT}
    clock(host).now = end
    assert said(host, who) == {}
    assert paused_until(host, who) is None


@pytest.mark.parametrize("days", [10, 90])
def test_the_newest_pause_counts_be_it_shorter_or_longer(host: Host, days: int) -> None:
    who = add_person(host)
    pause(host, who, until=host.clock() + timedelta(days=30), proof=PAGE)
    assert pause(host, who, until=(end := host.clock() + timedelta(days=days)), proof=PAGE)
    assert paused_until(host, who) == end
    assert len(host.session.scalars(select(Suppression)).all()) == 1


def test_ending_it(host: Host) -> None:
    who = add_person(host)
    pause(host, who, until=host.clock() + timedelta(days=30), proof=PAGE)
    assert [end_pause(host, who, proof=PAGE) for _ in range(2)] == [True, False]
    assert said(host, who) == {}


def test_what_is_over_goes_into_the_history(host: Host) -> None:
    first, second = add_person(host), add_person(host)
    pause(host, first, until=host.clock() + timedelta(days=1), proof=PAGE)
    pause(host, second, until=host.clock() + timedelta(days=2), proof=PAGE)
    assert let_ended_go(host, limit=10) == 0
    clock(host).tick(days=1)
    assert let_ended_go(host, limit=10) == 1
    row = host.session.scalars(select(ReleasedSuppression)).one()
    assert (row.contact_key, row.reason, row.way, row.release_note) == (first.key, "pause", "page", OVER)


@pytest.mark.parametrize("days", [0, -1, 2000])
def test_an_end_that_makes_no_sense_is_refused_in_words(host: Host, days: int) -> None:
    with pytest.raises(BadRequest, match="three years"):
        pause(host, add_person(host), until=host.clock() + timedelta(days=days), proof=PAGE)
