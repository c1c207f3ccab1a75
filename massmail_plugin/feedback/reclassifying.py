"""Runs the rules over hits of the past once more, and corrects what they now say otherwise.

The command line enters. Owns its transactions: some mails at a time are judged, corrected and committed.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import product
from typing import Any

from sqlalchemy import and_, select

from massmail_plugin.contracts import Host
from massmail_plugin.feedback.corrections import Correction, correct
from massmail_plugin.feedback.machines import Hit, judge
from massmail_plugin.models import Event, OutboxMessage
from massmail_plugin.outcomes.events import one_at_a_time
from massmail_plugin.portable_sql import one_of
from massmail_plugin.vocabulary import FORGOTTEN, EventKind

AT_ONCE = 1_000
"""Mails in one transaction."""

_HITS = (EventKind.OPEN, EventKind.CLICK)
_OURS = and_(Event.provider.is_(None), Event.request != FORGOTTEN)
"""What a provider reports, it judges itself; of whom nothing is known any more, the verdict stays."""


def reclassify(host: Host, mailing_id: int, *, dry_run: bool = False) -> Correction:
    """Judge every open and click of a mailing anew. With `dry_run` nothing changes, and the numbers are the same."""
    total, last = Correction(), 0
    while mails := _mails_after(host, mailing_id, last):
        one_at_a_time(host, {(mailing_id, kind) for kind in _HITS})
        verdicts = dict(_new_verdicts(host, mails))
        if verdicts:
            total += correct(host, mailing_id, verdicts)
        if dry_run:
            host.session.rollback()
        else:
            host.session.commit()
        last = mails[-1]
    return total


def _mails_after(host: Host, mailing_id: int, last: int) -> Sequence[int]:
    """The next mails with a hit, in the order of the index over events, one stretch of it at a time."""
    event = Event
    found = {
        message_id
        for kind, by_machine in product(_HITS, (False, True))
        for message_id in host.session.scalars(
            select(event.message_id)
            .where(event.mailing_id == mailing_id, event.kind == kind.value, event.by_machine.is_(by_machine))
            .where(event.message_id > last, _OURS)
            .distinct()
            .order_by(event.message_id)
            .limit(AT_ONCE)
        )
    }
    return sorted(found)[:AT_ONCE]


def _new_verdicts(host: Host, mails: Sequence[int]) -> Iterator[tuple[int, str]]:
    """Ids of the events the rules now judge otherwise, each with its reason."""
    sent_at: dict[int, datetime | None] = {}
    kept: dict[int, list[tuple[int, str, Hit]]] = defaultdict(list)
    for event_id, message_id, handed_at, reason, kind, *hit in host.session.execute(_kept_hits(mails)):
        sent_at[message_id] = handed_at
        at, link, user_agent, request = hit
        one = Hit(kind=EventKind(kind), at=at, link=link, user_agent=user_agent, request=request)
        kept[message_id].append((event_id, reason, one))
    for message_id, hits in kept.items():
        reasons = judge([hit for _, _, hit in hits], sent_at[message_id])
        yield from ((event_id, new) for (event_id, old, _), new in zip(hits, reasons, strict=True) if new != old)


def _kept_hits(mails: Sequence[int]) -> Any:
    of_event = Event.kind, Event.at, Event.link_id, Event.user_agent, Event.request
    return (
        select(Event.id, Event.message_id, OutboxMessage.handed_at, Event.machine_reason, *of_event)
        .join(OutboxMessage, OutboxMessage.id == Event.message_id)
        .where(one_of(Event.message_id, mails), Event.kind.in_(_HITS), _OURS)
    )
