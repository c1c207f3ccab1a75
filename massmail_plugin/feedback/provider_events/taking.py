"""Takes in what providers say: events that are ours become events here, the rest is kept to look at. Flushes only.

The HTTP door and imports enter and commit.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from massmail_plugin import outcomes
from massmail_plugin.contracts import Host, ProviderEvent
from massmail_plugin.feedback.provider_events.matching import Matched, match
from massmail_plugin.feedback.provider_events.meaning import KINDS, new_event, sameness, words
from massmail_plugin.feedback.provider_events.tracked import Tracked
from massmail_plugin.feedback.provider_events.wishes import Wish, carry_out
from massmail_plugin.feedback.received_mail.bounds import keep_within_bounds
from massmail_plugin.models import Received
from massmail_plugin.outcomes import CameBack
from massmail_plugin.portable_sql import insert_new
from massmail_plugin.providers.showing import event_shown
from massmail_plugin.vocabulary import EventKind, EventWord, ReceivedState

NO_NEWS = (EventWord.QUEUED, EventWord.SENT)
"""We know ourselves that the mail left; of a mail that is none of ours they say nothing worth keeping."""
_AT_ONCE = 500


class Counted(NamedTuple):
    """What became of the events of one request: those that were news, those known already or of no matter, those that
    belong to none of our mails."""

    news: int
    known: int
    unmatched: int


def take_events(host: Host, origin: str, provider: str, events: Sequence[ProviderEvent]) -> Counted:
    """Keep events and do what they mean. One call for each transaction.

    Repeats change nothing, whatever the order and the company they come in. `origin` is "feed:3", or "file".
    """
    matched = match(host, events)
    came = _came_back(host, provider, matched)
    news = outcomes.take_in(host, [one for one, _ in came]) if came else []
    carry_out(host, provider, _wishes(came, news))
    strange = _keep_strange(host, origin, matched)
    return Counted(sum(news), len(events) - sum(news) - strange, strange)


def _came_back(host: Host, provider: str, matched: Sequence[Matched]) -> list[tuple[CameBack, ProviderEvent]]:
    tracked, now = Tracked(host, matched), host.clock()
    found = []
    for one in matched:
        if one.message is not None and tracked.counts(one):
            event = new_event(one.event, one.message, provider, now=now, link_id=tracked.link(one))
            found += [(CameBack(one.message, event), one.event)] if event else []
    return found


def _wishes(came: Sequence[tuple[CameBack, ProviderEvent]], news: Sequence[bool]) -> list[Wish]:
    return [
        Wish(one.message, one.event, said.one_list)
        for (one, said), is_news in zip(came, news, strict=True)
        if is_news and one.event.kind is EventKind.OPT_OUT
    ]


def _keep_strange(host: Host, origin: str, matched: Sequence[Matched]) -> int:
    """Rows for what belongs to none of our mails, and for wishes that are not carried out; how many of the former."""
    strange = [one for one in matched if one.message is None]
    noted = [*(one for one in strange if one.event.word not in NO_NEWS), *filter(_is_no_wish, matched)]
    by_id = {row["origin_id"]: row for row in (_row(host, origin, one) for one in noted)}
    rows = [by_id[origin_id] for origin_id in sorted(by_id)]
    for start in range(0, len(rows), _AT_ONCE):
        host.session.execute(insert_new(host, Received).values(rows[start : start + _AT_ONCE]))
    if rows:
        keep_within_bounds(host)
    return len(strange)


def _is_no_wish(one: Matched) -> bool:
    return one.message is not None and one.event.word is EventWord.SUBSCRIBE


def _row(host: Host, origin: str, one: Matched) -> dict[str, Any]:
    event, raw = one.event, json.dumps(event_shown(one.event), ensure_ascii=False, indent=1).encode()
    kind = KINDS.get(event.word)
    if event.word is EventWord.SUBSCRIBE:
        kind = EventKind.OPT_BACK_IN
    return {
        "origin": origin,
        "origin_id": f"{sameness(event)}:{event.word.value}:{event.recipient or ''}"[:200],
        "at": host.clock(),
        "state": ReceivedState.IGNORED if one.message else ReceivedState.UNMATCHED,
        "kind": kind.value if kind else "none",
        "address": (event.recipient or "")[:254],
        "message_id": one.message.id if one.message else None,
        "subject": "",
        "note": one.why or f"{words(event)}. Whoever wants mail again says so on our own pages.",
        "size": len(raw),
        "raw": raw,
    }
