"""The seed makes the same contacts every time, with every oddity a mailing must cope with."""

import re
from collections import Counter
from email.utils import parseaddr

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from sample_host.crm.models import STARTING_STATUSES, ActionItem, Company, Contact, Status, User, db
from sample_host.crm.seed import seed

from .conftest import TODAY


def test_counts_are_the_promised_ones(crm: Flask) -> None:
    with crm.app_context():
        assert count(Contact.id) == 1284
        assert count(Company.id) == 90
        assert count(Contact.email2) == 140
        assert 1284 - count(Contact.email1) == 60
        assert count(Contact.mobile) > 300
        assert count(Contact.fax) > 50
        assert count(ActionItem.id) > 400
        assert {user.role for user in db.session.scalars(select(User))} == {"developer", "marketing", "operations"}
        assert Status.names() == [name for name, _, _ in STARTING_STATUSES]


def test_addresses_are_under_reserved_names_only(crm: Flask) -> None:
    with crm.app_context():
        for address in db.session.scalars(select(Contact.email1).where(Contact.email1.is_not(None))):
            assert parseaddr(address)[1] == address
            assert re.fullmatch(r"[a-z0-9.]+@example\.(org|net|com)", address)


def test_a_few_households_share_an_address_and_names_are_in_many_scripts(crm: Flask) -> None:
    with crm.app_context():
        shared = Counter(db.session.scalars(select(Contact.email1).where(Contact.email1.is_not(None))))
        assert sum(times == 2 for times in shared.values()) == 9
        assert max(shared.values()) == 2
        for letter in "èñ中ö":
            assert db.session.scalar(select(func.count()).where(Contact.full_name.contains(letter)))


def test_the_seed_is_the_same_every_time(crm: Flask) -> None:
    query = select(Contact.id, Contact.full_name, Contact.email1, Contact.status, Contact.balance).order_by(Contact.id)
    with crm.app_context():
        first = db.session.execute(query).all()
        for table in reversed(db.metadata.sorted_tables):
            db.session.execute(table.delete())
        db.session.commit()
        with sessionmaker(db.engine, class_=Session)() as session:
            seed(session, TODAY)
            session.commit()
        assert db.session.execute(query).all() == first


def count(column: object) -> int:
    return db.session.scalar(select(func.count(column))) or 0  # type: ignore[arg-type]
