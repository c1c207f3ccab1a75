"""Fills an empty CRM with the same 1,284 contacts every time. The caller commits."""

import re
import unicodedata
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from sample_host.crm.accounts import DEMO_ACCOUNTS
from sample_host.crm.models import STARTING_STATUSES, ActionItem, Company, Contact, Status, User
from sample_host.crm.people import COMPANY_FIRST, COMPANY_LAST, PLACES, SEGMENTS, TASKS, Place

CONTACTS, COMPANIES = 1284, 90
TWO_ADDRESSES, NO_ADDRESS, HOUSEHOLDS, INACTIVE, NO_POST = 140, 60, 9, 23, 14
NOT_TRACKED = 107
"""Every so-manyth contact did not agree that opens and clicks are seen."""
CITIES = [city for place in PLACES for city in place.cities]
Row = dict[str, Any]


def seed(session: Session, today: date) -> None:
    """Adds statuses, accounts, companies, contacts and action items; `today` anchors the dates."""
    chance = Random(1284)
    add_statuses(session)
    add_accounts(session)
    companies = company_rows(chance)
    session.execute(insert(Company), companies)
    contacts = contact_rows(chance, today, responsible=list(session.scalars(select(User.id))))
    give_addresses(contacts, chance)
    session.execute(insert(Contact), contacts)
    session.execute(insert(ActionItem), action_item_rows(chance, today))
    move_sequences_on(session)


def add_statuses(session: Session) -> None:
    """The statuses this host begins with; its people may add their own."""
    session.execute(
        insert(Status),
        [
            {"name": name, "label": label, "color": tone, "position": position}
            for position, (name, label, tone) in enumerate(STARTING_STATUSES, 1)
        ],
    )


def add_accounts(session: Session) -> None:
    """One account for each role, with the passwords the demo prints."""
    for name, password, _ in DEMO_ACCOUNTS:
        user = User(name=name, role=name)
        user.set_password(password)
        session.add(user)
    session.flush()


def company_rows(chance: Random) -> list[Row]:
    """Ninety companies with different names."""
    every = [f"{first} {last}" for first in COMPANY_FIRST for last in COMPANY_LAST]
    return [
        {"id": number, "name": name, "city": chance.choice(CITIES), "segment": chance.choice(SEGMENTS)}
        for number, name in enumerate(chance.sample(every, COMPANIES), 1)
    ]


def contact_rows(chance: Random, today: date, responsible: list[int]) -> list[Row]:
    """The contacts without their addresses."""
    inactive, no_post = some(chance, INACTIVE), some(chance, NO_POST)
    rows = []
    for number in range(1, CONTACTS + 1):
        place = chance.choices(PLACES, [place.share for place in PLACES])[0]
        business = chance.random() < 0.55
        rows.append(
            {
                "id": number,
                "account_number": 40_000 + number * 7,
                **person(place, chance),
                "type": "Business" if business else "Consumer",
                "company_id": chance.randint(1, COMPANIES) if business else None,
                "responsible_id": chance.choice(responsible),
                "balance": Decimal(chance.randint(-4_000, 250_000)) / 100 if chance.random() < 0.6 else Decimal(0),
                "opened_on": today - timedelta(days=chance.randint(5, 4_000)),
                "status": "customer" if chance.random() < 0.62 else "new",
                "active": number not in inactive,
                "do_not_mail": number in no_post,
                "may_track": number % NOT_TRACKED != 0,
            }
        )
    return rows


def person(place: Place, chance: Random) -> Row:
    """Name, whereabouts and numbers of somebody from this place; `latin` spells the name for an address."""
    first, _, first_latin = chance.choice(place.first_names).partition("/")
    last, _, last_latin = chance.choice(place.last_names).partition("/")
    return {
        "first_name": first,
        "last_name": last,
        "latin": f"{latin(first_latin or first)}.{latin(last_latin or last)}",
        "city": chance.choice(place.cities),
        "country": place.country,
        "language": place.language,
        "time_zone": place.time_zone,
        "mobile": number_like(place.mobile, chance) if chance.random() < 0.7 else None,
        "fax": number_like(place.fax, chance) if chance.random() < 0.12 else None,
    }


def number_like(pattern: str | None, chance: Random) -> str | None:
    """A telephone number of this pattern; None where the country has none set aside for fiction."""
    return pattern.format(*(chance.randint(10, 99) for _ in range(2))) if pattern else None


def latin(name: str) -> str:
    """The name in lower-case ASCII letters."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss").replace("Ø", "O").replace("ø", "o"))
    return re.sub(r"[^a-z]", "", plain.encode("ascii", "ignore").decode().lower())


def give_addresses(contacts: list[Row], chance: Random) -> None:
    """Sets the e-mail addresses: most have one, some two, some none, and a few households share one."""
    without = some(chance, NO_ADDRESS)
    second = set(chance.sample([row["id"] for row in contacts if row["id"] not in without], TWO_ADDRESSES))
    taken: dict[str, int] = {}
    for row in contacts:
        name = row.pop("latin")
        taken[name] = taken.get(name, 0) + 1
        local = name if taken[name] == 1 else f"{name}{taken[name]}"
        domain = "example.com" if row["type"] == "Business" else chance.choice(("example.org", "example.net"))
        row["email1"] = None if row["id"] in without else f"{local}@{domain}"
        row["email2"] = f"{local}.private@example.net" if row["id"] in second else None
    home = [row for row in contacts if row["country"] == "GB" and row["type"] == "Consumer"]
    single = [row for row in home if row["email1"] and not row["email2"]]
    for one, other in zip(single[:HOUSEHOLDS], single[-HOUSEHOLDS:], strict=True):
        other.update(last_name=one["last_name"], city=one["city"], email1=one["email1"])


def some(chance: Random, count: int) -> set[int]:
    """The ids of `count` contacts."""
    return set(chance.sample(range(1, CONTACTS + 1), count))


def action_item_rows(chance: Random, today: date) -> list[Row]:
    """Action items for about a third of the contacts, some of them done and some overdue."""
    rows = []
    for contact in sorted(some(chance, 430)):
        for level, text in chance.sample(TASKS, chance.choice((1, 1, 1, 2, 3))):
            due = today + timedelta(days=chance.randint(-40, 60))
            done = due < today and chance.random() < 0.94
            rows.append({"contact_id": contact, "level": level, "text": text, "due": due, "done": done})
    return rows


def move_sequences_on(session: Session) -> None:
    """PostgreSQL's counters know nothing of ids that were given by hand."""
    if session.get_bind().dialect.name != "postgresql":
        return
    for table in ("companies", "contacts"):
        query = f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
        session.connection().exec_driver_sql(query)
