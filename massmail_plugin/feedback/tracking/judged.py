"""Judges hits in the company they came in, and keeps them as events. The drain enters; flushes only."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select

from massmail_plugin import outcomes
from massmail_plugin.contracts import Host
from massmail_plugin.feedback.corrections import correct
from massmail_plugin.feedback.machines import REACH, Hit, judge
from massmail_plugin.feedback.tracking.recognised import Mail, Recognised, Seen
from massmail_plugin.models import Event
from massmail_plugin.outcomes.events import keep_known, one_at_a_time
from massmail_plugin.portable_sql import one_of
from massmail_plugin.vocabulary import FORGOTTEN, EventKind

CROWD = 50
"""Hits of one mail in a batch."""


def keep_judged(host: Host, hits: Recognised, *, meanwhile: Callable[[], object] = lambda: None) -> int:
    """Keep hits as events; the number kept. Earlier ones that look otherwise in this company are corrected.

    `meanwhile` as for `keep_known`.
    """
    mails, new = hits.mails, hits.new
    if not new:
        return 0
    one_at_a_time(host, {(mail.mailing_id, EventKind.OPEN) for mail in mails.values()})
    since = min(one.hit.at for one in new) - REACH
    known = _earlier(host, new, since - REACH)
    verdicts = _verdicts((*new, *known, *hits.coming), mails)
    # What is older was read as company alone: not all that was near it is known.
    near = [(one, reason) for one, reason in zip(known, verdicts[len(new) :], strict=False) if one.hit.at >= since]
    _correct(host, mails, near)
    events = [_event(one, reason) for one, reason in zip(new, verdicts, strict=False)]
    mailings = {message_id: mail.mailing_id for message_id, mail in mails.items()}
    return sum(keep_known(host, events, mailings, meanwhile=meanwhile))


def _earlier(host: Host, seen: Sequence[Seen], since: datetime) -> list[Seen]:
    """What came to these mails before. A mail with a crowd of hits is judged by these alone, so that a flood of hits
    does not make each one dearer than the last.
    """
    crowds = Counter(one.message_id for one in seen)
    mails = sorted(message_id for message_id, number in crowds.items() if number <= CROWD)
    of_hit = Event.kind, Event.at, Event.link_id, Event.user_agent, Event.request
    query = select(Event.message_id, Event.id, Event.machine_reason, *of_hit).where(
        one_of(Event.message_id, mails),
        Event.kind.in_([EventKind.OPEN.value, EventKind.CLICK.value]),
        Event.at >= since,
        Event.provider.is_(None),
        Event.request != FORGOTTEN,
    )
    return [
        Seen(
            message_id,
            Hit(kind=EventKind(kind), at=at, link=link_id, user_agent=user_agent, request=request),
            event_id,
            reason,
        )
        for message_id, event_id, reason, kind, at, link_id, user_agent, request in host.session.execute(query)
    ]


def _verdicts(seen: Sequence[Seen], mails: Mapping[int, Mail]) -> list[str]:
    """Each hit's, in the company of all of its mail."""
    places: dict[int, list[int]] = defaultdict(list)
    for place, one in enumerate(seen):
        places[one.message_id].append(place)
    verdicts = [""] * len(seen)
    for message_id, among in places.items():
        reasons = judge([seen[place].hit for place in among], mails[message_id].sent_at)
        for place, reason in zip(among, reasons, strict=True):
            verdicts[place] = reason
    return verdicts


def _correct(host: Host, mails: Mapping[int, Mail], known: Iterable[tuple[Seen, str]]) -> None:
    """Give those another verdict that look otherwise now."""
    anew: dict[int, dict[int, str]] = defaultdict(dict)
    for one, reason in known:
        if one.event_id is not None and one.reason != reason:
            anew[mails[one.message_id].mailing_id][one.event_id] = reason
    for mailing_id, reasons in sorted(anew.items()):
        correct(host, mailing_id, reasons)


def _event(seen: Seen, reason: str) -> outcomes.NewEvent:
    hit = seen.hit
    return outcomes.NewEvent(
        message_id=seen.message_id,
        kind=hit.kind,
        at=hit.at,
        link_id=hit.link,
        machine_reason=reason,
        user_agent=hit.user_agent,
        request=hit.request,
    )
