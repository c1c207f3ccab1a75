"""The host of the bench's audiences: contacts with companies and orders, and the plugin mounted over them."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Date, ForeignKey, Numeric, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from massmail_plugin import ContactSource, Email, Field, MassMail, Related, StatusMapping
from massmail_plugin.hosting import tune

SOURCE = "contact"
STATUSES = ("new", "prospect", "customer", "regular", "sleeping", "lost", "blocked")


class Base(DeclarativeBase):
    """The host's own base."""


class Company(Base):
    __tablename__ = "company"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    branch: Mapped[str] = mapped_column(String(40))


class Contact(Base):
    __tablename__ = "contact"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), index=True)
    email: Mapped[str | None] = mapped_column(String(254), index=True)
    city: Mapped[str] = mapped_column(String(80))
    status: Mapped[str] = mapped_column(String(20))
    active: Mapped[bool]
    balance: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    since: Mapped[date] = mapped_column(Date)
    company_id: Mapped[int | None] = mapped_column(ForeignKey("company.id"))

    company: Mapped[Company | None] = relationship()
    orders: Mapped[list["Order"]] = relationship(order_by="Order.id")


class Order(Base):
    __tablename__ = "customer_order"

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    item: Mapped[str] = mapped_column(String(60))
    total: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    ordered: Mapped[date] = mapped_column(Date)


def create_app(settings: Mapping[str, Any]) -> Flask:
    """The application with its plugin; `settings` hold the database and all `MASSMAIL_*` keys."""
    app = Flask("bench.audience")
    app.config.from_mapping(settings)
    db = SQLAlchemy(model_class=Base)
    db.init_app(app)
    with app.app_context():
        tune(db.engine)
    massmail = MassMail(
        contacts=ContactSource(
            Contact,
            source=SOURCE,
            addresses=[Email(Contact.email)],
            name=Contact.name,
            active=Contact.active,
            status=Contact.status,
            fields=[
                Field(Contact.city),
                Field(Contact.balance),
                Field(Contact.since),
                Field(Company.name, via=Contact.company),
                Field(Company.branch, via=Contact.company),
                Related(Order, via=Contact.orders, fields=[Order.item, Order.total, Order.ordered]),
            ],
        ),
        statuses=StatusMapping({}, known=lambda: STATUSES),
    )
    massmail.may(lambda user, act, subject: True)
    massmail.init_app(app, db=db)
    return app
