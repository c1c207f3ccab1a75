"""Judging hits of the past anew: rows, tallies and reports end as if the rules had been so from the beginning."""

import json
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from massmail_plugin import cli, feedback
from massmail_plugin.contracts import Host
from massmail_plugin.feedback.machines import Hit, judge
from massmail_plugin.mailings.statistics import proof
from massmail_plugin.models import Event, Mailing, OutcomeReport
from massmail_plugin.outcomes import NewEvent, keep_events
from massmail_plugin.upkeep import schema
from massmail_plugin.vocabulary import EventKind, MailingKind, ReportState
from tests.feedback.machines.visits import CHROME, FIREFOX, GMAIL
from tests.feedback.tracking.went_out import went_out
from tests.upkeep.small_host import small_host

MAILS = 12
LINKS = 5


@pytest.fixture
def host(database_url: str, tmp_path: Path) -> Iterator[Host]:
    """On each database."""
    with small_host(database_url, tmp_path) as (_, mounted, _, _):
        schema.upgrade(mounted)
        yield mounted


def sent(host: Host, kind: MailingKind = MailingKind.ONE_OFF) -> tuple[Mailing, list[int], list[int]]:
    """A mailing that left an hour ago: its messages and the ids of its links."""
    out = went_out(host, mails=MAILS, links=LINKS, kind=kind)
    return host.session.get_one(Mailing, out.mailing_id), out.mails, list(out.links.values())


def hit(message_id: int, at: datetime, link: int | None = None, agent: str = FIREFOX, request: str = "") -> NewEvent:
    kind = EventKind.OPEN if link is None and not request else EventKind.CLICK
    return NewEvent(message_id=message_id, kind=kind, at=at, link_id=link, user_agent=agent, request=request)


def random_hits(chance: random.Random, start: datetime, messages: list[int], links: list[int]) -> list[NewEvent]:
    """People and programs, crossing hours."""
    return [
        hit(
            chance.choice(messages),
            start + timedelta(seconds=chance.choice([0, 3600]) + chance.randrange(400) / 4),
            chance.choice([None, *links]),
            chance.choice([FIREFOX, CHROME, CHROME, GMAIL, "curl/8.5.0"]),
            chance.choice(["", "", "", "", "HEAD", "prefetch", "hidden-link"]),
        )
        for _ in range(120)
    ]


def kept(host: Host, mailing: Mailing) -> list[Event]:
    query = select(Event).where(Event.mailing_id == mailing.id).order_by(Event.id)
    return list(host.session.scalars(query.execution_options(populate_existing=True)))


def reports(host: Host) -> set[tuple[int, str, datetime, int | None]]:
    rows = host.session.scalars(select(OutcomeReport).execution_options(populate_existing=True))
    return {(row.message_id, row.outcome, row.at, row.link_id) for row in rows}


def judged(events: list[Event], sent_at: datetime) -> list[str]:
    """What the rules say of each, mail by mail."""
    mails: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        mails[event.message_id].append(event)
    verdicts: dict[int, str] = {}
    for some in mails.values():
        hits = [
            Hit(kind=EventKind(e.kind), at=e.at, link=e.link_id, user_agent=e.user_agent, request=e.request)
            for e in some
        ]
        verdicts |= zip((e.id for e in some), judge(hits, sent_at), strict=True)
    return [verdicts[event.id] for event in events]


@pytest.mark.parametrize("seed", range(6))
def test_everything_ends_as_if_it_had_been_judged_so_at_once(host: Host, seed: int) -> None:
    chance = random.Random(seed)
    mailing, messages, links = sent(host)
    sent_at = host.clock() - timedelta(hours=1)
    events = random_hits(chance, sent_at, messages, links)
    for some in (events[:50], events[50:]):
        wrong = [(one, chance.choice(["", "", "robot"])) for one in some]
        keep_events(host, [NewEvent(**_fields(one, machine_reason=reason)) for one, reason in wrong])
        host.session.commit()
    before = kept(host, mailing)
    expected = judged(before, sent_at)
    was = [event.machine_reason for event in before]

    dry = feedback.reclassify(host, mailing.id, dry_run=True)
    assert [event.machine_reason for event in kept(host, mailing)] == was, "a dry run changes nothing"
    assert not proof.differences(host, mailing.id)
    found = feedback.reclassify(host, mailing.id)
    host.session.rollback()

    assert dry == found
    pairs = list(zip(was, expected, strict=True))
    assert found.to_people == sum(bool(old) and not new for old, new in pairs)
    assert found.to_machines == sum(bool(new) and not old for old, new in pairs)
    assert found.renamed == sum(old != new and bool(old) == bool(new) for old, new in pairs)
    assert [event.machine_reason for event in kept(host, mailing)] == expected
    assert [event.by_machine for event in kept(host, mailing)] == [bool(reason) for reason in expected]
    assert not proof.differences(host, mailing.id)
    assert reports(host) == _reports_at_once(host, kept(host, mailing))
    assert feedback.reclassify(host, mailing.id) == feedback.Correction()


def _fields(event: NewEvent, **changed: object) -> dict[str, object]:
    names = ("message_id", "kind", "at", "link_id", "user_agent", "request")
    return {**{name: getattr(event, name) for name in names}, **changed}


def _reports_at_once(host: Host, events: list[Event]) -> set[tuple[int, str, datetime, int | None]]:
    """Reports of the same hits in a mailing of its own, kept with the right verdicts in the first place."""
    first: dict[tuple[int, str], tuple[datetime, int | None]] = {}
    for event in sorted(events, key=lambda event: (event.at, event.kind)):
        if not event.by_machine:
            first.setdefault((event.message_id, "read"), (event.at, None))
            if event.kind == EventKind.CLICK.value:
                first.setdefault((event.message_id, "clicked"), (event.at, event.link_id))
    return {(message_id, outcome, *what) for (message_id, outcome), what in first.items()}


def test_a_scan_that_counted_is_taken_back_where_the_host_has_not_heard(host: Host) -> None:
    mailing, messages, links = sent(host)
    at = host.clock()
    scan = [hit(one, at + timedelta(seconds=n), link, CHROME) for one in messages[:2] for n, link in enumerate(links)]
    late = hit(messages[1], at + timedelta(minutes=10), links[3])
    keep_events(host, [*scan, late])
    told = OutcomeReport.message_id == messages[0], OutcomeReport.outcome == "read"
    host.session.execute(update(OutcomeReport).where(*told).values(state=ReportState.DELIVERED.value))
    host.session.commit()
    assert len(reports(host)) == 4

    found = feedback.reclassify(host, mailing.id)
    assert (found.to_machines, found.withdrawn, found.told) == (2 * LINKS, 1, 1)
    assert reports(host) == {
        (messages[0], "read", at, None),
        (messages[1], "read", late.at, None),
        (messages[1], "clicked", late.at, links[3]),
    }


def test_who_becomes_a_person_is_reported(host: Host) -> None:
    mailing, messages, links = sent(host)
    keep_events(host, [NewEvent(**_fields(hit(messages[0], host.clock(), links[0]), machine_reason="scanner"))])
    host.session.commit()
    assert reports(host) == set()
    found = feedback.reclassify(host, mailing.id)
    assert (found.to_people, found.reported) == (1, 2)
    assert {outcome for _, outcome, _, _ in reports(host)} == {"read", "clicked"}


def test_what_a_provider_reported_is_left_alone(host: Host) -> None:
    mailing, messages, _ = sent(host)
    keep_events(host, [
        NewEvent(message_id=messages[0], kind=EventKind.OPEN, at=host.clock(), provider="post", provider_event_id="1")
    ])  # fmt: skip
    host.session.commit()
    assert feedback.reclassify(host, mailing.id) == feedback.Correction()


def test_many_mails_are_judged_some_at_a_time(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("massmail_plugin.feedback.reclassifying.AT_ONCE", 5)
    mailing, messages, _ = sent(host)
    keep_events(host, [hit(one, host.clock(), agent="curl/8.5.0") for one in messages])
    host.session.commit()
    assert feedback.reclassify(host, mailing.id).to_machines == MAILS


def test_the_command_says_what_changed(database_url: str, tmp_path: Path) -> None:
    with small_host(database_url, tmp_path) as (app, host, _, _):
        schema.upgrade(host)
        cli.register(app)
        mailing, messages, _ = sent(host)
        sent(host, MailingKind.TEST)
        keep_events(host, [hit(messages[0], host.clock(), agent="curl/8.5.0")])
        host.session.commit()
        run = app.test_cli_runner().invoke
        dry = run(args=["massmail", "reclassify", "--dry-run"])
        assert "Nothing is changed" in dry.output
        assert "1 opens and clicks that counted as people's are machines'" in dry.output
        done = run(args=["massmail", "reclassify", "--mailing", str(mailing.id), "--json"])
        assert json.loads(done.output) == {
            "mailings": 1, "dry_run": False, "to_people": 0, "to_machines": 1, "renamed": 0, "reported": 0,
            "withdrawn": 1, "told": 0,
        }  # fmt: skip
        assert "nothing changes" in run(args=["massmail", "reclassify"]).output
        unknown = run(args=["massmail", "reclassify", "--mailing", "99"])
        assert (unknown.exit_code, "no mailing 99" in unknown.output) == (1, True)
