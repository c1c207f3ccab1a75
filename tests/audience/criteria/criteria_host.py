"""A host whose contacts have a field of every kind, with lists, stops and mailings of ours: the world criteria ask."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Column, DateTime, ForeignKey, Numeric, String, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from massmail_plugin.config import Config
from massmail_plugin.contracts import (
    ContactSource,
    Email,
    Field,
    Hooks,
    Host,
    HostCondition,
    QueueState,
    Related,
    StatusMapping,
)
from massmail_plugin.models import (
    Criterion,
    Event,
    Link,
    List,
    Mailing,
    OutboxMessage,
    Subscription,
    Suppression,
    Template,
    Topic,
)
from massmail_plugin.vocabulary import FieldKind
from tests.databases import bring_tables

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
"""A Tuesday."""
TODAY = NOON.date()


class HostBase(DeclarativeBase):
    """The tables of the host."""


worn = Table(
    "worn",
    HostBase.metadata,
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    Column("tag_id", ForeignKey("tag.id"), primary_key=True),
)


class Firm(HostBase):
    __tablename__ = "firm"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None] = mapped_column(String(20))
    email: Mapped[str | None] = mapped_column(String(100))


class Tag(HostBase):
    __tablename__ = "tag"

    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(String(20))
    since: Mapped[date | None]


class Person(HostBase):
    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20))
    city: Mapped[str | None] = mapped_column(String(20))
    city_changed: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    account: Mapped[str | None] = mapped_column(String(20))
    balance: Mapped[Any] = mapped_column(Numeric(12, 2), nullable=True)
    children: Mapped[int | None]
    born: Mapped[date | None]
    seen: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    vip: Mapped[bool | None]
    flag: Mapped[int | None]
    email: Mapped[str | None] = mapped_column(String(100))
    firm_id: Mapped[int | None] = mapped_column(ForeignKey("firm.id"))
    boss_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    firm: Mapped[Firm | None] = relationship()
    boss: Mapped["Person | None"] = relationship(remote_side=[id], back_populates="team")
    team: Mapped[list["Person"]] = relationship(back_populates="boss")
    orders: Mapped[list["Order"]] = relationship()
    tags: Mapped[list[Tag]] = relationship(secondary=worn)


class Order(HostBase):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    item: Mapped[str | None] = mapped_column(String(20))
    amount: Mapped[int | None]
    placed: Mapped[date | None]


PEOPLE = ContactSource(
    Person,
    source="person",
    addresses=[Email(Person.email), Email(Firm.email, role="firm", via=Person.firm)],
    name=Person.name,
    fields=[
        Field(Person.city, label="City", changed=Person.city_changed, example="Graz"),
        Field(Person.account, kind=FieldKind.CODE),
        Field(Person.balance),
        Field(Person.children),
        Field(Person.born),
        Field(Person.seen),
        Field(Person.vip, label="VIP"),
        Field(Person.flag, kind=FieldKind.BOOLEAN),
        Field(Firm.name, via=Person.firm),
        Field(Person.city, via=Person.boss),
        Related(Order, via=Person.orders, fields=[Field(Order.item, label="What"), Order.amount, Order.placed],
                latest=Order.placed),
        Related(Person, via=Person.team, fields=[Person.city, Person.children], latest=Person.seen),
        Related(Tag, via=Person.tags, fields=[Tag.word], latest=Tag.since),
    ],
)  # fmt: skip


@contextmanager
def criteria_host(database_url: str) -> Iterator[Host]:
    """The host in its application context, its tables and ours made; nothing in them."""
    app = Flask("criteria_host")
    app.config["SQLALCHEMY_DATABASE_URI"] = database_url
    db = SQLAlchemy(model_class=HostBase)
    db.init_app(app)
    with TemporaryDirectory(prefix="massmail-") as folder, app.app_context():
        host = Host(
            config=Config(base_url="http://localhost", secret_keys=("k" * 32,)),
            db=db,
            sources={"person": PEOPLE},
            statuses=StatusMapping({}, known=list),
            hooks=Hooks(conditions={"in_credit": HostCondition("In credit", lambda model: model.balance > 0)}),
            clock=lambda: NOON,
            wake=lambda work: None,
            queue_status=lambda: QueueState(False, 0, 0),
            providers={},
            state_dir=Path(folder),
        )
        bring_tables(db.engine)
        HostBase.metadata.create_all(db.engine)
        yield host
        db.session.remove()
        db.engine.dispose()


# --- The world ---------------------------------------------------------------------------------------------------

LETTERS = "aB%_/\\' 中"
CODES = (None, "", "A7", "A0007", "A10", "A9", "B9", "7", "007", "10", "A", "A7x", "99999999999999999999", "A-3")
TEMPLATES = (1, 2)
MAILINGS = {1: (1, "one_off"), 2: (1, "step"), 3: (2, "one_off"), 4: (1, "test"), 5: (2, "service")}
"""mailing -> (template, kind)"""
LINKS = {1: (1, "https://a.test/"), 2: (1, "https://b.test/"), 3: (3, "https://a.test/")}
"""link -> (mailing, target)"""
TOPIC, TOPICS = 1, (1, 2)
LISTS: dict[int, dict[str, Any]] = {
    1: {"topic_id": TOPIC},
    2: {"active": False},
    3: {"criterion_id": 1},
}
CRITERIA: dict[int, dict[str, Any]] = {
    1: {"field": "children", "op": "at_least", "value": 1},
    2: {"any": [{"criterion": 1, "op": "not_found"}, {"field": "vip", "op": "is_true"}]},
    3: {"all": [{"criterion": 2}, {"list": 3, "op": "off"}]},
}


@dataclass
class World:
    """What is in the tables, as plain values, for the evaluation in Python."""

    people: list[Person] = field(default_factory=list)
    subscriptions: dict[tuple[int, int], str] = field(default_factory=dict)
    """(list, person) -> state"""
    suppressions: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)


def people_the_world(host: Host, number: int, seed: int) -> World:
    """Make so many people with everything around them, at random; committed."""
    rnd, world = Random(seed), World()
    session = host.session
    session.add_all([Topic(id=id_, name=f"Topic {id_}") for id_ in TOPICS])
    session.add_all([Template(id=id_, name=f"Template {id_}", created_at=NOON, updated_at=NOON) for id_ in TEMPLATES])
    for id_, rule in CRITERIA.items():
        values = {"name": f"Criterion {id_}", "contact_source": "person", "created_at": NOON, "updated_at": NOON}
        session.add(Criterion(id=id_, rule=rule, **values))
    session.flush()
    session.add_all([List(id=id_, name=f"List {id_}", created_at=NOON, **rest) for id_, rest in LISTS.items()])
    for id_, (template, kind) in MAILINGS.items():
        values = {"name": f"Mailing {id_}", "contact_source": "person", "created_at": NOON, "launched_at": NOON}
        session.add(Mailing(id=id_, template_id=template, kind=kind, **values))
    session.flush()
    links = LINKS.items()
    session.add_all([Link(id=id_, mailing_id=of, number=id_, target=to) for id_, (of, to) in links])
    _people(host, world, number, rnd)
    _ours(host, world, rnd)
    session.commit()
    return world


def _maybe(rnd: Random, value: Any) -> Any:
    return None if rnd.random() < 0.25 else value


def _text(rnd: Random) -> str:
    return "".join(rnd.choice(LETTERS) for _ in range(rnd.randint(0, 3)))


def _day(rnd: Random) -> date:
    near = TODAY + timedelta(days=rnd.randint(-12, 12))
    year = rnd.choice([1960, 1999, 2000, 2020, 2025, 2026, 2026, 2027])
    leap = date(2000, 2, 29) if rnd.random() < 0.1 else near
    return leap if leap.day == 29 else near.replace(year=year)


def _moment(rnd: Random) -> datetime:
    return NOON + timedelta(hours=rnd.randint(-100, 100))


def _people(host: Host, world: World, number: int, rnd: Random) -> None:
    firms = [Firm(name=name, email=email) for name, email in (("a", None), (None, "Office@X.test"), ("aB", " "))]
    tags = [Tag(word=word, since=_maybe(rnd, _day(rnd))) for word in ("a", "B", "aB")]
    for place in range(number):
        city = _maybe(rnd, _text(rnd))
        orders = [
            Order(item=_maybe(rnd, _text(rnd)), amount=_maybe(rnd, rnd.randint(-3, 3)), placed=_maybe(rnd, _day(rnd)))
            for _ in range(rnd.choice([0, 0, 1, 2, 3, 4]))
        ]
        person = Person(
            name=_text(rnd), city=city, city_changed=_maybe(rnd, _moment(rnd)), account=rnd.choice(CODES),
            balance=_maybe(rnd, rnd.randint(-20, 20) / 10), children=_maybe(rnd, rnd.randint(-3, 3)),
            born=_maybe(rnd, _day(rnd)), seen=_maybe(rnd, _moment(rnd)), vip=_maybe(rnd, rnd.random() < 0.5),
            flag=_maybe(rnd, rnd.randint(0, 2)), email=_maybe(rnd, rnd.choice([f"P{place}@x.test", "one@x.test", ""])),
            firm=_maybe(rnd, rnd.choice(firms)), orders=orders, tags=rnd.sample(tags, rnd.randint(0, 3)),
        )  # fmt: skip
        person.boss = rnd.choice(world.people) if world.people and rnd.random() < 0.4 else None
        world.people.append(person)
    host.session.add_all([*world.people, Order(item="nobody's"), Firm(name="empty")])
    host.session.flush()


def _ours(host: Host, world: World, rnd: Random) -> None:
    for person in world.people:
        for list_id in LISTS:
            if rnd.random() < 0.5:
                state = rnd.choice(["subscribed", "subscribed", "unsubscribed"])
                world.subscriptions[list_id, person.id] = state
                values = {"contact_source": "person", "contact_key": str(person.id), "since": NOON}
                host.session.add(Subscription(list_id=list_id, state=state, **values))
        if rnd.random() < 0.5:
            world.suppressions.append(_suppression(person, rnd))
        for mailing_id in MAILINGS:
            if rnd.random() < 0.5:
                _message(world, person, mailing_id, rnd)
    host.session.add_all([Suppression(note="", **one) for one in world.suppressions])
    for message in world.messages:
        host.session.add(OutboxMessage(chunk=1, address_role="main", address="x@x.test", **message))
    host.session.add_all([Event(**one) for one in world.events])


def _suppression(person: Person, rnd: Random) -> dict[str, Any]:
    scope = rnd.choice(["all_but_transactional", "list", "topic"])
    by_address = person.email and rnd.random() < 0.4
    who = {"address": (person.email or "").lower()} if by_address else {
        "contact_source": "person", "contact_key": str(person.id)
    }  # fmt: skip
    if person.firm is not None and person.firm.email and rnd.random() < 0.2:
        who = {"address": "office@x.test"}
    return {
        **who,
        "scope": scope,
        "list_id": rnd.choice(list(LISTS)) if scope == "list" else None,
        "topic_id": rnd.choice(TOPICS) if scope == "topic" else None,
        "reason": rnd.choice(["opt_out", "opt_out", "complaint", "pause"]),
        "until": _maybe(rnd, NOON + timedelta(days=rnd.choice([-1, 1]))) if rnd.random() < 0.5 else None,
        "created_at": NOON,
    }


def _message(world: World, person: Person, mailing_id: int, rnd: Random) -> None:
    id_, days = len(world.messages) + 1, rnd.randint(0, 12)
    settled = NOON - timedelta(days=days, hours=rnd.randint(0, 5))
    state = rnd.choice(["sent", "sent", "sent", "refused", "planned"])
    world.messages.append(
        {
            "id": id_, "mailing_id": mailing_id, "contact_source": "person", "contact_key": str(person.id),
            "state": state, "settled_at": settled if state == "sent" else None, "handed_at": settled,
        }
    )  # fmt: skip
    for _ in range(rnd.choice([0, 1, 2]) if state == "sent" else 0):
        kind = rnd.choice(["open", "click", "bounce", "reply", "opt_out"])
        links = [None, *(link for link, (of, _) in LINKS.items() if of == mailing_id)]
        world.events.append(
            {
                "message_id": id_, "mailing_id": mailing_id, "kind": kind, "by_machine": rnd.random() < 0.3,
                "link_id": rnd.choice(links) if kind == "click" else None,
                "at": min(NOON, settled + timedelta(days=rnd.randint(0, 3))), "provider_event_id": uuid.uuid4().hex,
            }
        )  # fmt: skip
