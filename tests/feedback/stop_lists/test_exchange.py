"""Stops travel both ways: what a provider keeps is taken over once, what we keep goes there, and comes back off."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from massmail_plugin.consent import suppress
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.stops.suppression import release
from massmail_plugin.consent.wishes.withdrawal import take_back, withdraw
from massmail_plugin.contracts import ContactRef
from massmail_plugin.feedback import stop_lists
from massmail_plugin.feedback.stop_lists import Exchanged, ListFault
from massmail_plugin.models import EventFeed, ProviderListEntry, Suppression
from massmail_plugin.providers.stop_lists.ses import Unsigned, signature_4
from massmail_plugin.vocabulary import ConsentWay, SuppressionReason, SuppressionScope
from tests.feedback.provider_events.conftest import Listening, listening
from tests.feedback.stop_lists.stand_ins import ACCOUNTS, KEYS, StandIn, standing_in, stop_list
from tests.public.mailed_host import ANN, BEN, EVE

PROVIDERS = ["sendgrid", "mailgun", "postmark", "brevo", "ses"]
EVERYTHING = SuppressionScope.ALL_BUT_TRANSACTIONAL


@dataclass
class Exchange:
    """A host, a provider, and the feed between them."""

    crm: Listening
    there: StandIn
    feed_id: int

    def run(self) -> Exchanged | None:
        return stop_lists.exchange(self.crm.host, self.feed_id, lists={self.there.provider: stop_list(self.there)})

    def opt_out(self, who: ContactRef) -> None:
        withdraw(self.crm.host, who, list_ids=None, proof=Proof(ConsentWay.PERSON, evidence="at the counter"))
        self.crm.host.session.commit()

    def feed(self) -> EventFeed:
        self.crm.host.session.expire_all()
        return self.crm.host.session.get_one(EventFeed, self.feed_id)


def exchange_with(provider: str, database_url: str) -> Iterator[Exchange]:
    with standing_in(provider) as there:
        for crm in listening(database_url):
            feed = crm.feed(provider)
            feed.exchanges, feed.account = True, ACCOUNTS.get(provider, "")
            feed.api_key = KEYS.get(provider, "key-1")
            crm.host.session.commit()
            yield Exchange(crm, there, feed.id)


@pytest.fixture(params=PROVIDERS)
def between(request: pytest.FixtureRequest, database_url: str) -> Iterator[Exchange]:
    yield from exchange_with(request.param, database_url)


@pytest.fixture
def mailgun(database_url: str) -> Iterator[Exchange]:
    yield from exchange_with("mailgun", database_url)


def test_everything_travels_once_in_both_directions(between: Exchange) -> None:
    there, crm = between.there, between.crm
    there.lists["bounce"] = {"ann@example.org": "550 5.1.1 unknown", **{f"x{n}@example.net": "" for n in range(5)}}
    there.lists["complaint"] = {"ben@example.org": ""}
    between.opt_out(EVE)
    assert between.run() == Exchanged(7, 1, 0)
    assert "eve@example.org" in there.everybody()
    stopped = dict(crm.stopped())
    assert (stopped["ann@example.org"], stopped["ben@example.org"]) == ("hard_bounce", "complaint")
    assert sum(reason == "hard_bounce" for _, reason in crm.stopped()) == 6
    assert sorted(crm.mailed.reports()) == [("1", "bounced", 0), ("2", "complained", 0)]
    before = (there.everybody(), crm.stopped(), crm.kinds())
    assert between.run() == Exchanged(0, 0, 0)
    assert (there.everybody(), crm.stopped(), crm.kinds()) == before


def test_an_opt_out_that_is_taken_back_is_taken_off_there_too(between: Exchange) -> None:
    between.opt_out(ANN)
    between.run()
    assert between.there.everybody() == {"ann@example.org"}
    take_back(between.crm.host, ANN, proof=Proof(ConsentWay.PERSON, evidence="at the counter"))
    between.crm.host.session.commit()
    assert between.run() == Exchanged(0, 0, 1)
    assert between.there.everybody() == set()
    assert between.run() == Exchanged(0, 0, 0)


@pytest.mark.parametrize("provider", ["sendgrid", "mailgun", "postmark", "brevo"])
def test_their_unsubscription_is_the_contacts_opt_out(provider: str, database_url: str) -> None:
    for between in exchange_with(provider, database_url):
        crm = between.crm
        between.there.lists["opt_out"] = {"Ann@Example.org": "", "stranger@example.net": ""}
        assert between.run() == Exchanged(2, 0, 0)
        assert crm.stopped() == [("1", "opt_out"), ("stranger@example.net", "opt_out")]
        assert [(fact.contact, fact.subscribed) for fact in crm.mailed.wishes] == [(ANN, False)]
        assert crm.mailed.lists_of(ANN) == []
        take_back(crm.host, ANN, proof=Proof(ConsentWay.PERSON, evidence="at the counter"))
        crm.host.session.commit()
        assert between.run() == Exchanged(0, 0, 1)
        assert (crm.stopped(), "ann@example.org" in between.there.everybody()) == (
            [("stranger@example.net", "opt_out")],
            False,
        )


def test_a_stop_that_a_person_released_is_taken_off_there(mailgun: Exchange) -> None:
    mailgun.there.lists["bounce"] = {"gone@example.net": ""}
    mailgun.run()
    (stop,) = mailgun.crm.host.session.scalars(select(Suppression))
    release(mailgun.crm.host, stop, by="Ada", note="it works again")
    mailgun.crm.host.session.commit()
    assert mailgun.run() == Exchanged(0, 0, 1)
    assert mailgun.there.everybody() == set()


def test_stops_of_one_list_and_what_came_from_providers_stay_here(mailgun: Exchange) -> None:
    host = mailgun.crm.host
    one_list = mailgun.crm.mailed.list_id("news")
    suppress(
        host, address="a@example.org", scope=SuppressionScope.LIST, list_id=one_list, reason=SuppressionReason.OPT_OUT
    )
    suppress(host, address="b@example.org", scope=EVERYTHING, reason=SuppressionReason.BY_PROVIDER)
    suppress(host, address="no address", scope=EVERYTHING, reason=SuppressionReason.BY_PERSON)
    suppress(host, address="c@example.org", scope=EVERYTHING, reason=SuppressionReason.BY_PERSON)
    host.session.commit()
    assert mailgun.run() == Exchanged(0, 1, 0)
    assert mailgun.there.everybody() == {"c@example.org"}


def test_many_are_told_in_parts(database_url: str) -> None:
    for between in exchange_with("postmark", database_url):
        host = between.crm.host
        for number in range(120):
            suppress(host, address=f"n{number}@example.org", scope=EVERYTHING, reason=SuppressionReason.HARD_BOUNCE)
        host.session.commit()
        assert between.run() == Exchanged(0, 120, 0)
        assert len(between.there.everybody()) == 120
        assert sum(asked[0] == "POST" for asked in between.there.asked) == 3


def test_what_is_no_address_is_left_there(mailgun: Exchange) -> None:
    mailgun.there.lists["bounce"] = {"": "", "no address": "", "a@b, c@d": "", "<script>@example.org": ""}
    assert mailgun.run() == Exchanged(0, 0, 0)
    assert mailgun.crm.stopped() == []


@pytest.mark.parametrize(("status", "words"), [(401, "does not accept the API key"), (500, "answered 500")])
def test_a_fault_is_remembered_and_the_next_exchange_goes_on(between: Exchange, status: int, words: str) -> None:
    between.opt_out(ANN)
    between.there.failing = status
    with pytest.raises(ListFault, match=words):
        between.run()
    assert words in between.feed().exchange_fault
    assert "key-1" not in between.feed().exchange_fault
    between.there.failing = 0
    assert between.run() == Exchanged(0, 1, 0)
    assert between.feed().exchange_fault == ""


def test_a_provider_that_cannot_be_reached(mailgun: Exchange) -> None:
    mailgun.there.url = "http://127.0.0.1:9"
    with pytest.raises(ListFault, match="cannot be reached"):
        mailgun.run()


def test_a_page_that_names_another_host_is_asked_for_at_the_same_one(mailgun: Exchange) -> None:
    """The stand-in names https://elsewhere.example as the place of every next page."""
    mailgun.there.lists["bounce"] = {f"x{n}@example.net": "" for n in range(9)}
    assert mailgun.run() == Exchanged(9, 0, 0)


def test_feeds_take_their_turn_every_hour(mailgun: Exchange) -> None:
    host = mailgun.crm.host
    assert stop_lists.due(host) == [mailgun.feed_id]
    mailgun.run()
    assert stop_lists.due(host) == []
    past = host.clock() - timedelta(hours=2)
    host.session.execute(update(EventFeed).values(exchanged_at=past))
    assert stop_lists.due(host) == [mailgun.feed_id]
    host.session.execute(update(EventFeed).values(active=False))
    assert stop_lists.due(host) == []


def test_what_is_listed_is_known_afterwards(mailgun: Exchange) -> None:
    mailgun.there.lists["opt_out"] = {"ben@example.org": ""}
    mailgun.opt_out(ANN)
    mailgun.run()
    rows = mailgun.crm.host.session.scalars(select(ProviderListEntry).order_by(ProviderListEntry.address)).all()
    assert [(row.address, row.ours, row.contact_key) for row in rows] == [
        ("ann@example.org", True, ANN.key),
        ("ben@example.org", False, BEN.key),
    ]


def test_the_signature_of_amazon() -> None:
    """The test vector "get-vanilla" of AWS Signature Version 4."""
    at = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
    request = Unsigned("GET", "example.amazonaws.com", "/", {}, b"", at)
    made = signature_4(request, "us-east-1", "service", "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    assert made["Authorization"].endswith("5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")
