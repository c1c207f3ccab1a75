"""A host on either database after a mailing went out to some members, and how mails are taken in there."""

import io
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from massmail_plugin.contracts import Host
from massmail_plugin.feedback.received_mail import Taken, read_incoming, take_mails
from massmail_plugin.models import (
    Chunk,
    Event,
    EventTally,
    Mailing,
    OutboxMessage,
    OutcomeReport,
    Received,
    Suppression,
)
from massmail_plugin.vocabulary import MailingKind, MailingState, MessageState
from tests.feedback.post import Sent, sent
from tests.upkeep.small_host import HandClock, small_host


class Office:
    """The host, its clock, and shortcuts to what is in the tables."""

    def __init__(self, host: Host, clock: HandClock) -> None:
        self.host, self.clock = host, clock

    def mail(self, key: str = "1", *, address: str = "", test: bool = False) -> OutboxMessage:
        """A mail that went to a member, in a mailing of its own."""
        now = self.host.clock()
        kind = MailingKind.TEST if test else MailingKind.ONE_OFF
        mailing = Mailing(
            name="News",
            kind=kind.value,
            contact_source="members",
            created_at=now,
            state=MailingState.FINISHED.value,
            message_domain="crm.test",
        )
        self.host.session.add(mailing)
        self.host.session.flush()
        self.host.session.add(Chunk(mailing_id=mailing.id, number=1, sent=1))
        message = OutboxMessage(
            mailing_id=mailing.id,
            chunk=1,
            contact_source="members",
            contact_key=key,
            address_role="main",
            address=address or f"member{key}@box.test",
            state=MessageState.SENT.value,
            settled_at=now,
        )
        self.host.session.add(message)
        self.host.session.commit()
        return message

    def sent(self, key: str = "1", **values: object) -> Sent:
        """`mail`, as its receiver sees it."""
        return sent(self.host, self.mail(key, **values))  # type: ignore[arg-type]

    def take(self, *mails: bytes, origin: str = "mailbox:1", shared: bool = False) -> list[Taken]:
        """Take mails in, as one reading of a mailbox does."""
        incoming = [read_incoming(io.BytesIO(mail)) for mail in mails]
        taken = take_mails(self.host, origin, incoming, shared=shared)
        self.host.session.commit()
        return taken

    def events(self) -> list[tuple[str, str]]:
        rows = self.host.session.execute(select(Event.kind, Event.meaning).order_by(Event.id))
        return [(kind, meaning) for kind, meaning in rows]

    def tallied(self) -> dict[str, int]:
        """Hits of all hours, as the roll-up has them."""
        hits = select(EventTally.kind, func.sum(EventTally.hits)).where(EventTally.hits > 0).group_by(EventTally.kind)
        return {kind: int(number) for kind, number in self.host.session.execute(hits)}

    def suppressed(self) -> list[tuple[str | None, str]]:
        rows = self.host.session.execute(select(Suppression.address, Suppression.reason).order_by(Suppression.id))
        return [(address, reason) for address, reason in rows]

    def outcomes(self) -> list[str]:
        return list(self.host.session.scalars(select(OutcomeReport.outcome).order_by(OutcomeReport.id)))

    def received(self) -> dict[tuple[str, str], int]:
        return dict(Counter((row.state, row.kind) for row in self.host.session.scalars(select(Received))))

    def changed_nothing(self) -> bool:
        return not (self.events() or self.suppressed() or self.outcomes() or self.tallied())

    def days_later(self, days: float) -> None:
        self.clock.now += timedelta(days=days)


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    with small_host(database_url, tmp_path) as (_, host, clock, _):
        yield Office(host, clock)
