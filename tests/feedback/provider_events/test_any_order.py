"""However a provider groups, orders and repeats its events, the same rows are there in the end."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from massmail_plugin.contracts import ProviderEvent
from massmail_plugin.models import (
    Event,
    EventTally,
    OutcomeReport,
    Received,
    Subscription,
    SubscriptionEvent,
    Suppression,
)
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import EventWord
from tests.feedback.provider_events.conftest import Listening, listening
from tests.providers.events.samples import AGENT
from tests.public.mailed_host import ANN, BEN, EVE

WORDS = [
    *((word, None) for word in EventWord if word not in (EventWord.BOUNCE, EventWord.REJECTED, EventWord.FAILED)),
    *((EventWord.BOUNCE, meaning) for meaning in (Meaning.HARD, Meaning.BLOCKED, Meaning.SOFT)),
    (EventWord.REJECTED, Meaning.HARD),
    (EventWord.FAILED, Meaning.MESSAGE),
]


@st.composite
def said(draw: st.DrawFn) -> tuple[Any, ...]:
    """One event: its word, whose mail, how long ago, by whom, and whether the provider numbers it."""
    word, meaning = draw(st.sampled_from(WORDS))
    hours = draw(st.integers(0, 80))
    agent = draw(st.sampled_from(["", AGENT, "curl/8.5.0"]))
    return word, meaning, draw(st.sampled_from([ANN, BEN, EVE])), hours, agent, draw(st.booleans())


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[tuple[Any, ...]], list[list[int]]]:
    """Events, and the places of all of them in requests: in any order, some again."""
    events = draw(st.lists(said(), min_size=1, max_size=10))
    every = list(range(len(events)))
    again = draw(st.lists(st.sampled_from(every), max_size=5))
    order = draw(st.permutations([*every, *again]))
    cuts = sorted(draw(st.lists(st.integers(0, len(order)), max_size=3)))
    return events, [list(order[a:b]) for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)]


@contextmanager
def emptied(crm: Listening) -> Iterator[None]:
    """Takes away afterwards what was kept, and gives everybody the lists back they were on."""
    before = {row.id: row.state for row in crm.host.session.scalars(select(Subscription))}
    try:
        yield
    finally:
        crm.host.session.rollback()
        for table in (Event, EventTally, OutcomeReport, Received, Suppression, SubscriptionEvent):
            crm.host.session.execute(delete(table))
        for row in crm.host.session.scalars(select(Subscription)):
            row.state = before[row.id]
        crm.host.session.commit()


def kept(crm: Listening, requests: Sequence[Sequence[ProviderEvent]]) -> list[Any]:
    with emptied(crm):
        for events in requests:
            crm.take(*events)
        rows = crm.host.session
        events = [(e.message_id, e.kind, e.at, e.by_machine, e.meaning, e.provider_event_id) for e in crm.events()]
        tallies = [(t.kind, t.hour, t.hits, t.machine_hits, t.mails) for t in rows.scalars(select(EventTally))]
        lists = [crm.mailed.lists_of(who) for who in (ANN, BEN, EVE)]
        return [
            sorted(events),
            sorted(tallies),
            sorted(crm.mailed.reports()),
            sorted(crm.stopped()),
            lists,
            sorted(crm.received()),
        ]


@pytest.fixture(scope="module")
def one_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    yield from listening(f"sqlite:///{tmp_path_factory.mktemp('order') / 'host.sqlite'}")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plan=batches())
def test_order_and_company_do_not_matter(
    one_host: Listening, plan: tuple[list[tuple[Any, ...]], list[list[int]]]
) -> None:
    now = one_host.host.clock()
    events = [
        one_host.event(
            word,
            who,
            meaning=meaning,
            at=now - timedelta(hours=hours),
            user_agent=agent,
            event_id=f"e{n}" if named else None,
        )
        for n, (word, meaning, who, hours, agent, named) in enumerate(plan[0])
    ]
    straight = kept(one_host, [events])
    assert kept(one_host, [[events[place] for place in request] for request in plan[1]]) == straight
