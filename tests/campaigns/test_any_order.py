"""Whatever happens in whatever order: nobody gets a mail twice, out of turn, or after leaving."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from massmail_plugin import campaigns
from massmail_plugin.models import Campaign, Enrolment, OutboxMessage
from tests.campaigns.conftest import World
from tests.databases import sqlite_with_tables
from tests.upkeep.small_host import small_host

DAYS = (0, 2, 5)
ACTS = st.one_of(
    st.tuples(st.just("tick"), st.sampled_from([0, 1, 12, 24, 30, 24 * 6])),
    st.tuples(st.just("join"), st.integers(1, 2)),
    st.tuples(st.just("leave"), st.integers(0, 5)),
    st.tuples(st.just("rest"), st.just(0)),
)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=st.lists(ACTS, max_size=14))
def test_each_mail_once_in_turn_and_none_after_leaving(acts: list[tuple[str, int]]) -> None:
    with (
        tempfile.TemporaryDirectory() as name,
        small_host(sqlite_with_tables(Path(name) / "any.sqlite3"), Path(name)) as mounted,
    ):
        world = World(mounted[1], mounted[2])
        world.campaign(DAYS)
        gone = live(world, acts)
        for _ in range(6):
            world.tick(days=2)
        check(world, gone)


def live(world: World, acts: list[tuple[str, int]]) -> dict[str, int]:
    """Do it all; for those who left, the number of their mails when they did."""
    campaign = the_campaign(world)
    keys: list[str] = []
    gone: dict[str, int] = {}
    for act, number in acts:
        if act == "tick":
            world.tick(hours=number)
        elif act == "join":
            keys += [world.new_member() for _ in range(number)]
        elif act == "leave" and number < len(keys) and keys[number] not in gone:
            world.opt_out(keys[number])
            gone[keys[number]] = len(world.mails(keys[number]))
        elif act == "rest":
            campaigns.pause(world.host, campaign, by="ada")
            world.tick(hours=40)
            campaigns.activate(world.host, campaign, by="ada")
            world.host.session.commit()
    return gone


def the_campaign(world: World) -> Campaign:
    return world.host.session.scalars(select(Campaign)).one()


def check(world: World, gone: dict[str, int]) -> None:
    due: dict[str, list[object]] = {}
    for row in world.host.session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)):
        due.setdefault(row.contact_key, []).append(row.due_at)
    for enrolled in world.host.session.scalars(select(Enrolment)):
        days = [int(name.rpartition(" ")[2]) for name in world.mails(enrolled.contact_key)]
        assert days == list(DAYS[: len(days)])
        assert due.get(enrolled.contact_key, []) == sorted(set(due.get(enrolled.contact_key, [])))
        if enrolled.contact_key in gone:
            assert len(days) == gone[enrolled.contact_key]
        else:
            assert (enrolled.state, days) == ("finished", list(DAYS))
