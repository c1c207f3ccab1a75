"""A host made by hand: three kinds of contacts that differ in key type and column names, on any database."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, ForeignKey, Numeric, String, func
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.sql.elements import ColumnElement

from massmail_plugin.config import Config
from massmail_plugin.contracts import (
    ContactRef,
    ContactSource,
    Email,
    Fax,
    Field,
    Hooks,
    Host,
    QueueState,
    Related,
    StatusMapping,
)
from massmail_plugin.models import List
from tests.databases import bring_tables

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


class HostBase(DeclarativeBase):
    """The tables of the host."""


class Company(HostBase):
    __tablename__ = "company"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None] = mapped_column(String(50))


class Person(HostBase):
    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    first: Mapped[str] = mapped_column(String(50), default="")
    last: Mapped[str] = mapped_column(String(50), default="")
    email1: Mapped[str | None] = mapped_column(String(400))
    email2: Mapped[str | None] = mapped_column(String(400))
    fax: Mapped[str | None] = mapped_column(String(40))
    city: Mapped[str | None] = mapped_column(String(50))
    balance: Mapped[Any] = mapped_column(Numeric(12, 2), nullable=True)
    children: Mapped[int | None]
    born: Mapped[date | None]
    seen: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    vip: Mapped[bool | None]
    active: Mapped[bool | None] = mapped_column(default=True)
    status: Mapped[str | None] = mapped_column(String(20))
    pin: Mapped[str | None] = mapped_column(String(20))
    company_id: Mapped[int | None] = mapped_column(ForeignKey("company.id"))
    boss_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    company: Mapped[Company | None] = relationship()
    boss: Mapped["Person | None"] = relationship(remote_side=[id], back_populates="team")
    team: Mapped[list["Person"]] = relationship(back_populates="boss")
    orders: Mapped[list["Order"]] = relationship(order_by="Order.id")

    @hybrid_property
    def full_name(self) -> str:
        return f"{self.first} {self.last}".strip()

    @full_name.inplace.expression
    @classmethod
    def _full_name(cls) -> ColumnElement[str]:
        return func.trim(cls.first + " " + cls.last)


class Order(HostBase):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    item: Mapped[str | None] = mapped_column(String(50))
    amount: Mapped[int | None]


class Member(HostBase):
    __tablename__ = "member"

    uid: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    label: Mapped[str] = mapped_column(String(50), default="")
    mail: Mapped[str | None] = mapped_column(String(100))


class Client(HostBase):
    __tablename__ = "client"

    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    mail: Mapped[str | None] = mapped_column(String(100))


PERSONS = ContactSource(
    Person,
    addresses=[Email(Person.email1), Email(Person.email2, role="second"), Fax(Person.fax)],
    name=Person.full_name,
    active=Person.active,
    status=Person.status,
    fields=[
        Field(Person.first, label="First name"),
        Field(Person.city),
        Field(Person.balance),
        Field(Person.children),
        Field(Person.born),
        Field(Person.seen),
        Field(Person.vip, label="VIP"),
        Field(Person.pin, sensitive=True),
        Field(Company.name, via=Person.company),
        Field(Person.city, via=Person.boss),
        Related(Order, via=Person.orders, fields=[Order.item, Order.amount]),
        Related(Person, via=Person.team, fields=[Person.city, Person.children]),
    ],
)
MEMBERS = ContactSource(Member, addresses=[Email(Member.mail)], name=Member.label)
CLIENTS = ContactSource(Client, addresses=[Email(Client.mail)])


class Clock:
    """A clock that stands still until told."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def tick(self, **step: float) -> None:
        self.now += timedelta(**step)


@contextmanager
def running_host(database_url: str) -> Iterator[Host]:
    """The host in its application context, its tables and ours made."""
    app = Flask("small_host")
    app.config["SQLALCHEMY_DATABASE_URI"] = database_url
    db = SQLAlchemy(model_class=HostBase)
    db.init_app(app)
    folder = TemporaryDirectory(prefix="massmail-")
    host = Host(
        config=Config(base_url="http://localhost", secret_keys=("k" * 32,)),
        db=db,
        sources={source.source_name: source for source in (PERSONS, MEMBERS, CLIENTS)},
        statuses=StatusMapping({}, known=list),
        hooks=Hooks(),
        clock=Clock(),
        wake=lambda work: None,
        queue_status=lambda: QueueState(False, 0, 0),
        providers={},
        state_dir=Path(folder.name),
    )
    with folder, app.app_context():
        bring_tables(db.engine)
        HostBase.metadata.create_all(db.engine)
        yield host
        db.session.remove()
        db.engine.dispose()


def clock(host: Host) -> Clock:
    """The host's clock, to be moved."""
    assert isinstance(host.clock, Clock)
    return host.clock


def add_list(host: Host, name: str = "News", **values: Any) -> List:
    """A new list."""
    list_ = List(name=name, created_at=host.clock(), **values)
    host.session.add(list_)
    host.session.flush()
    return list_


def add_person(host: Host, email1: str | None = None, **values: Any) -> ContactRef:
    """A new person."""
    person = Person(email1=email1, **values)
    host.session.add(person)
    host.session.flush()
    return ContactRef("person", str(person.id))
