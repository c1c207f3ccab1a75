"""The one way an event is kept: its row, its hour's tally, and what it means for the host, in one transaction.

Sending, feedback and opt-out enter with any number of events at once. Flushes only; their doors commit.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlalchemy import BigInteger, func, select

from massmail_plugin.consent.notices import after_commit
from massmail_plugin.contracts import Host
from massmail_plugin.models import Mailing, OutboxMessage
from massmail_plugin.outcomes.event_rows import NewEvent, insert_events, sameness
from massmail_plugin.outcomes.interests import interests
from massmail_plugin.outcomes.record import Report, record_each
from massmail_plugin.outcomes.tallies import Tallying, earlier_firsts
from massmail_plugin.portable_sql import dialect, one_of, records
from massmail_plugin.vocabulary import EventKind, MailingKind, Outcome

MEANING: Mapping[EventKind, tuple[Outcome, ...]] = {
    EventKind.OPEN: (Outcome.READ,),
    EventKind.CLICK: (Outcome.READ, Outcome.CLICKED),
    EventKind.REPLY: (Outcome.READ,),
}
"""What a person's event says by itself. A bounce, a complaint and an opt-out mean more, and come with their act."""


def keep_events(host: Host, events: Sequence[NewEvent]) -> list[bool]:
    """Keep events, tally them, and report what people's mean for the host; for each, whether it was news.

    No news are repeats of a (provider, provider_event_id), events of test mailings, and of messages not kept here.
    A few statements whatever the number. Until the caller commits, others who keep events of the same mailings and
    kinds wait; callers with one call for each transaction cannot deadlock with each other.
    """
    mailings = _mailings(host, {event.message_id for event in events})
    one_at_a_time(host, {(mailings[one.message_id], one.kind) for one in events if one.message_id in mailings})
    return keep_known(host, events, mailings)


def keep_known(
    host: Host,
    events: Sequence[NewEvent],
    mailings: Mapping[int, int],
    *,
    meanwhile: Callable[[], object] = lambda: None,
) -> list[bool]:
    """`keep_events` for a caller who knows the mailings of all messages that are there and of no test.

    The caller holds `one_at_a_time` of what is kept. `meanwhile` begins what may be done while the database writes.
    """
    wanted = _wanted(events, mailings)
    if not wanted:
        return [False] * len(events)
    tallying = Tallying(mailings, earlier_firsts(host, wanted.values()))
    news = insert_events(host, wanted, mailings, each=tallying.add)
    tallying.write(host)
    meanwhile()
    report_meaning(host, news.values())
    return [position in news for position in range(len(events))]


def _mailings(host: Host, message_ids: Iterable[int]) -> dict[int, int]:
    """Message -> mailing, of those that are known and of no test."""
    if not (ids := sorted(message_ids)):
        return {}
    query = select(OutboxMessage.id, OutboxMessage.mailing_id).join(Mailing, Mailing.id == OutboxMessage.mailing_id)
    kept = query.where(one_of(OutboxMessage.id, ids), Mailing.kind != MailingKind.TEST.value)
    return {row.id: row.mailing_id for row in host.session.execute(kept)}


def _wanted(events: Sequence[NewEvent], mailings: Mapping[int, int]) -> dict[int, NewEvent]:
    """Position -> event, of those that may be news; the first one where a repeat is among them."""
    seen: set[object] = set()
    wanted = {}
    for position, event in enumerate(events):
        same = sameness(event) if event.provider_event_id else position
        if event.message_id in mailings and same not in seen:
            seen.add(same)
            wanted[position] = event
    return wanted


_NAMESPACE = 0x6D6D << 48
"""Keeps our advisory locks apart from the host's own."""
_HITS = (EventKind.OPEN, EventKind.CLICK, EventKind.REPLY)
"""They report the same outcomes, so they wait for each other."""
_FAMILY = {kind: number for number, kind in enumerate(EventKind, 2)} | dict.fromkeys(_HITS, 1)


def one_at_a_time(host: Host, kinds: Iterable[tuple[int, EventKind]]) -> None:
    """Until the caller commits, nobody else keeps or changes events of these mailings and kinds.

    Which event of a mail is the first can only be told one after another. SQLite has one writer anyway.
    """
    keys = sorted({_NAMESPACE | mailing_id << 8 | _FAMILY[kind] for mailing_id, kind in kinds})
    if keys and dialect(host).name == "postgresql":
        host.session.execute(_LOCK, {"keys": json.dumps([{"key": key} for key in keys])})


_LOCK = select(func.count(func.pg_advisory_xact_lock(records("postgresql", "keys", {"key": BigInteger()}).c.key)))


def report_meaning(host: Host, events: Iterable[NewEvent]) -> int:
    """Report what events of people mean by themselves, each outcome of a mail once; the number that was news."""
    events = list(events)
    reports = [
        Report(event.message_id, outcome, event.at, event.link_id if outcome is Outcome.CLICKED else None)
        for event in events
        if not event.machine_reason
        for outcome in MEANING.get(event.kind, ())
    ]
    news = record_each(host, [*reports, *interests(host, events)])
    if news:
        wake_after_commit(host)
    return news


def wake_after_commit(host: Host) -> None:
    """Reports were written: the workers deliver them once they are committed."""
    after_commit(host, lambda: host.wake("outcomes"))
