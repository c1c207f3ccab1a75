"""The tables of the CRM. Statuses are rows of the host's own: the plugin only ever names them."""

from datetime import date, datetime
from decimal import Decimal

from flask_login import UserMixin
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, ForeignKey, MetaData, Numeric, String, Text, false, func, select, true
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.sql.elements import ColumnElement
from werkzeug.security import check_password_hash, generate_password_hash


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base)

# name, label, tone of the badge; in the order the CRM shows them.
STARTING_STATUSES = (
    ("new", "New", "slate"),
    ("customer", "Customer", "teal"),
    ("mail_sent", "Mail sent", "blue"),
    ("mail_failed", "Mail failed", "amber"),
    ("bad_address", "Bad address", "red"),
    ("mail_read", "Mail read", "violet"),
    ("interested", "Interested", "green"),
    ("removed", "Removed", "graphite"),
    ("complained", "Complained", "red"),
)
TONES = ("slate", "teal", "blue", "amber", "red", "violet", "green", "graphite")
ROLES = ("developer", "marketing", "operations")


class Status(db.Model):  # type: ignore[name-defined]
    __tablename__ = "statuses"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    label: Mapped[str] = mapped_column(String(60))
    color: Mapped[str] = mapped_column(String(20), default="slate")
    position: Mapped[int] = mapped_column(default=0)

    @staticmethod
    def names() -> list[str]:
        """The names of all statuses, in order."""
        return list(db.session.scalars(select(Status.name).order_by(Status.position)))

    def __str__(self) -> str:
        return self.label


class User(UserMixin, db.Model):  # type: ignore[name-defined]
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(20))

    def set_password(self, password: str) -> None:
        """Keeps only the salted hash of the password."""
        self.password_hash = generate_password_hash(password)

    def has_password(self, password: str) -> bool:
        """True if this is the account's password."""
        return check_password_hash(self.password_hash, password)

    def __str__(self) -> str:
        return self.name


class Company(db.Model):  # type: ignore[name-defined]
    __tablename__ = "companies"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    city: Mapped[str] = mapped_column(String(80), default="")
    segment: Mapped[str] = mapped_column(String(40), default="")

    contacts: Mapped[list["Contact"]] = relationship(back_populates="company")

    def __str__(self) -> str:
        return self.name


class Contact(db.Model):  # type: ignore[name-defined]
    __tablename__ = "contacts"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_number: Mapped[int] = mapped_column(unique=True)
    first_name: Mapped[str] = mapped_column(String(60))
    last_name: Mapped[str] = mapped_column(String(60), index=True)
    email1: Mapped[str | None] = mapped_column(String(254), index=True)
    email2: Mapped[str | None] = mapped_column(String(254), index=True)
    email1_bad: Mapped[bool] = mapped_column(default=False, server_default=false())
    email2_bad: Mapped[bool] = mapped_column(default=False, server_default=false())
    mobile: Mapped[str | None] = mapped_column(String(32))
    fax: Mapped[str | None] = mapped_column(String(32))
    city: Mapped[str] = mapped_column(String(80), default="")
    country: Mapped[str] = mapped_column(String(2), default="")
    language: Mapped[str] = mapped_column(String(8), default="en")
    time_zone: Mapped[str] = mapped_column(String(40), default="UTC")
    type: Mapped[str] = mapped_column(String(20), default="Consumer")
    balance: Mapped[Decimal] = mapped_column(Numeric(12, 2), default=Decimal("0"))
    opened_on: Mapped[date]
    active: Mapped[bool] = mapped_column(default=True)
    do_not_mail: Mapped[bool] = mapped_column(default=False)
    may_track: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether the contact agreed that opens and clicks are seen."""
    status: Mapped[str] = mapped_column(ForeignKey("statuses.name", onupdate="CASCADE"), default="new", index=True)
    responsible_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    company_id: Mapped[int | None] = mapped_column(ForeignKey("companies.id"), index=True)

    responsible: Mapped[User | None] = relationship()
    company: Mapped[Company | None] = relationship(back_populates="contacts")
    action_items: Mapped[list["ActionItem"]] = relationship(
        back_populates="contact", order_by="ActionItem.due", cascade="all, delete-orphan"
    )

    letters: Mapped[list["Letter"]] = relationship(order_by="Letter.at.desc()", cascade="all, delete-orphan")
    interests: Mapped[list["Interest"]] = relationship(order_by="Interest.at.desc()", cascade="all, delete-orphan")

    @hybrid_property
    def full_name(self) -> str:
        """First and last name; in a query the same as an SQL expression."""
        return f"{self.first_name} {self.last_name}".strip()

    @full_name.inplace.expression
    @classmethod
    def _full_name_in_sql(cls) -> ColumnElement[str]:
        return func.trim(cls.first_name + " " + cls.last_name)

    def __str__(self) -> str:
        return self.full_name


class ActionItem(db.Model):  # type: ignore[name-defined]
    __tablename__ = "action_items"

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), index=True)
    level: Mapped[str] = mapped_column(String(10), default="normal")
    due: Mapped[date] = mapped_column(index=True)
    done: Mapped[bool] = mapped_column(default=False)
    text: Mapped[str] = mapped_column(Text)

    contact: Mapped[Contact] = relationship(back_populates="action_items")

    def __str__(self) -> str:
        return self.text


class Letter(db.Model):  # type: ignore[name-defined]
    """A mail that was sent to the contact, as the history keeps it."""

    __tablename__ = "letters"

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), index=True)
    report_id: Mapped[int] = mapped_column(unique=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    subject: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)


class Interest(db.Model):  # type: ignore[name-defined]
    """What a contact showed interest in, and what that is worth."""

    __tablename__ = "interests"

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), index=True)
    report_id: Mapped[int] = mapped_column(unique=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    name: Mapped[str] = mapped_column(String(40))
    score: Mapped[int]
