"""Whatever a contact says in whatever order, mail goes exactly where their words leave it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select

from massmail_plugin.consent.contact_keys import key_text
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.stops.hand_off import Asked, Purpose, stopped
from massmail_plugin.consent.subscriptions.subscribing import subscribe
from massmail_plugin.consent.wishes.coming_back import come_back
from massmail_plugin.consent.wishes.opt_outs import Wide, opted_out_of
from massmail_plugin.consent.wishes.pauses import end_pause, pause
from massmail_plugin.consent.wishes.withdrawal import take_back, withdraw
from massmail_plugin.consent.wishes.withdrawing_many import What, take_back_selected, withdraw_selected
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import List, Subscription, Topic
from massmail_plugin.opt_out.said_by_host import from_host
from massmail_plugin.vocabulary import ConsentWay
from tests.consent.small_host import NOON, PERSONS, Person, add_person, clock

LISTS = {1: 1, 2: 1, 3: 2, 4: None}
"""List -> its topic."""
EVERYTHING = 0
PAGE, STAFF = Proof(ConsentWay.PAGE, evidence="page"), Proof(ConsentWay.PERSON, evidence="by hand")


@dataclass
class Words:
    """What was said, as a person would keep it on paper. `closed_by` is the topic, or EVERYTHING, or nothing."""

    on: dict[int, bool] = field(default_factory=dict)
    closed_by: dict[int, int | None] = field(default_factory=dict)
    out_of: set[int] = field(default_factory=set)
    paused: bool = False

    def add(self, list_id: int) -> None:
        if list_id not in self.on and EVERYTHING not in self.out_of:
            self.on[list_id] = True

    def leave(self, list_id: int) -> None:
        self.on[list_id], self.closed_by[list_id] = False, None

    def join(self, list_id: int) -> None:
        self.on[list_id], self.closed_by[list_id] = True, None

    def out(self, place: int) -> None:
        for list_id in self.within(place):
            if self.on.get(list_id):
                self.on[list_id], self.closed_by[list_id] = False, place
        self.out_of.add(place)

    def back(self, place: int) -> None:
        if place in self.out_of:
            for list_id in self.within(place):
                if self.closed_by.get(list_id) == place:
                    self.join(list_id)
        self.out_of.discard(place)

    def wants(self, list_id: int) -> None:
        """Those opt-outs are over, and what they closed stays closed for good."""
        over = self.out_of & {EVERYTHING, LISTS[list_id]}
        self.out_of -= over
        self.closed_by = {number: None if place in over else place for number, place in self.closed_by.items()}
        self.paused = False
        self.join(list_id)

    def within(self, place: int) -> list[int]:
        return [list_id for list_id, topic in LISTS.items() if place in (EVERYTHING, topic)]

    def gets(self, list_id: int) -> bool:
        out = self.out_of & {EVERYTHING, LISTS[list_id]}
        return bool(self.on.get(list_id)) and not out and not self.paused


@dataclass(frozen=True)
class Act:
    """One thing said: on paper, and to us."""

    name: str
    place: int
    paper: Callable[[Words, int], None]
    tell: Callable[[Host, ContactRef, int], object]

    def __repr__(self) -> str:
        return f"{self.name}({self.place})"


def _what(place: int) -> What:
    return What(None, place or None)


def _keys(who: ContactRef) -> "select":
    return select(key_text(PERSONS)).where(Person.id == int(who.key))


def _pause(words: Words, place: int) -> None:
    words.paused = True


def _end_pause(words: Words, place: int) -> None:
    words.paused = False


OF_LISTS = [
    ("add", Words.add, lambda host, who, n: subscribe(host, host.session.get_one(List, n), [who], proof=STAFF)),
    ("leave", Words.leave, lambda host, who, n: withdraw(host, who, list_ids=[n], proof=PAGE)),
    ("join", Words.join, lambda host, who, n: take_back(host, who, list_ids=[n], proof=PAGE)),
    ("wants", Words.wants, lambda host, who, n: come_back(host, who, [n], proof=PAGE)),
    ("host leaves", Words.leave, lambda host, who, n: from_host(host, who, wants_mail=False, list_=n)),
    (
        "many leave",
        Words.leave,
        lambda host, who, n: withdraw_selected(host, PERSONS, _keys(who), What((n,)), proof=PAGE),
    ),
    (
        "many join",
        Words.join,
        lambda host, who, n: take_back_selected(host, PERSONS, _keys(who), What((n,)), proof=PAGE),
    ),
]
OF_PLACES = [
    ("out", Words.out, lambda host, who, n: withdraw(host, who, list_ids=None, topic_id=n or None, proof=PAGE)),
    ("back", Words.back, lambda host, who, n: take_back(host, who, list_ids=None, topic_id=n or None, proof=PAGE)),
    ("host out", Words.out, lambda host, who, n: from_host(host, who, wants_mail=False, topic=n or None)),
    ("host back", Words.back, lambda host, who, n: from_host(host, who, wants_mail=True, topic=n or None)),
    ("many out", Words.out, lambda host, who, n: withdraw_selected(host, PERSONS, _keys(who), _what(n), proof=PAGE)),
    ("many back", Words.back, lambda host, who, n: take_back_selected(host, PERSONS, _keys(who), _what(n), proof=PAGE)),
    ("pause", _pause, lambda host, who, n: pause(host, who, until=host.clock() + timedelta(days=9 + n), proof=PAGE)),
    ("end pause", _end_pause, lambda host, who, n: end_pause(host, who, proof=PAGE)),
]
ACTS = st.one_of(
    st.builds(lambda one, n: Act(one[0], n, *one[1:]), st.sampled_from(OF_LISTS), st.sampled_from(list(LISTS))),
    st.builds(lambda one, n: Act(one[0], n, *one[1:]), st.sampled_from(OF_PLACES), st.sampled_from([0, 1, 2])),
)


def test_any_sequence_of_wishes_ends_right(host: Host) -> None:
    topics = [{"id": number, "name": str(number)} for number in (1, 2)]
    lists = [
        {"id": number, "name": str(number), "topic_id": topic, "created_at": NOON} for number, topic in LISTS.items()
    ]
    host.session.execute(insert(Topic), topics)
    host.session.execute(insert(List), lists)
    host.session.commit()

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(ACTS, max_size=8))
    def ends_right(acts: list[Act]) -> None:
        who, words = add_person(host, "a@x.test"), Words()
        try:
            for act in acts:
                clock(host).tick(seconds=1)
                act.paper(words, act.place)
                act.tell(host, who, act.place)
            rows = [Asked(1, who.key, "a@x.test")]
            gets = {n: not stopped(host, "person", rows, Purpose(list_ids=(n,))) for n in LISTS}
            assert gets == {n: words.gets(n) for n in LISTS}
            assert {n for n in (0, 1, 2) if opted_out_of(host, who, Wide(n or None))} == words.out_of
        finally:
            host.session.rollback()

    ends_right()
    assert host.session.scalar(select(func.count()).select_from(Subscription)) == 0
