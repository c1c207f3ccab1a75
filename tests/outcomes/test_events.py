"""Keeping events: repeats, what they mean, and tallies that a recount confirms, in whatever order they come."""

import random
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask, current_app
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select

from massmail_plugin.contracts import Host
from massmail_plugin.models import Event, EventTally, OutcomeReport
from massmail_plugin.outcomes import NewEvent, keep_events, tallies
from massmail_plugin.upkeep import schema
from massmail_plugin.vocabulary import EventKind, MailingKind
from tests.feedback.tracking.went_out import WentOut, went_out
from tests.upkeep.small_host import small_host

Tallies = dict[tuple[str, int, datetime], tuple[int, int, int]]


@pytest.fixture
def host(database_url: str, tmp_path: Path) -> Iterator[Host]:
    with small_host(database_url, tmp_path) as (_, mounted, _, _):
        schema.upgrade(mounted)
        yield mounted


def kept_tallies(out: WentOut) -> Tallies:
    columns = EventTally.kind, EventTally.link_id, EventTally.hour, EventTally.hits, EventTally.machine_hits
    query = select(*columns, EventTally.mails).where(EventTally.mailing_id == out.mailing_id)
    found = {tuple(row[:3]): tuple(row[3:]) for row in out.host.session.execute(query)}
    return {key: numbers for key, numbers in found.items() if any(numbers)}  # type: ignore[return-value, misc]


def counted(out: WentOut) -> Tallies:
    """From the rows alone, in Python."""
    rows = out.host.session.execute(
        select(Event.message_id, Event.kind, Event.link_id, Event.at, Event.by_machine)
        .where(Event.mailing_id == out.mailing_id)
        .order_by(Event.at)
    ).all()
    numbers: dict[tuple[str, int, datetime], list[int]] = {}
    seen: set[tuple[int, str, int]] = set()

    def first(message_id: int, kind: str, link: int, hour: datetime) -> None:
        if (message_id, kind, link) not in seen:
            seen.add((message_id, kind, link))
            numbers.setdefault((kind, link, hour), [0, 0, 0])[2] += 1

    for message_id, kind, link_id, at, by_machine in rows:
        hour = at.replace(minute=0, second=0, microsecond=0)
        for link in {0, link_id or 0}:
            numbers.setdefault((kind, link, hour), [0, 0, 0])[int(by_machine)] += 1
            if not by_machine:
                first(message_id, kind, link, hour)
        if kind in tallies.READING and not by_machine:
            first(message_id, tallies.READ.value, 0, hour)
    return {key: tuple(found) for key, found in numbers.items()}  # type: ignore[misc]


def some(out: WentOut, chance: random.Random, number: int) -> list[NewEvent]:
    kinds = [EventKind.OPEN, EventKind.CLICK, EventKind.CLICK, EventKind.BOUNCE, EventKind.REPLY, EventKind.DELIVERED]
    start = out.host.clock()
    made = []
    for _ in range(number):
        kind = chance.choice(kinds)
        made.append(
            NewEvent(
                message_id=chance.choice(out.mails),
                kind=kind,
                at=start + timedelta(minutes=chance.randrange(300)),
                link_id=chance.choice(list(out.links.values())) if kind is EventKind.CLICK else None,
                machine_reason=chance.choice(["", "", "robot"]),
            )
        )
    return made


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.lists(st.integers(1, 30), min_size=1, max_size=6))
def test_tallies_are_what_the_rows_say_in_whatever_batches_they_came(host: Host, seed: int, batches: list[int]) -> None:
    """Late ones too, that came before what is there already."""
    out, chance = went_out(host, mails=3, links=2), random.Random(seed)
    for number in batches:
        keep_events(host, some(out, chance, number))
        host.session.commit()
    assert kept_tallies(out) == counted(out)
    tallies.count_again(host, out.mailing_id)
    assert kept_tallies(out) == counted(out), "and the recount in SQL says the same"


def test_a_repeat_is_no_news(host: Host) -> None:
    out, at = went_out(host), host.clock()

    def told(number: int, mail: int = 0, provider: str = "ses") -> NewEvent:
        event_id = f"event-{number}"
        return NewEvent(
            message_id=out.mails[mail], kind=EventKind.OPEN, at=at, provider=provider, provider_event_id=event_id
        )

    assert keep_events(host, [told(1), told(2), told(1)]) == [True, True, False]
    host.session.commit()
    assert keep_events(host, [told(2), told(3), told(3, mail=1), told(2, provider="mailgun")]) == [
        False,
        True,
        False,
        True,
    ]
    host.session.commit()
    assert len(out.events()) == 4
    assert out.wrong_numbers() == []


def test_events_without_an_id_of_a_provider_are_all_news(host: Host) -> None:
    out = went_out(host)
    same = NewEvent(message_id=out.mails[0], kind=EventKind.OPEN, at=host.clock())
    assert keep_events(host, [same, same]) == [True, True]


def test_test_mails_and_unknown_mails_are_no_news(host: Host) -> None:
    test, at = went_out(host, kind=MailingKind.TEST), host.clock()
    events = [NewEvent(message_id=one, kind=EventKind.CLICK, at=at) for one in (test.mails[0], 4711)]
    assert keep_events(host, events) == [False, False]
    assert keep_events(host, []) == []
    assert host.session.scalar(select(func.count()).select_from(Event)) == 0


@pytest.mark.parametrize(
    ("kind", "outcomes"),
    [
        (EventKind.OPEN, ["read"]),
        (EventKind.CLICK, ["read", "clicked"]),
        (EventKind.REPLY, ["read"]),
        (EventKind.AUTOREPLY, []),
        (EventKind.DELAY, []),
        (EventKind.DELIVERED, []),
        (EventKind.BOUNCE, []),
    ],
)
def test_what_an_event_of_a_person_means(host: Host, kind: EventKind, outcomes: list[str]) -> None:
    out, at = went_out(host), host.clock()
    for reason in ("robot", "", ""):
        keep_events(host, [NewEvent(message_id=out.mails[0], kind=kind, at=at, machine_reason=reason)])
        host.session.commit()
        assert out.reports() == ([] if reason else [(out.mails[0], outcome) for outcome in outcomes])
    assert host.wake.__self__.calls == ["outcomes"] * bool(outcomes)  # type: ignore[attr-defined]


def test_the_earliest_of_many_is_what_is_reported(host: Host) -> None:
    out, at = went_out(host), host.clock()
    links = list(out.links.values())
    clicks = [
        NewEvent(message_id=out.mails[0], kind=EventKind.CLICK, at=at + timedelta(seconds=n), link_id=links[n])
        for n in (3, 1, 2)
    ]
    keep_events(host, clicks)
    host.session.commit()
    report = host.session.scalars(select(OutcomeReport).where(OutcomeReport.outcome == "clicked")).one()
    assert (report.at, report.link_id) == (at + timedelta(seconds=1), links[1])


def test_texts_are_cut_and_made_fit_for_the_database(host: Host) -> None:
    out = went_out(host)
    strange = "\x00\ud800é<" * 5000
    keep_events(
        host,
        [
            NewEvent(
                message_id=out.mails[0],
                kind=EventKind.BOUNCE,
                at=host.clock(),
                user_agent=strange,
                request=strange,
                meaning=strange,
                machine_reason=strange,
                detail=strange,
                provider=strange,
                provider_event_id=strange,
            )
        ],
    )
    host.session.commit()
    kept = host.session.scalars(select(Event)).one()
    lengths = [len(text or "") for text in (kept.user_agent, kept.request, kept.meaning, kept.machine_reason)]
    assert lengths == [300, 200, 20, 100]
    assert [len(text or "") for text in (kept.provider, kept.provider_event_id, kept.detail)] == [40, 200, 10_000]
    assert kept.detail.startswith("?é<?é<")


def test_few_statements_whatever_the_number(host: Host) -> None:
    out, chance, said = went_out(host, mails=50), random.Random(7), []
    event.listen(host.db.engine, "before_cursor_execute", lambda *args: said.append(args[2]))
    numbers = []
    for number in (10, 1000):
        host.session.commit()
        said.clear()
        keep_events(host, some(out, chance, number))
        numbers.append(len(said))
    assert numbers[0] == numbers[1] <= 8


def test_several_at_once_agree_on_who_was_first(host: Host) -> None:
    """Each thread brings the same people's first events, in another order and other hours."""
    out = went_out(host, mails=20, links=3)
    application, start = current_app._get_current_object(), host.clock()  # type: ignore[attr-defined]
    meet = threading.Barrier(4)
    problems: list[BaseException] = []

    def bring(app: Flask, number: int) -> None:
        chance = random.Random(number)
        mails = chance.sample(out.mails, len(out.mails))
        try:
            with app.app_context():
                meet.wait(20)
                for place in range(0, 20, 5):
                    at = start + timedelta(minutes=chance.randrange(200))
                    link_id = chance.choice(list(out.links.values()))
                    events = [
                        NewEvent(message_id=mail, kind=EventKind.CLICK, at=at, link_id=link_id)
                        for mail in mails[place : place + 5]
                    ]
                    keep_events(host, events)
                    host.session.commit()
                host.session.remove()
        except BaseException as problem:
            problems.append(problem)

    host.session.remove()
    threads = [threading.Thread(target=bring, args=(application, number)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert kept_tallies(out) == counted(out)
    assert len(out.reports()) == 40
