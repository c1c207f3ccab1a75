"""A small real host application with the plugin mounted: its contacts carry the values of the standard work item."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ForeignKey, Numeric, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from bench import work_item
from massmail_plugin import ContactSource, Email, Field, MassMail, Outcome, Related, StatusMapping
from massmail_plugin.contracts import Host
from massmail_plugin.hosting import tune

SOURCE = "contact"
STATUSES = ("new", "written_to", "failed", "bad_address", "reader", "visitor", "gone")


class Base(DeclarativeBase):
    """The host's own base."""


class Contact(Base):
    __tablename__ = "contact"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str | None] = mapped_column(String(254), index=True)
    first_name: Mapped[str] = mapped_column(String(60))
    last_name: Mapped[str] = mapped_column(String(60))
    company: Mapped[str] = mapped_column(String(120))
    city: Mapped[str] = mapped_column(String(80))
    plan: Mapped[str] = mapped_column(String(20))
    renewal: Mapped[str] = mapped_column(String(30))
    amount: Mapped[str] = mapped_column(String(20))
    coupon: Mapped[str] = mapped_column(String(20))
    active: Mapped[bool] = mapped_column(default=True)
    status: Mapped[str] = mapped_column(String(20), default="new")

    orders: Mapped[list["Order"]] = relationship(order_by="Order.id")


class Order(Base):
    __tablename__ = "customer_order"

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    title: Mapped[str] = mapped_column(String(60))
    total: Mapped[Decimal] = mapped_column(Numeric(12, 3))


def create_app(settings: Mapping[str, Any]) -> Flask:
    """The application with its plugin; `settings` hold the database and all `MASSMAIL_*` keys."""
    app = Flask("bench.host")
    app.config.from_mapping(settings)
    db = SQLAlchemy(model_class=Base)
    db.init_app(app)
    with app.app_context():
        tune(db.engine)
    _plugin().init_app(app, db=db)
    return app


def _plugin() -> MassMail:
    massmail = MassMail(
        contacts=ContactSource(
            Contact,
            source=SOURCE,
            addresses=[Email(Contact.email)],
            name=Contact.first_name + " " + Contact.last_name,
            active=Contact.active,
            status=Contact.status,
            fields=[
                *(Field(getattr(Contact, name)) for name in work_item.FIELDS),
                Related(Order, via=Contact.orders, fields=[Order.title, Order.total]),
            ],
        ),
        statuses=StatusMapping(
            {
                Outcome.SENT: "written_to",
                Outcome.FAILED: "failed",
                Outcome.BOUNCED: "bad_address",
                Outcome.READ: "reader",
                Outcome.CLICKED: "visitor",
                Outcome.REMOVED: "gone",
            },
            known=lambda: STATUSES,
        ),
    )
    massmail.may(lambda user, act, subject: True)
    return massmail


def host_of(app: Flask) -> Host:
    """The plugin as it is mounted."""
    host: Host = app.extensions["massmail"]
    return host


@contextmanager
def context(app: Flask) -> Iterator[Host]:
    """The application's context; what was not committed is forgotten, and no connection stays open."""
    with app.app_context():
        host = host_of(app)
        try:
            yield host
        finally:
            host.session.rollback()
            host.session.remove()
            host.db.engine.dispose()
