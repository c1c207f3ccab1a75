"""A host made by hand after a mailing went out: three contacts, three lists, a mailing to two of them, a test."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import String, delete, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from massmail_plugin import feedback, public
from massmail_plugin.config import Config
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.subscriptions.subscribing import subscribe
from massmail_plugin.contracts import (
    ContactRef,
    ContactSource,
    Email,
    Field,
    Hooks,
    Host,
    PreferenceFact,
    QueueState,
    StatusMapping,
)
from massmail_plugin.models import (
    Chunk,
    Event,
    Link,
    List,
    Mailing,
    OutboxMessage,
    OutcomeReport,
    PastMessage,
    PreparedMessage,
    Subscription,
)
from massmail_plugin.signed_links import message_token
from massmail_plugin.vocabulary import ConsentWay, MailingKind, MailingState, MessageState, Outcome
from tests.databases import bring_tables

ANN, BEN, EVE = (ContactRef("people", key) for key in ("1", "2", "3"))
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
TARGETS = {
    1: "https://shop.example/autumn?a=1&b=2",
    2: "https://shop.example/of/{{ contact.name | url_encode }}",
    3: "javascript:alert(1)",
    4: "https://shop.example/caf\u00e9",
    5: "java\tscript:alert(1)",
    6: "//evil.example/",
    7: "https://[broken",
}


class HostBase(DeclarativeBase):
    """The tables of the host."""


class Person(HostBase):
    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))
    email: Mapped[str] = mapped_column(String(100))
    status: Mapped[str] = mapped_column(String(20), default="new")
    locale: Mapped[str] = mapped_column(String(10), default="")


PEOPLE = ContactSource(
    Person,
    addresses=[Email(Person.email)],
    name=Person.name,
    status=Person.status,
    locale=Person.locale,
    fields=[Field(Person.name)],
)


@dataclass
class MailedHost:
    """The application and shortcuts into what happened to it."""

    app: Flask
    host: Host
    folder: TemporaryDirectory[str]
    woken: list[str] = field(default_factory=list)
    wishes: list[PreferenceFact] = field(default_factory=list)

    def token(self, who: ContactRef, *, test: bool = False) -> str:
        message = self.message(who, test=test)
        return message_token(self.host.config, message.id, message.mailing_id)

    def message(self, who: ContactRef, *, test: bool = False) -> OutboxMessage:
        kind = MailingKind.TEST if test else MailingKind.ONE_OFF
        query = select(OutboxMessage).join(Mailing, Mailing.id == OutboxMessage.mailing_id)
        return self.host.session.scalars(
            query.where(Mailing.kind == kind.value, OutboxMessage.contact_key == who.key)
        ).one()

    def forget_by_age(self, who: ContactRef) -> int:
        """Put what stays of a mail in the place of its row; the number of the mail."""
        session, message = self.host.session, self.message(who)
        past = PastMessage(
            id=message.id,
            mailing_id=message.mailing_id,
            contact_source=message.contact_source,
            contact_key=message.contact_key,
            address_role=message.address_role,
        )
        session.add(past)
        session.execute(delete(OutboxMessage).where(OutboxMessage.id == past.id))
        session.commit()
        return past.id

    def drain(self) -> int:
        """Bring what visitors did to the database, as if the time for judging it had passed."""
        return feedback.drain(self.host, wait=timedelta(0))

    def events(self) -> list[tuple[str, bool]]:
        """After draining."""
        self.drain()
        return [(e.kind, e.by_machine) for e in self.host.session.scalars(select(Event).order_by(Event.id))]

    def reports(self) -> list[tuple[str, str, int]]:
        """After draining."""
        self.drain()
        found = self.host.session.scalars(select(OutcomeReport).order_by(OutcomeReport.id))
        return [(report.contact_key, report.outcome, report.turn) for report in found]

    def lists_of(self, who: ContactRef) -> list[str]:
        query = select(List.name).join(Subscription, Subscription.list_id == List.id).order_by(List.name)
        on = query.where(Subscription.contact_key == who.key, Subscription.state == "subscribed")
        return list(self.host.session.scalars(on))

    def list_id(self, name: str) -> int:
        return self.host.session.scalars(select(List.id).where(List.name == name)).one()

    def outcome_kinds(self) -> list[Outcome]:
        return [Outcome(outcome) for _, outcome, _ in self.reports()]


def mailed_host(app: Flask, *, config: Mapping[str, Any] | None = None) -> MailedHost:
    """Build it on `app`, in memory; the caller keeps an application context."""
    app.config.setdefault("SQLALCHEMY_DATABASE_URI", "sqlite://")
    db = SQLAlchemy(app, model_class=HostBase)
    now = [datetime(2026, 3, 10, 12, 0, tzinfo=UTC)]
    mailed: MailedHost

    def clock() -> datetime:
        now[0] += timedelta(seconds=1)
        return now[0]

    folder = TemporaryDirectory(prefix="mailed-host-")
    settings = {
        "base_url": "https://crm.example.org",
        "secret_keys": ("k" * 40,),
        "organisation": "Fernhill Supplies",
        "drain_seconds": 0,
    }
    host = Host(
        config=Config(**{**settings, **(config or {})}),
        db=db,
        sources={"people": PEOPLE},
        statuses=StatusMapping({Outcome.REMOVED: "removed"}, known=lambda: ["new", "removed"]),
        hooks=Hooks(on_preference_change=[lambda fact: mailed.wishes.append(fact)]),
        clock=clock,
        wake=lambda work: mailed.woken.append(work),
        queue_status=lambda: QueueState(True, 1, 0),
        providers={},
        state_dir=Path(folder.name),
    )
    mailed = MailedHost(app, host, folder)
    app.extensions["massmail"] = host
    public.mount(app, host)
    with app.app_context():
        bring_tables(db.engine)
        HostBase.metadata.create_all(db.engine)
        _fill(host)
    return mailed


def _fill(host: Host) -> None:
    session, now = host.session, host.clock()
    session.add_all(
        Person(id=n, name=name, email=f"{name.lower()}@example.org") for n, name in enumerate(("Ann", "Ben", "Eve"), 1)
    )
    news, offers, events = (
        List(name=name, public_name=title, description=words, created_at=now)
        for name, title, words in (
            ("news", "Monthly news", "What is new at Fernhill, once a month."),
            ("offers", "Offers & <deals>", ""),
            ("events", "Invitations to fairs and open days", "Three or four times a year."),
        )
    )
    session.add_all([news, offers, events])
    session.flush()
    for list_ in (news, offers):
        subscribe(
            host,
            list_,
            [ANN, BEN, EVE] if list_ is news else [ANN, EVE],
            proof=Proof(ConsentWay.PERSON, evidence="at the counter"),
        )
    subscribe(host, events, [ANN], proof=Proof(ConsentWay.PERSON, evidence="at a fair"))
    mailing = Mailing(
        name="Autumn",
        kind=MailingKind.ONE_OFF.value,
        state=MailingState.FINISHED.value,
        contact_source="people",
        created_at=now,
        lists=[news, offers],
    )
    test = Mailing(
        name="Test of Autumn",
        kind=MailingKind.TEST.value,
        state=MailingState.FINISHED.value,
        contact_source="people",
        created_at=now,
    )
    session.add_all([mailing, test])
    session.flush()
    for one in (mailing, test):
        session.add(Chunk(mailing_id=one.id, number=0))
        session.add_all(Link(mailing_id=one.id, number=n, target=target) for n, target in TARGETS.items())
        session.add(
            PreparedMessage(
                mailing_id=one.id,
                subject="s",
                html="",
                text="t",
                tracks_opens=True,
                from_name="Fernhill",
                from_address="news@example.org",
                reply_to="",
                bcc="",
            )
        )
        for who, name in ((ANN, "ann"), (BEN, "ben"), (EVE, "eve")):
            session.add(
                OutboxMessage(
                    mailing_id=one.id,
                    chunk=0,
                    contact_source=who.source,
                    contact_key=who.key,
                    address_role="main",
                    address=f"{name}@example.org",
                    state=MessageState.SENT.value,
                    list_id=news.id if one is mailing else None,
                )
            )
    session.commit()
