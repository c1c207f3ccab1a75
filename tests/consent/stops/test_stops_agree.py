"""Filling and handing over agree on who is stopped, and both with what the words say, in worlds made at random."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, literal, select

from massmail_plugin.consent.stops.address_hashes import address_hash
from massmail_plugin.consent.stops.frequency import too_soon
from massmail_plugin.consent.stops.hand_off import Asked, Purpose, stopped
from massmail_plugin.consent.stops.suppression import stop_clause
from massmail_plugin.contracts import Host
from massmail_plugin.models import (
    Chunk,
    Criterion,
    Frequency,
    List,
    Mailing,
    OutboxMessage,
    Subscription,
    SubscriptionEvent,
    Suppression,
    Topic,
)
from massmail_plugin.vocabulary import (
    WAITING,
    ConsentWay,
    MailingKind,
    MessageState,
    SkipReason,
    SubscriptionState,
    SuppressionReason,
    SuppressionScope,
)
from tests.consent.small_host import NOON, Person

LISTS, TOPICS, PEOPLE = (1, 2, 3), (1, 2), ("1", "2", "3")
ADDRESSES = ("a@x.test", "b@x.test")
ON, OFF = SubscriptionState.SUBSCRIBED, SubscriptionState.UNSUBSCRIBED
MAILING = 9
"""The mailing that asks."""


@dataclass(frozen=True)
class Stop:
    address: str | None
    hashed: bool
    key: str | None
    scope: SuppressionScope
    place: int
    reason: SuppressionReason
    until: datetime | None


@dataclass(frozen=True)
class Got:
    """A mail that a contact has from another mailing, or this one."""

    key: str
    mailing: int
    state: MessageState
    at: datetime
    in_hand: bool
    """Whether a worker has it."""


@dataclass(frozen=True)
class World:
    topic_of: tuple[int | None, ...]
    filled: tuple[bool, ...]
    """Which lists are kept by a criterion."""
    stops: list[Stop]
    standing: dict[tuple[int, str], tuple[SubscriptionState, ConsentWay]]
    fewer: dict[str, int]
    got: list[Got]
    to_lists: tuple[int, ...]
    topic: int | None
    rows: list[Asked] = field(default_factory=list)

    @property
    def purpose(self) -> Purpose:
        filled = any(self.filled[list_id - 1] for list_id in self.to_lists)
        return Purpose(MAILING, self.to_lists, self.topic, by_criterion=filled)


def moments() -> st.SearchStrategy[datetime]:
    """Around the moment that is asked at, and around a week and a month before it."""
    near = st.sampled_from([timedelta(microseconds=-1), timedelta(0), timedelta(microseconds=1)])
    return st.builds(
        lambda days, jitter: NOON - timedelta(days=days) + jitter, st.sampled_from([0, 1, 7, 30, 31, -5]), near
    )


@st.composite
def stops(draw: st.DrawFn) -> Stop:
    address = draw(st.none() | st.sampled_from(ADDRESSES))
    return Stop(
        address,
        address is not None and draw(st.booleans()),
        None if address else draw(st.sampled_from(PEOPLE)),
        draw(st.sampled_from(SuppressionScope)),
        draw(st.sampled_from(TOPICS)),
        draw(st.sampled_from(SuppressionReason)),
        draw(st.none() | moments()),
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    spelled = st.sampled_from([*ADDRESSES, "A@X.Test", "none@y.test"])
    asked = st.tuples(st.sampled_from(PEOPLE), spelled, st.sampled_from(LISTS))
    kinds = st.sampled_from([1, 2, 3, MAILING])
    states = st.sampled_from(
        [MessageState.SENT, MessageState.UNCERTAIN, MessageState.SKIPPED, MessageState.PLANNED, MessageState.DEFERRED]
    )
    mails = st.builds(Got, st.sampled_from(PEOPLE), kinds, states, moments(), st.booleans())
    stands = st.tuples(st.sampled_from([ON, OFF]), st.sampled_from([ConsentWay.PAGE, ConsentWay.PERSON]))
    return World(
        topic_of=draw(st.tuples(*[st.none() | st.sampled_from(TOPICS)] * 3)),
        filled=draw(st.tuples(*[st.booleans()] * 3)),
        stops=draw(st.lists(stops(), max_size=6)),
        standing=draw(st.dictionaries(st.tuples(st.sampled_from(LISTS), st.sampled_from(PEOPLE)), stands)),
        fewer=draw(st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from([1, 7, 30]))),
        got=draw(st.lists(mails, max_size=5)),
        to_lists=tuple(draw(st.sets(st.sampled_from(LISTS)))),
        topic=draw(st.none() | st.sampled_from(TOPICS)),
        rows=[Asked(number, *one) for number, one in enumerate(draw(st.lists(asked, min_size=1, max_size=4)), 1)],
    )


# --- What the words say ---------------------------------------------------------------------------------------


def reaching(world: World, row: Asked, *, hashed: bool) -> set[SuppressionReason]:
    """The reasons for which a message is stopped; `hashed` says whether stops of hashes count."""
    topics = {world.topic_of[list_id - 1] for list_id in world.to_lists} | {world.topic}
    found = set()
    for stop in world.stops:
        named = stop.key == row.key or (stop.address == row.address.lower() and (hashed or not stop.hashed))
        holds = stop.until is None or stop.until > NOON
        within = (
            stop.scope is SuppressionScope.ALL_BUT_TRANSACTIONAL
            or (stop.scope is SuppressionScope.LIST and stop.place in world.to_lists)
            or (stop.scope is SuppressionScope.TOPIC and stop.place in topics)
        )
        if named and holds and within:
            found.add(stop.reason)
    return found


def is_on(world: World, row: Asked) -> bool:
    """Still on a list of the mailing: by a row of their own, or where a criterion found them and they did not leave."""
    if any(world.standing.get((list_id, row.key), (OFF,))[0] is ON for list_id in world.to_lists):
        return True
    found_on = row.list_id or 0
    return found_on in world.to_lists and world.filled[found_on - 1] and (found_on, row.key) not in world.standing


def got_one_lately(world: World, key: str) -> bool:
    """Mailing 2 was a test and 3 a mail that was asked for."""
    days = world.fewer.get(key)
    since = NOON - timedelta(days=days or 0)
    return days is not None and any(
        got.key == key
        and got.mailing == 1
        and (got.in_hand if got.state in WAITING else got.state is not MessageState.SKIPPED and got.at > since)
        for got in world.got
    )


def expected(world: World, row: Asked) -> SkipReason | None:
    reasons = reaching(world, row, hashed=True)
    if reasons & {SuppressionReason.OPT_OUT, SuppressionReason.PAUSE}:
        return SkipReason.OPTED_OUT
    if reasons:
        return SkipReason.SUPPRESSED
    if world.to_lists and not is_on(world, row):
        said_so = (OFF, ConsentWay.PAGE)
        left = any(world.standing.get((list_id, row.key)) == said_so for list_id in world.to_lists)
        return SkipReason.OPTED_OUT if left else SkipReason.LEFT_LIST
    return SkipReason.WANTS_FEWER if got_one_lately(world, row.key) else None


# --- The world in tables --------------------------------------------------------------------------------------


def build(host: Host, world: World) -> None:
    run, at = host.session.execute, NOON - timedelta(days=400)
    run(insert(Person), [{"id": int(key), "first": "", "last": ""} for key in PEOPLE])
    run(insert(Topic), [{"id": number, "name": str(number)} for number in TOPICS])
    run(
        insert(Criterion),
        [{"id": 1, "name": "c", "contact_source": "person", "rule": {}, "created_at": at, "updated_at": at}],
    )
    lists = zip(LISTS, world.topic_of, world.filled, strict=True)
    names = ("id", "name", "topic_id", "criterion_id", "created_at")
    rows = [(number, str(number), topic, 1 if filled else None, at) for number, topic, filled in lists]
    run(insert(List), [dict(zip(names, row, strict=True)) for row in rows])
    who = {"contact_source": "person", "evidence": ""}
    for (list_id, key), (state, way) in world.standing.items():
        what = {"list_id": list_id, "contact_key": key, "state": state.value, **who}
        run(insert(Subscription).values(since=at, **what))
        run(insert(SubscriptionEvent).values(at=at, way=way.value, **what))
    host.session.add_all(_stop(host, stop) for stop in world.stops)
    fewer = [{"contact_source": "person", "contact_key": k, "days": d, "since": at} for k, d in world.fewer.items()]
    if fewer:
        run(insert(Frequency), fewer)
    kinds = {1: MailingKind.ONE_OFF, 2: MailingKind.TEST, 3: MailingKind.SERVICE, MAILING: MailingKind.ONE_OFF}
    host.session.add_all(
        Mailing(id=number, name="m", kind=kind, contact_source="person", created_at=at)
        for number, kind in kinds.items()
    )
    host.session.flush()
    host.session.add_all(_mail(number, got) for number, got in enumerate(world.got))
    host.session.add_all(
        Chunk(mailing_id=got.mailing, number=number, leased_by="w" if got.in_hand else None)
        for number, got in enumerate(world.got)
    )
    host.session.flush()


def _stop(host: Host, stop: Stop) -> Suppression:
    return Suppression(
        address=None if stop.hashed else stop.address,
        address_hash=address_hash(host.config, stop.address) if stop.hashed and stop.address else None,
        contact_source="person" if stop.key else None,
        contact_key=stop.key,
        scope=stop.scope.value,
        list_id=stop.place if stop.scope is SuppressionScope.LIST else None,
        topic_id=stop.place if stop.scope is SuppressionScope.TOPIC else None,
        reason=stop.reason.value,
        until=stop.until,
        created_at=NOON,
    )


def _mail(number: int, got: Got) -> OutboxMessage:
    return OutboxMessage(
        mailing_id=got.mailing,
        chunk=number,
        contact_source="person",
        contact_key=got.key,
        address_role="main",
        occurrence=number,
        address="a@x.test",
        state=got.state.value,
        settled_at=None if got.state in WAITING else got.at,
    )


def at_fill(host: Host, world: World, row: Asked) -> SkipReason | None:
    """What filling says of the same message."""
    who: Any = select(literal(row.key).label("key"), literal(row.address.lower()).label("address")).subquery("who")
    topics = [world.topic] if world.topic else []
    stop = stop_clause("person", who.c.key, who.c.address, world.to_lists, at=NOON, topic_ids=topics)
    soon = who.c.key.in_(too_soon(host, "person", at=NOON, mailing_id=MAILING))
    opted_out, suppressed, too_early = host.session.execute(select(stop.opted_out, stop.suppressed, soon)).one()
    if opted_out:
        return SkipReason.OPTED_OUT
    if suppressed:
        return SkipReason.SUPPRESSED
    return SkipReason.WANTS_FEWER if too_early else None


def test_filling_handing_over_and_words_agree(host: Host) -> None:
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(worlds())
    def agree(world: World) -> None:
        try:
            build(host, world)
            said = stopped(host, "person", world.rows, world.purpose)
            assert said == {row.id: why for row in world.rows if (why := expected(world, row))}
            for row in world.rows:
                plain = reaching(world, row, hashed=False)
                out = plain & {SuppressionReason.OPT_OUT, SuppressionReason.PAUSE}
                why = SkipReason.OPTED_OUT if out else SkipReason.SUPPRESSED if plain else None
                fewer = SkipReason.WANTS_FEWER if got_one_lately(world, row.key) else None
                assert at_fill(host, world, row) == (why or fewer)
        finally:
            host.session.rollback()

    agree()
    assert host.session.scalar(select(func.count()).select_from(Suppression)) == 0
