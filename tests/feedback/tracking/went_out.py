"""Mailings that went out, by rows alone, and visitors of their links: what the drain's tests begin with."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from massmail_plugin.contracts import Host
from massmail_plugin.feedback.tracking import spool
from massmail_plugin.mailings.statistics import proof
from massmail_plugin.models import Chunk, Event, Link, Mailing, OutboxMessage, OutcomeReport
from massmail_plugin.vocabulary import EventKind, MailingKind, MailingState, MessageState

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@dataclass(frozen=True)
class WentOut:
    """A mailing: its id, its mails' ids, and its links' by number."""

    host: Host
    mailing_id: int
    mails: list[int]
    links: dict[int, int]

    def events(self) -> list[tuple[int, str, int | None, str]]:
        """Of its mails, in the order of time: mail, kind, link, machine reason."""
        event = Event.message_id, Event.kind, Event.link_id, Event.machine_reason
        query = select(*event).where(Event.mailing_id == self.mailing_id).order_by(Event.at, Event.id)
        return [tuple(row) for row in self.host.session.execute(query)]  # type: ignore[misc]

    def reports(self) -> list[tuple[int, str]]:
        """Mail and outcome, in the order of their delivery."""
        query = select(OutcomeReport.message_id, OutcomeReport.outcome).order_by(OutcomeReport.due_at, OutcomeReport.id)
        return [tuple(row) for row in self.host.session.execute(query)]  # type: ignore[misc]

    def wrong_numbers(self) -> list[object]:
        """What a recount of all rows contradicts."""
        return list(proof.differences(self.host, self.mailing_id))


def went_out(host: Host, *, mails: int = 6, links: int = 5, kind: MailingKind = MailingKind.ONE_OFF) -> WentOut:
    """A mailing that left an hour ago. Commits."""
    now = host.clock()
    made = Mailing(
        name="News",
        kind=kind.value,
        state=MailingState.FINISHED.value,
        contact_source="members",
        created_at=now,
        launched_at=now,
    )
    host.session.add(made)
    host.session.flush()
    stored = [Link(mailing_id=made.id, number=n, target=f"https://shop.example/{n}") for n in range(1, links + 1)]
    rows = [
        OutboxMessage(
            mailing_id=made.id,
            chunk=0,
            contact_source="members",
            contact_key=str(n),
            address_role="main",
            address=f"a{n}@example.org",
            state=MessageState.SENT.value,
            handed_at=now - timedelta(hours=1),
        )
        for n in range(mails)
    ]
    host.session.add_all([*stored, *rows, Chunk(mailing_id=made.id, number=0, sent=mails)])
    host.session.commit()
    return WentOut(host, made.id, [row.id for row in rows], {one.number: one.id for one in stored})


def click(message_id: int, at: datetime, number: int = 1, agent: str = FIREFOX, request: str = "") -> spool.SpooledHit:
    return spool.SpooledHit(EventKind.CLICK, at, message_id, number, agent, request)


def opened(message_id: int, at: datetime, agent: str = FIREFOX) -> spool.SpooledHit:
    return spool.SpooledHit(EventKind.OPEN, at, message_id, None, agent, "")


def take(folder: Path, *hits: spool.SpooledHit) -> None:
    """As a web process of the machine whose state directory this is."""
    for hit in hits:
        spool.append(folder, hit)
