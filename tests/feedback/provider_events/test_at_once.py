"""Providers post the same again before the first answer is there, and from several machines."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from massmail_plugin.models import EventTally
from massmail_plugin.public.webhooks import AT_ONCE
from tests.feedback.provider_events.conftest import Listening, listening
from tests.providers.events.samples import SENDGRID, TOKEN
from tests.public.mailed_host import ANN, BEN, EVE


@pytest.fixture
def crm(postgres_url_with_tables: str) -> Iterator[Listening]:
    yield from listening(postgres_url_with_tables)


def test_many_at_once_are_one(crm: Listening) -> None:
    """Each in another order, about mails of ours and of others; nobody is kept waiting for ever."""
    events = [
        {
            **sample.payload[0],
            "email": crm.mailed.message(who).address,
            "massmail_id": crm.token(who),
            "sg_event_id": f"{n}{who.key}",
        }
        for who in (ANN, BEN, EVE)
        for n, sample in enumerate(SENDGRID)
    ]
    events += [{**one, "massmail_id": TOKEN, "sg_event_id": f"strange {one['sg_event_id']}"} for one in events]
    feed = crm.feed("sendgrid")
    bodies = [crm.request(feed, random.Random(turn).sample(events, len(events))) for turn in range(AT_ONCE)]
    path = f"/m/events/{feed.path}"
    crm.host.session.remove()

    def post(turn: int) -> int:
        client = crm.mailed.app.test_client()
        return client.post(path, data=bodies[turn].body, headers=dict(bodies[turn].headers)).status_code

    with ThreadPoolExecutor(AT_ONCE) as threads:
        assert list(threads.map(post, range(AT_ONCE))) == [200] * AT_ONCE
    kept = crm.events()
    assert len(kept) == len({event.provider_event_id for event in kept})
    hits = select(func.sum(EventTally.hits + EventTally.machine_hits)).where(
        EventTally.link_id == 0, EventTally.kind.in_(["open", "click", "bounce", "complaint", "delivered", "delay"])
    )
    counted = [event for event in kept if event.kind != "opt_out"]
    assert crm.host.session.scalar(hits) == len(counted)
    strange = {one["sg_event_id"] for one in events if one["massmail_id"] == TOKEN and one["event"] != "processed"}
    assert len([state for state, _, _ in crm.received() if state == "unmatched"]) == len(strange)
