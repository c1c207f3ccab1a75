"""A mailing's numbers and people as rows for a spreadsheet, page by page. Screens and CLI enter.

Reads only, each page in a transaction of its own (the session is rolled back), so that a long download holds nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select, tuple_

from massmail_plugin import audience
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.mailings.statistics.breakdown import by_domain
from massmail_plugin.mailings.statistics.hours import hours
from massmail_plugin.mailings.statistics.links import link_counts
from massmail_plugin.models import BREAKDOWN_COUNTS, Event, Link, List, Mailing, OutboxMessage
from massmail_plugin.portable_sql import one_of
from massmail_plugin.vocabulary import EventKind

PAGE = 500
EVERY = 2**31 - 1
Row = Sequence[Any]


@dataclass(frozen=True)
class Sheet:
    """One table of a mailing: the names of its columns, and its rows when they are asked for."""

    header: Sequence[str]
    rows: Callable[[Host, Mailing], Iterator[Row]]
    people: bool = False
    """Whether it names recipients."""


def _recipients(host: Host, mailing: Mailing) -> Iterator[Row]:
    lists = dict(host.session.execute(select(List.id, List.name)).all())
    for page in _pages(host, mailing.id):
        ids = [row.id for row in page]
        names, answers = _names(host, page), _answers(host, ids)
        for row in page:
            contact = names.get(ContactRef(row.contact_source, row.contact_key), "")
            who = row.contact_source, row.contact_key, contact, row.address_role, row.address
            sent = row.handed_at if row.state == "sent" else None
            reply = f"{row.reply_code or ''} {row.reply_text}".strip()
            yield [*who, lists.get(row.list_id, ""), row.state, row.reason, sent, reply, *answers[row.id]]


_KINDS = {
    "read_at": (EventKind.OPEN, EventKind.CLICK, EventKind.REPLY),
    "clicked_at": (EventKind.CLICK,),
    "replied_at": (EventKind.REPLY,),
    "bounced_at": (EventKind.BOUNCE,),
    "complained_at": (EventKind.COMPLAINT,),
    "opted_out_at": (EventKind.OPT_OUT,),
}
"""The first time a person (or a server) did it."""


def _answers(host: Host, ids: Sequence[int]) -> Mapping[int, list[Any]]:
    """Message -> the first time of each kind, then how often it was clicked."""
    query = select(Event.message_id, Event.kind, Event.at).where(
        one_of(Event.message_id, ids), Event.by_machine.is_(False)
    )
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    clicks: dict[int, int] = defaultdict(int)
    for message_id, kind, at in host.session.execute(query.order_by(Event.at, Event.id)):
        for name, kinds in _KINDS.items():
            if kind in kinds:
                found[message_id].setdefault(name, at)
        clicks[message_id] += kind == EventKind.CLICK.value
    return {id_: [*(found[id_].get(name) for name in _KINDS), clicks[id_]] for id_ in ids}


def _events(host: Host, mailing: Mailing) -> Iterator[Row]:
    links = {link.id: link.label or link.target for link in host.session.scalars(_links_of(mailing.id))}
    for page in _pages(host, mailing.id):
        rows = {row.id: row for row in page}
        query = (
            select(*_EVENT).where(one_of(Event.message_id, list(rows))).order_by(Event.message_id, Event.at, Event.id)
        )
        for one in host.session.execute(query):
            row, by = rows[one.message_id], "program" if one.by_machine else "person"
            what = one.kind, one.at, links.get(one.link_id, ""), by, one.machine_reason, one.user_agent, one.detail
            yield [row.contact_source, row.contact_key, row.address, *what]


_EVENT = (
    Event.message_id,
    Event.kind,
    Event.at,
    Event.link_id,
    Event.by_machine,
    Event.machine_reason,
    Event.user_agent,
    Event.detail,
)


def _links_of(mailing_id: int) -> Select[Any]:
    return select(Link).where(Link.mailing_id == mailing_id)


def _links(host: Host, mailing: Mailing) -> Iterator[Row]:
    for it in link_counts(host, mailing.id):
        yield [
            it.link.number,
            it.link.target,
            it.link.label,
            it.hits,
            it.mails,
            it.machine_hits,
            it.first_at,
            it.last_at,
        ]


def _hours(host: Host, mailing: Mailing) -> Iterator[Row]:
    for hour in hours(host, mailing):
        yield [hour.at, hour.read, hour.clicked, hour.opens, hour.clicks]


def _domains(host: Host, mailing: Mailing) -> Iterator[Row]:
    for part in by_domain(host, mailing.id, limit=EVERY):
        yield [part.name, *(getattr(part, name) for name in BREAKDOWN_COUNTS)]


SHEETS: Mapping[str, Sheet] = {
    "recipients": Sheet(
        (
            *("source", "key", "name", "role", "address", "list", "state", "reason", "sent_at", "reply"),
            *_KINDS,
            "clicks",
        ),
        _recipients,
        people=True,
    ),
    "events": Sheet(
        ("source", "key", "address", "event", "at", "link", "by", "why_program", "user_agent", "detail"),
        _events,
        people=True,
    ),
    "links": Sheet(
        ("number", "target", "label", "clicks", "mails", "program_clicks", "first_at", "last_at"),
        _links,
    ),
    "hours": Sheet(("hour", "mails_read", "mails_clicked", "opens", "clicks"), _hours),
    "domains": Sheet(("domain", *BREAKDOWN_COUNTS), _domains),
}


def _pages(host: Host, mailing_id: int) -> Iterator[Sequence[Any]]:
    """All rows of a mailing in the order of sending."""
    row = OutboxMessage
    wanted = (
        *(row.id, row.chunk, row.contact_source, row.contact_key, row.address_role, row.address, row.list_id),
        *(row.state, row.reason, row.handed_at, row.reply_code, row.reply_text),
    )
    mine = row.mailing_id == mailing_id, audience.visible_rows(host, row.contact_source, row.contact_key)
    query = select(*wanted).where(*mine).order_by(row.chunk, row.id).limit(PAGE)
    last = (-1, 0)
    while True:
        host.session.rollback()
        host.session.connection(execution_options={"sqlite_deferred": True})
        page = host.session.execute(query.where(row.chunk >= last[0], tuple_(row.chunk, row.id) > last)).all()
        if not page:
            return
        last = page[-1].chunk, page[-1].id
        yield page


def _names(host: Host, page: Sequence[Any]) -> dict[ContactRef, str]:
    refs = {ContactRef(row.contact_source, row.contact_key) for row in page}
    return {ref: found.name for ref, found in audience.summaries(host, sorted(refs)).items()}
