"""Contact sources of every shape: eager loads, hybrids, column properties, inheritance, types of the host's own, party
addresses. Each on both databases.
"""

import enum
import uuid
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    JSON,
    Date,
    DateTime,
    Enum,
    Float,
    ForeignKey,
    Integer,
    Interval,
    LargeBinary,
    String,
    TypeDecorator,
    Uuid,
    func,
    select,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import DeclarativeBase, Mapped, column_property, mapped_column, relationship
from sqlalchemy.sql.elements import ColumnElement

from massmail_plugin import audience
from massmail_plugin.config import Config
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import (
    ContactRef,
    ContactSource,
    Email,
    Field,
    Hooks,
    Host,
    QueueState,
    Related,
    StatusMapping,
)
from massmail_plugin.errors import RuleError, SetupError
from massmail_plugin.models import Subscription
from massmail_plugin.vocabulary import FieldKind
from tests.consent.small_host import MEMBERS, NOON, add_list
from tests.databases import bring_tables


class HostBase(DeclarativeBase):
    """The tables of the host."""


class YesNo(TypeDecorator[bool]):
    """Kept as the letters Y and N."""

    impl = String(1)
    cache_ok = True

    def process_bind_param(self, value: bool | None, dialect: Any) -> str | None:
        return None if value is None else "Y" if value else "N"

    def process_result_value(self, value: str | None, dialect: Any) -> bool | None:
        return None if value is None else value == "Y"


class Cents(TypeDecorator[Decimal]):
    """Kept as whole cents."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> int | None:
        return None if value is None else int(Decimal(value) * 100)

    def process_result_value(self, value: int | None, dialect: Any) -> Decimal | None:
        return None if value is None else Decimal(value) / 100


class DayNumber(TypeDecorator[date]):
    """Kept as a number of days."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Any) -> int | None:
        return None if value is None else value.toordinal()

    def process_result_value(self, value: int | None, dialect: Any) -> date | None:
        return None if value is None else date.fromordinal(value)


class OddNumber(TypeDecorator[int]):
    """Refuses even numbers, with an error of its own."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Any) -> int | None:
        if value is not None and value % 2 == 0:
            raise ZeroDivisionError
        return value


class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


class Employer(HostBase):
    __tablename__ = "employer"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    email: Mapped[str | None] = mapped_column(String(100))


class Party(HostBase):
    """Joined eager loads in every direction, and subclasses in tables of their own."""

    __tablename__ = "party"
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "party"}

    number: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kind: Mapped[str] = mapped_column(String(10))
    first: Mapped[str] = mapped_column(String(40), default="")
    last: Mapped[str] = mapped_column(String(40), default="")
    email: Mapped[str | None] = mapped_column(String(100))
    employer_id: Mapped[int | None] = mapped_column(ForeignKey("employer.id"))
    guardian_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("party.number"))
    member: Mapped[bool | None] = mapped_column(YesNo)
    fee: Mapped[Decimal | None] = mapped_column(Cents)
    joined: Mapped[date | None] = mapped_column(DayNumber)
    odd: Mapped[int | None] = mapped_column(OddNumber)
    size: Mapped[Size | None] = mapped_column(Enum(Size))
    tone: Mapped[str | None] = mapped_column(Enum("red", "green", name="tone", native_enum=False))
    badge: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    notes: Mapped[Any] = mapped_column(JSON, nullable=True)
    weight: Mapped[float | None] = mapped_column(Float)
    waits: Mapped[timedelta | None] = mapped_column(Interval)
    photo: Mapped[bytes | None] = mapped_column(LargeBinary)
    local: Mapped[datetime | None] = mapped_column(DateTime)
    day: Mapped[date | None] = mapped_column(Date)

    employer: Mapped[Employer | None] = relationship(lazy="joined")
    guardian: Mapped["Party | None"] = relationship(lazy="joined", join_depth=2, remote_side=[number])
    visits: Mapped[list["Visit"]] = relationship(lazy="joined", order_by="Visit.id")

    @hybrid_property
    def full(self) -> str:
        return f"{self.first} {self.last}"

    @full.inplace.expression
    @classmethod
    def _full(cls) -> ColumnElement[str]:
        return cls.first + " " + cls.last


class Patient(Party):
    __tablename__ = "patient"
    __mapper_args__ = {"polymorphic_identity": "patient"}

    number: Mapped[uuid.UUID] = mapped_column(ForeignKey("party.number"), primary_key=True)
    ward: Mapped[str | None] = mapped_column(String(20))


class Guest(Party):
    """In the table of its parent."""

    __mapper_args__ = {"polymorphic_identity": "guest"}


class Visit(HostBase):
    __tablename__ = "visit"

    id: Mapped[int] = mapped_column(primary_key=True)
    party_number: Mapped[uuid.UUID] = mapped_column(ForeignKey("party.number"))
    cost: Mapped[int] = mapped_column(default=0)


Party.visit_count = column_property(  # type: ignore[attr-defined]
    select(func.count(Visit.id)).where(Visit.party_number == Party.number).correlate_except(Visit).scalar_subquery()
)


def source_of(model: Any, **options: Any) -> ContactSource:
    own = options.pop("fields", [])
    return ContactSource(
        model,
        addresses=[
            Email(model.email),
            Email(Employer.email, role="employer", via=model.employer),
            Email(Party.email, role="guardian", via=model.guardian),
        ],
        name=model.full,
        fields=[
            Field(model.member, kind=FieldKind.BOOLEAN),
            Field(model.fee, kind=FieldKind.NUMBER),
            Field(model.joined, kind=FieldKind.DATE),
            Field(model.odd),
            Field(model.size),
            Field(model.tone),
            Field(model.badge),
            Field(model.notes),
            Field(model.weight),
            Field(model.waits),
            Field(model.photo),
            Field(model.local),
            Field(model.visit_count, name="visit_count"),
            Field(model.first + "/" + model.last, name="both"),
            Field(Party.full, name="full", via=model.guardian),
            Related(Visit, via=model.visits, fields=[Visit.cost], latest=Visit.id),
            *own,
        ],
        **options,
    )


PARTIES = source_of(Party)
PATIENTS = source_of(Patient, source="patient", fields=[Field(Patient.ward)])
GUESTS = source_of(Guest, source="guest")


@pytest.fixture
def odd(database_url: str) -> Iterator[Host]:
    app = Flask("odd_host")
    app.config["SQLALCHEMY_DATABASE_URI"] = database_url
    db = SQLAlchemy(model_class=HostBase)
    db.init_app(app)
    with TemporaryDirectory(prefix="massmail-") as folder, app.app_context():
        host = Host(
            config=Config(base_url="http://localhost", secret_keys=("k" * 32,)),
            db=db,
            sources={one.source_name: one for one in (PARTIES, PATIENTS, GUESTS)},
            statuses=StatusMapping({}, known=list),
            hooks=Hooks(),
            clock=lambda: NOON,
            wake=lambda work: None,
            queue_status=lambda: QueueState(False, 0, 0),
            providers={},
            state_dir=Path(folder),
        )
        bring_tables(db.engine)
        HostBase.metadata.create_all(db.engine)
        _fill(host)
        yield host
        db.session.remove()
        db.engine.dispose()


def _fill(host: Host) -> None:
    acme = Employer(name="Acme", email=" Post@Acme.test ")
    mother = Party(kind="party", first="Mo", last="Ek", email="mo@x.test")
    ann = Patient(
        kind="patient", first="Ann", last="Ek", email=None, employer=acme, guardian=mother, ward="East",
        member=True, fee=Decimal("10.50"), joined=date(2026, 3, 1), odd=3, size=Size.LARGE, tone="red",
        badge=uuid.UUID(int=7), notes={"a": 1}, weight=1.5, waits=timedelta(hours=3), photo=b"\x00\xff",
        local=datetime(2026, 3, 10, 23, 30), day=date(2026, 3, 10),
        visits=[Visit(cost=5), Visit(cost=7)],
    )  # fmt: skip
    guest = Guest(kind="guest", first="Gus", last="Ob", email="gus@x.test", member=False, fee=Decimal("2"))
    host.session.add_all([acme, mother, ann, guest])
    host.session.commit()


def found(host: Host, source: ContactSource, rule: Any) -> list[str]:
    names = [one.name.split()[0] for one in audience.sample(host, source, rule)]
    assert audience.count(host, source, rule) == len(names)
    return names


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        ({"field": "member", "op": "is_true"}, ["Ann"]),
        ({"field": "member", "op": "is_false"}, ["Gus"]),
        ({"field": "member", "op": "is_empty"}, ["Mo"]),
        ({"field": "fee", "op": "is", "value": "10.5"}, ["Ann"]),
        ({"field": "fee", "op": "between", "value": [2, 10]}, ["Gus"]),
        ({"field": "joined", "op": "in_last", "value": [2, "weeks"]}, ["Ann"]),
        ({"field": "odd", "op": "is", "value": 3}, ["Ann"]),
        ({"field": "size", "op": "is", "value": "LARGE"}, ["Ann"]),
        ({"field": "tone", "op": "in", "value": ["red"]}, ["Ann"]),
        ({"field": "badge", "op": "ends_with", "value": "0007"}, ["Ann"]),
        ({"field": "notes", "op": "contains", "value": '"a"'}, ["Ann"]),
        ({"field": "weight", "op": "more", "value": 1}, ["Ann"]),
        ({"field": "waits", "op": "is_not_empty"}, ["Ann"]),
        ({"field": "photo", "op": "is_not_empty"}, ["Ann"]),
        ({"field": "local", "op": "on", "value": "2026-03-10"}, ["Ann"]),
        ({"field": "local", "op": "anniversary_today"}, ["Ann"]),
        ({"field": "visit_count", "op": "is", "value": 2}, ["Ann"]),
        ({"field": "both", "op": "is", "value": "Gus/Ob"}, ["Gus"]),
        ({"field": "name", "op": "contains", "value": "ann ek"}, ["Ann"]),
        ({"field": "guardian.full", "op": "is", "value": "Mo Ek"}, ["Ann"]),
        ({"related": "visits", "rows": "latest", "has": {"field": "cost", "op": "is", "value": 7}}, ["Ann"]),
        ({"related": "visits", "rows": "count", "min": 2}, ["Ann"]),
        ({"related": "visits", "rows": "none"}, ["Gus", "Mo"]),
    ],
)
def test_fields_of_every_type_are_asked_for(odd: Host, rule: Any, names: list[str]) -> None:
    assert found(odd, PARTIES, rule) == names


def test_subclasses_are_sources_of_their_own(odd: Host) -> None:
    assert found(odd, PATIENTS, {"field": "ward", "op": "is", "value": "East"}) == ["Ann"]
    assert found(odd, PATIENTS, None) == ["Ann"]
    assert found(odd, GUESTS, None) == ["Gus"]
    assert found(odd, GUESTS, {"field": "member", "op": "is_false"}) == ["Gus"]
    assert found(odd, PATIENTS, {"related": "visits", "rows": "count", "min": 1, "max": 2}) == ["Ann"]


def test_values_come_as_the_host_shows_them(odd: Host) -> None:
    (ann,) = audience.find(odd, PATIENTS, "Ann")
    values = audience.values(odd, PATIENTS, [ann.ref.key])[ann.ref.key]
    assert {name: values[name] for name in ("member", "fee", "joined", "size", "visit_count")} == {
        "member": True, "fee": Decimal("10.5"), "joined": date(2026, 3, 1), "size": "l", "visit_count": 2,
    }  # fmt: skip
    assert (values["guardian"], values["visits"]) == ({"full": "Mo Ek"}, [{"cost": 5}, {"cost": 7}])


def test_what_a_type_refuses_is_said(odd: Host) -> None:
    with pytest.raises(RuleError, match="cannot stand in this field"):
        audience.clause(odd, PARTIES, {"field": "odd", "op": "is", "value": 4})


def test_addresses_of_somebody_else(odd: Host) -> None:
    """Ann has no address: her employer and her guardian have."""
    (ann,) = audience.find(odd, PATIENTS, "acme")
    assert ann.addresses == {"employer": "Post@Acme.test", "guardian": "mo@x.test"}
    assert audience.current_addresses(odd, PATIENTS, [ann.ref.key]) == {
        (ann.ref.key, "employer"): "Post@Acme.test",
        (ann.ref.key, "guardian"): "mo@x.test",
    }
    reader = audience.readers(odd, PATIENTS, [ann.ref.key], paths=(), related=())[ann.ref.key]
    assert reader.addresses == (None, " Post@Acme.test ", "mo@x.test")


def test_a_mailing_reaches_them_there(odd: Host) -> None:
    list_ = add_list(odd)
    (ann,) = audience.find(odd, PATIENTS, "Ann")
    from_list = {"list_id": list_.id, "contact_source": "patient", "contact_key": ann.ref.key, "since": NOON}
    odd.session.add(Subscription(**from_list))
    odd.session.flush()
    request = audience.AudienceRequest("patient", [list_.id])
    rows = odd.session.execute(audience.select_recipients(odd, request)).all()
    assert {(row.address_role, row.address, row.skip_reason) for row in rows} == {
        ("employer", "Post@Acme.test", None),
        ("guardian", "mo@x.test", None),
    }
    assert audience.exists(odd, ContactRef("patient", ann.ref.key))


def test_what_does_not_fit_is_said_at_the_start() -> None:
    own = {"addresses": [Email(Party.email)]}
    with pytest.raises(SetupError, match="kind= of the field “first” says number"):
        register(ContactSource(Party, fields=[Field(Party.first, kind=FieldKind.NUMBER)], **own))
    with pytest.raises(SetupError, match="changed= of the field “first” takes a column of dates"):
        register(ContactSource(Party, fields=[Field(Party.first, changed=Party.last)], **own))
    through = Related(Visit, via=Party.visits, fields=[Field(Visit.cost, via="x")])
    with pytest.raises(SetupError, match="takes no via="):
        register(ContactSource(Party, fields=[through], **own))
    strange = Related(Visit, via=Party.visits, fields=[], latest=Party.first)
    with pytest.raises(SetupError, match="latest= of Related “visits” names a column of Party"):
        register(ContactSource(Party, fields=[strange], **own))
    with pytest.raises(SetupError, match="belongs into Related"):
        register(ContactSource(Party, addresses=[Email(Party.email, via=Party.visits)]))
    with pytest.raises(SetupError, match="names a column of Party, not of Employer"):
        register(ContactSource(Party, addresses=[Email(Party.email, via=Party.employer)]))
    with pytest.raises(SetupError, match="key= takes an attribute of Party"):
        register(ContactSource(Party, key=func.lower(Party.first), **own))
    assert register(MEMBERS).addresses == tuple(MEMBERS.addresses)


def test_enum_columns_bring_their_choices() -> None:
    known = register(PARTIES)
    size, tone = known.field("size"), known.field("tone")
    assert size is not None
    assert tone is not None
    assert (size.choices, tone.choices) == (("SMALL", "LARGE"), ("red", "green"))
