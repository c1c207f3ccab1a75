"""A host unlike the sample: UUID keys, other column names, statuses in a table of their own reached by a hook, a base
template of its own, CSRFProtect and a nonce CSP on, a menu that was there before, admin screens open to everybody.
"""

import secrets
import uuid
from typing import Any

from flask import Flask, g
from flask_admin import Admin
from flask_admin.contrib.sqla import ModelView
from flask_admin.theme import Bootstrap4Theme
from flask_login import LoginManager, UserMixin, login_user
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from flask_wtf.csrf import generate_csrf
from sqlalchemy import ForeignKey, String, Uuid, select
from sqlalchemy.orm import DeclarativeBase, Mapped, column_property, mapped_column, relationship

from massmail_plugin import ContactSource, Email, Field, MassMail, Outcome, StatusFact, StatusMapping
from massmail_plugin.contracts import Clock
from massmail_plugin.hosting import tune


class Base(DeclarativeBase):
    """The host's own base."""


class Stage(Base):
    """What this host calls a status."""

    __tablename__ = "stages"
    stage_no: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(30), unique=True)


class Household(Base):
    __tablename__ = "households"
    household_no: Mapped[int] = mapped_column(primary_key=True)
    town: Mapped[str] = mapped_column(String(80))


class Person(Base):
    """What this host calls a contact."""

    __tablename__ = "people"
    person_uid: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=uuid.uuid4)
    called: Mapped[str] = mapped_column(String(80))
    mailbox: Mapped[str | None] = mapped_column(String(254))
    stage_no: Mapped[int] = mapped_column(ForeignKey("stages.stage_no"))
    household_no: Mapped[int | None] = mapped_column(ForeignKey("households.household_no"))
    household: Mapped[Household | None] = relationship()
    stage = column_property(
        select(Stage.code).where(Stage.stage_no == stage_no).correlate_except(Stage).scalar_subquery()
    )


class User(UserMixin):
    """Logged in by a header-less address of the tests."""

    def __init__(self, name: str) -> None:
        self.id = name


STAGES = ["fresh", "mailed", "unreachable", "curious", "keen", "gone"]


def create_host(database_url: str, redis_url: str, clock: Clock | None = None, **settings: Any) -> Flask:
    """A new application with its own objects: two of them live in one process."""
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=secrets.token_hex(16),
        SQLALCHEMY_DATABASE_URI=database_url,
        MASSMAIL_BASE_URL="http://people.example",
        MASSMAIL_SECRET_KEYS=[secrets.token_urlsafe(32)],
        MASSMAIL_REDIS_URL=redis_url,
    )
    app.config |= settings
    db = SQLAlchemy(model_class=Base)
    db.init_app(app)
    _nonce(app)
    CSRFProtect(app)
    _logins(app)
    admin = Admin(
        app,
        name="People",
        theme=Bootstrap4Theme(base_template="people/base.html"),
        csp_nonce_generator=lambda: g.nonce,
    )
    admin.add_view(ModelView(Household, db, category="Register"))
    with app.app_context():
        tune(db.engine)
        Base.metadata.create_all(db.engine)
        if not db.session.scalar(select(Stage.stage_no).limit(1)):
            db.session.add_all(Stage(code=code) for code in STAGES)
            db.session.commit()
    _mount(app, db, admin, clock)
    return app


def _mount(app: Flask, db: SQLAlchemy, admin: Admin, clock: Clock | None) -> None:
    massmail = MassMail(
        contacts=ContactSource(
            Person,
            source="person",
            addresses=[Email(Person.mailbox)],
            name=Person.called,
            status=Person.stage,
            fields=[Field(Person.called), Field(Household.town, via=Person.household)],
        ),
        statuses=StatusMapping(
            {
                Outcome.SENT: "mailed",
                Outcome.BOUNCED: "unreachable",
                Outcome.READ: "curious",
                Outcome.CLICKED: "keen",
                Outcome.REMOVED: "gone",
            },
            known=lambda: db.session.scalars(select(Stage.code)),
        ),
        clock=clock,
    )

    @massmail.set_status
    def set_stage(fact: StatusFact) -> None:
        person = db.session.get_one(Person, uuid.UUID(fact.contact.key))
        person.stage_no = db.session.scalars(select(Stage.stage_no).where(Stage.code == fact.new)).one()

    @massmail.may
    def may(user: Any, act: str, subject: object) -> bool:
        return user.is_authenticated and user.id == "boss"

    massmail.init_app(app, db=db, admin=admin)


def _logins(app: Flask) -> None:
    logins = LoginManager(app)
    logins.login_view = "log_in"
    logins.user_loader(User)

    @app.get("/log-in")
    def log_in() -> str:
        return "Say who you are."

    @app.get("/log-in/<name>")
    def log_in_as(name: str) -> str:
        login_user(User(name))
        return f"Hello {name}"

    @app.get("/token")
    def token() -> str:
        return str(generate_csrf())


def _nonce(app: Flask) -> None:
    @app.before_request
    def draw() -> None:
        g.nonce = secrets.token_urlsafe(16)

    @app.after_request
    def guard(response: Any) -> Any:
        scripts, styles = f"script-src 'nonce-{g.nonce}'", f"style-src 'self' 'nonce-{g.nonce}'"
        policy = f"default-src 'self'; {scripts}; {styles}; img-src 'self' data:"
        response.headers.setdefault("Content-Security-Policy", policy)
        return response
