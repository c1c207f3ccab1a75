"""A host with as little as possible, to mount the plugin in every order and with every neighbour."""

import contextvars
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_login import LoginManager, UserMixin, login_user
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from massmail_plugin import ContactSource, Email, Field, MassMail, Outcome, StatusMapping

ADMIN = "/admin/massmail/"
STATUSES = ["new", "mailed", "keen", "gone"]


class Base(DeclarativeBase):
    """The host's own base."""


class Firm(Base):
    __tablename__ = "firms"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))


class Deal(Base):
    __tablename__ = "deals"
    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    worth: Mapped[int]


class Member(Base):
    __tablename__ = "members"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(80))
    status: Mapped[str] = mapped_column(String(20), default="new")
    firm_id: Mapped[int | None] = mapped_column(ForeignKey("firms.id"))
    firm: Mapped[Firm | None] = relationship()
    deals: Mapped[list[Deal]] = relationship()


class Seat(Base):
    """Keyed by two columns."""

    __tablename__ = "seats"
    row: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254))


class User(UserMixin):
    def __init__(self, name: str) -> None:
        self.id = name


def source(**options: Any) -> ContactSource:
    """Contacts that are well declared, but for what `options` say."""
    usual: dict[str, Any] = {
        "addresses": [Email(Member.email)],
        "name": Member.name,
        "status": Member.status,
        "fields": [Field(Firm.name, via=Member.firm)],
    }
    return ContactSource(Member, **{**usual, **options})


def mapping(**options: Any) -> StatusMapping:
    statuses = options.pop("statuses", {Outcome.SENT: "mailed", Outcome.CLICKED: "keen", Outcome.REMOVED: "gone"})
    return StatusMapping(statuses, **{"known": lambda: STATUSES, **options})


def plugin(*, permission: bool = True, **options: Any) -> MassMail:
    """The object as a host makes it, before there is an application."""
    massmail = MassMail(**{"contacts": source(), "statuses": mapping(), **options})
    if permission:
        massmail.may(lambda user, act, subject: user.id == "boss")
    return massmail


class Hosts:
    """Makes applications, each with a database of its own, and closes them after the test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.apps: list[Flask] = []

    def app(self, **config: Any) -> Flask:
        """With settings and somebody to sign in, but without a database set up."""
        number = len(self.apps)
        app = Flask(f"host{number}", instance_path=str(self._folder))
        app.config |= {
            "SECRET_KEY": "s" * 32,
            "SQLALCHEMY_DATABASE_URI": f"sqlite:///{self._folder / f'host{number}.sqlite3'}",
            "MASSMAIL_BASE_URL": "https://members.example",
            "MASSMAIL_SECRET_KEYS": ["k" * 40],
            **config,
        }
        logins = LoginManager(app)
        logins.user_loader(User)
        app.add_url_rule("/sign-in/<name>", "sign_in", lambda name: str(login_user(User(name))))
        self.apps.append(app)
        return app

    def db(self, app: Flask) -> SQLAlchemy:
        """The host's database, with its tables."""
        db = SQLAlchemy(model_class=Base)
        db.init_app(app)
        with app.app_context():
            Base.metadata.create_all(db.engine)
        return db

    def close(self) -> None:
        for app in self.apps:
            if "sqlalchemy" in app.extensions:
                with app.app_context():
                    app.extensions["sqlalchemy"].engine.dispose()


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    made = Hosts(tmp_path)
    yield made
    made.close()


class Visitor(FlaskClient):
    """A client whose requests have application contexts of their own, also where a test has one open."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        return contextvars.Context().run(super().open, *args, **kwargs)


def visitor(app: Flask, name: str = "boss") -> FlaskClient:
    """Somebody with a browser, signed in ("" for nobody)."""
    client = Visitor(app, app.response_class, use_cookies=True)
    if name:
        client.get(f"/sign-in/{name}")
    return client


def migrate(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["massmail", "db", "upgrade"])
    assert result.exit_code == 0, result.output
