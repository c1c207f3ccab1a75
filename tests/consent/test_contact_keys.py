"""The host's key as text is the same in SQL and in Python, in both directions, whatever its type."""

import uuid
from typing import Any

import pytest
from sqlalchemy import CHAR, BigInteger, TypeDecorator, Uuid, literal, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from massmail_plugin.consent.contact_keys import has_key, key_from_text, key_text
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import ContactSource, Email, Host
from tests.consent.small_host import CLIENTS, MEMBERS, PERSONS, Client, Member, Person, running_host


class OwnUuid(TypeDecorator[uuid.UUID]):
    """What hosts wrote before SQLAlchemy had Uuid."""

    impl = CHAR(32)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        return None if value is None else uuid.UUID(str(value)).hex

    def process_result_value(self, value: Any, dialect: Any) -> uuid.UUID | None:
        return None if value is None else uuid.UUID(value)


class OldBase(DeclarativeBase):
    pass


class Old(OldBase):
    __tablename__ = "old"
    id: Mapped[uuid.UUID] = mapped_column(OwnUuid, primary_key=True)
    mail: Mapped[str | None]


class Texty(OldBase):
    __tablename__ = "texty"
    id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    mail: Mapped[str | None]


OLDS = ContactSource(Old, addresses=[Email(Old.mail)])
TEXTIES = ContactSource(Texty, addresses=[Email(Texty.mail)])


def fill(host: Host) -> None:
    OldBase.metadata.create_all(host.db.engine)
    ids = [uuid.uuid4() for _ in range(3)]
    host.session.add_all([Person(), Person(), *(Member(uid=one) for one in ids), *(Old(id=one) for one in ids)])
    host.session.add_all([Texty(id=str(one)) for one in ids])
    host.session.add_all([Client(code=code) for code in ("7", "007", "A-1", "é中", "no uuid at all")])
    host.session.flush()


@pytest.mark.parametrize("source", [PERSONS, MEMBERS, CLIENTS, OLDS, TEXTIES], ids=lambda s: s.source_name)
def test_both_directions_agree_with_python(host: Host, source: ContactSource) -> None:
    fill(host)
    column = register(source).key_column
    rows = host.session.execute(select(column, key_text(source))).all()
    assert len(rows) >= 2
    for key, text in rows:
        assert text == str(key)
        assert host.session.scalars(select(column).where(column == key_from_text(source, literal(text)))).all() == [key]
    found = host.session.scalars(select(column).where(has_key(source, [text for _, text in rows]))).all()
    assert sorted(map(str, found)) == sorted(text for _, text in rows)


@pytest.mark.parametrize("source", [PERSONS, MEMBERS, CLIENTS, OLDS, TEXTIES], ids=lambda s: s.source_name)
def test_text_that_is_no_key_matches_nobody(host: Host, source: ContactSource) -> None:
    fill(host)
    column = register(source).key_column
    bare = host.session.scalars(select(Member.uid)).first()
    assert bare is not None
    texts = ["", "x", "1x", "01", "+1", "1.0", "1e0", " 1", "9" * 30, "' OR 1=1 --", bare.hex, str(bare).upper()]
    assert host.session.scalars(select(column).where(has_key(source, [*texts, "\x00", "1\n"]))).all() == []
    for text in texts:
        assert host.session.scalars(select(column).where(column == key_from_text(source, literal(text)))).all() == []


def test_numbers_up_to_the_largest_a_column_holds(host: Host) -> None:
    host.session.add(Person(id=1))
    host.session.flush()
    texts = {str(number): number for number in (0, 7, -7, 10**18, 2**63 - 1, -(10**18) + 1)}
    for text, number in texts.items():
        same = key_from_text(PERSONS, literal(text)) == literal(number, BigInteger)
        assert host.session.scalar(select(literal(1)).where(same)) == 1
    for text in (str(2**63), str(10**19), "00", "-0", "0x7", "٧"):
        none = key_from_text(PERSONS, literal(text)).is_(None)
        assert host.session.scalar(select(literal(1)).where(none)) == 1
    assert host.session.scalars(select(Person.id).where(has_key(PERSONS, ["1", *texts, str(2**63)]))).all() == [1]


def test_the_hosts_index_is_used() -> None:
    with running_host("sqlite://") as host:
        for source in (PERSONS, MEMBERS):
            column = register(source).key_column
            statement = select(column).where(column == key_from_text(source, literal("1")))
            compiled = statement.compile(host.db.engine, compile_kwargs={"literal_binds": True})
            plan = host.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}").all()
            assert all("SEARCH" in line[-1] for line in plan)
