"""One run: a mailing goes out through Postfix, what comes back is read from Dovecot, every row is checked."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select

from massmail_plugin.feedback import mailboxes
from massmail_plugin.models import Event, EventTally, Mailbox, Mailing, OutboxMessage, Received, Suppression
from massmail_plugin.testing import run_jobs
from massmail_plugin.vocabulary import MailboxKind, Security
from realmail import recipients
from realmail.crm import Customer, add_mailbox, crm, host_of, send_mailing
from realmail.servers import MailServers, mail_servers, wait_until

USERS = {"alice": "", "rita": "", "otto": "", "sam": "", "full": "1k", "news": "", "bounces": ""}
"""Mailboxes of the recipients and ours, with their quotas."""
LIFETIME = 4
"""Seconds that Postfix keeps on trying."""
FORGED = 40

HARD, FULL, SOFT = ("bounce", "hard"), ("bounce", "full"), ("bounce", "soft")
EXPECTED: dict[str, tuple[list[tuple[str, str]], str, str]] = {
    "alice@box.test": ([], "mailed", ""),
    "rita@box.test": ([("reply", "")], "reader", ""),
    "otto@box.test": ([("autoreply", "")], "mailed", ""),
    "sam@box.test": ([("complaint", "")], "do not mail", "complaint"),
    "nobody@box.test": ([HARD], "bad address", "hard_bounce"),
    "full@box.test": ([FULL], "mailed", ""),
    "dora@slow.test": ([SOFT, ("delay", "")], "mailed", ""),
}
"""Address -> its events (kind, meaning), its status in the host, the reason it is suppressed for."""
RECEIVED = {("matched", "bounce"): 3, ("matched", "delay"): 1, ("matched", "autoreply"): 1}
RECEIVED |= {("matched", "complaint"): 1, ("matched", "reply"): 1, ("unmatched", "bounce"): FORGED}
RECEIVED |= {("ignored", "none"): 1}


@dataclass(frozen=True)
class Check:
    """Something that must be so, and what was found."""

    what: str
    found: Any
    wanted: Any

    @property
    def ok(self) -> bool:
        return bool(self.found == self.wanted)


@contextmanager
def servers() -> Iterator[MailServers]:
    """Both servers with the users of a run; one run at a time."""
    with mail_servers(USERS, lifetime=LIFETIME) as running:
        yield running


def run(folder: Path, database_url: str, running: MailServers, kind: MailboxKind, security: Security) -> list[Check]:
    """Send, let things happen, read twice, and compare every row with what must be there."""
    _empty(running)
    with crm(folder, database_url, running) as app:
        bounces = add_mailbox(app, running, "bounces", kind, security)
        news = add_mailbox(app, running, "news", kind, security)
        stages = [stage for one in (bounces, news) for stage in mailboxes.try_out(host_of(app), _mailbox(app, one))]
        mailing = send_mailing(app, running, list(EXPECTED))
        sent = _states(app, mailing)
        _let_things_happen(running)
        first = _read(app, bounces, news)
        again = _read(app, bounces, news)
        run_jobs(app)
        return [
            Check("the mailboxes' tests pass", [stage.name for stage in stages if not stage.ok], []),
            Check("mails taken by Postfix", sent, {"sent": len(EXPECTED)}),
            Check("faults of the mailboxes", [one.fault for one in (*first, *again)], [""] * 4),
            *_of_addresses(app),
            Check("rows of received mails", _received(app), RECEIVED),
            Check("tallies", _tallies(app), _events_by_kind()),
            Check("read again", sum(sum(one.states.values()) for one in again), 0),
            *_of_boxes(running),
        ]


def _let_things_happen(running: MailServers) -> None:
    recipients.reply(running, "rita", "Yes, we would like to order.")
    recipients.away(running, "otto")
    recipients.complain(running, "sam")
    recipients.forge(running, "alice@box.test", FORGED)
    recipients.write(running, "news@crm.test", "Tuesday")
    recipients.write(running, "bounces@crm.test", "Tuesday")
    reports = sum(number for (_, kind), number in RECEIVED.items() if kind != "reply")
    wait_until(lambda: len(recipients.subjects(running, "bounces")) >= reports, "Not all reports came.")
    wait_until(lambda: len(recipients.subjects(running, "news")) >= 2, "The reply did not come.")


def _read(app: Flask, *ids: int) -> list[mailboxes.Reading]:
    return [mailboxes.read_mailbox(host_of(app), one) for one in ids]


def _mailbox(app: Flask, mailbox_id: int) -> Mailbox:
    return host_of(app).session.get_one(Mailbox, mailbox_id)


def _states(app: Flask, mailing: Mailing) -> dict[str, int]:
    rows = host_of(app).session.scalars(select(OutboxMessage.state).filter_by(mailing_id=mailing.id))
    return dict(Counter(rows))


def _of_addresses(app: Flask) -> Iterator[Check]:
    session = host_of(app).session
    for address, wanted in EXPECTED.items():
        events = select(Event.kind, Event.meaning).join(OutboxMessage, OutboxMessage.id == Event.message_id)
        found = sorted(tuple(row) for row in session.execute(events.where(OutboxMessage.address == address)))
        status = session.scalar(select(Customer.status).where(Customer.email == address))
        reasons = session.scalars(select(Suppression.reason).where(Suppression.address == address)).all()
        yield Check(address, (found, status, ",".join(reasons)), wanted)


def _received(app: Flask) -> dict[tuple[str, str], int]:
    rows = host_of(app).session.execute(select(Received.state, Received.kind))
    return dict(Counter((state, kind) for state, kind in rows))


def _tallies(app: Flask) -> dict[str, int]:
    of_mails = select(EventTally.kind, EventTally.hits).where(EventTally.link_id == 0, EventTally.hits > 0)
    rows = host_of(app).session.execute(of_mails)
    counted: Counter[str] = Counter()
    for kind, hits in rows:
        counted[kind] += hits
    return dict(counted)


def _events_by_kind() -> dict[str, int]:
    return dict(Counter(kind for events, _, _ in EXPECTED.values() for kind, _ in events))


def _of_boxes(running: MailServers) -> Iterator[Check]:
    """Reports of ours are deleted; forged ones and ordinary mail lie there as they came."""
    forged = ["Undelivered Mail"] * FORGED
    yield Check("what is left among the bounces", recipients.subjects(running, "bounces"), ["Tuesday", *forged])
    left = ["Re: Spring news", "Tuesday"]
    yield Check("what is left among people's mail", recipients.subjects(running, "news"), left)
    for user in ("bounces", "news"):
        yield Check(f"no flag changed in {user}", recipients.untouched(running, user), True)


def _empty(running: MailServers) -> None:
    """Remove what an earlier run left in the mailboxes, once nothing more is under way."""
    for user in USERS:
        for path in recipients.files(running, user):
            path.unlink()
