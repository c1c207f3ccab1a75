"""Fills the host with contacts and puts them on lists: set-based, so that a million takes seconds. Commits."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, String, case, cast, insert, literal, select, text

from bench import work_item
from bench.host import SOURCE, Base, Contact, Order
from massmail_plugin import consent
from massmail_plugin.consent.proof import Proof
from massmail_plugin.contracts import Host
from massmail_plugin.models import List
from massmail_plugin.upkeep import schema
from massmail_plugin.vocabulary import ConsentWay

ORDERS_EACH = 2


def set_up(host: Host, number: int) -> None:
    """Make all tables, `number` contacts, and their orders."""
    Base.metadata.create_all(host.db.engine)
    schema.upgrade(host)
    host.session.execute(insert(Contact).from_select(_COLUMNS, _contacts(number)))
    for one in range(ORDERS_EACH):
        host.session.execute(insert(Order).from_select(["contact_id", "title", "total"], _orders(one)))
    host.session.commit()
    analyse(host)


def list_of(host: Host, number: int) -> int:
    """The id of a new list with the first `number` contacts."""
    made = List(name=f"The first {number:,}", created_at=host.clock())
    host.session.add(made)
    keys = select(cast(Contact.id, String)).where(Contact.id <= number)
    consent.subscribe_selected(host, made, host.source(SOURCE), keys, proof=Proof(ConsentWay.PERSON, evidence="bench"))
    list_id = made.id
    host.session.commit()
    analyse(host)
    return list_id


def analyse(host: Host) -> None:
    """The planner knows what is in tables that are old; these are new."""
    host.session.execute(text("ANALYZE"))
    host.session.commit()


_COLUMNS = ["id", "email", *work_item.FIELDS, "active", "status"]


def _contacts(number: int) -> Select[Any]:
    """The same values as `work_item.person`."""
    first = select(literal(1).label("n")).cte("numbers", recursive=True)
    n: ColumnElement[int] = first.union_all(select(first.c.n + 1).where(first.c.n < number)).c.n
    words = cast(n, String)
    values: dict[str, ColumnElement[Any]] = {
        "id": n,
        "email": "reader" + words + "@mail" + cast(n % 97, String) + ".bench.example",
        "first_name": _turn(n, work_item.FIRST_NAMES),
        "last_name": _turn(n, work_item.LAST_NAMES) + " " + words,
        "company": _turn(n, work_item.COMPANIES) + " " + cast(n % 1000, String),
        "city": _turn(n, work_item.CITIES),
        "plan": _turn(n, work_item.PLANS),
        "renewal": cast(1 + n % 28, String) + " January 2027",
        "amount": "€ " + cast(20 + n % 180, String) + ".00",
        "coupon": "WIN-" + words,
        "active": literal(True),
        "status": literal("new"),
    }
    return select(*[values[name] for name in _COLUMNS])


def _orders(one: int) -> Select[Any]:
    price = cast(Contact.id % 90 + one, Order.total.type) + literal(0.455, Order.total.type)
    return select(Contact.id, _turn(Contact.id + one, work_item.PRODUCTS), price)


def _turn(number: Any, words: Sequence[str]) -> ColumnElement[str]:
    """One word after the other."""
    return case({place: literal(word) for place, word in enumerate(words)}, value=number % len(words))
