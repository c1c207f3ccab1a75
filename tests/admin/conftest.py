"""A small host of its own for the admin screens: a nonce CSP, one table of contacts, users with rights by name."""

import contextvars
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask, g
from flask.testing import FlaskClient
from flask_admin import Admin
from flask_babel import Babel
from flask_login import LoginManager, UserMixin, login_user
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from playwright.sync_api import Browser, Page
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.serving import make_server

from massmail_plugin.admin import add_views
from massmail_plugin.config import read_config
from massmail_plugin.contracts import ContactSource, Email, Field, Hooks, Host, QueueState, StatusMapping
from massmail_plugin.providers import load_event_readers, load_providers
from massmail_plugin.vocabulary import Act, Outcome
from tests.databases import bring_tables

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SENDING = {
    Act.MAILING_SEND,
    Act.CAMPAIGN_ACTIVATE,
    Act.SENDER_MANAGE,
    Act.SUPPRESSION_MANAGE,
    Act.SYSTEM_VIEW,
    Act.WEBHOOK_MANAGE,
}


class User(UserMixin):
    """An account whose name says what it may do: all, writer (does not send), nobody."""

    def __init__(self, name: str) -> None:
        self.name = self.id = name


def may(user: User, act: Act, subject: Any) -> bool:
    return user.name == "all" or (user.name == "writer" and act not in SENDING)


class Visitor(FlaskClient):
    """A client whose requests have application contexts of their own, also where a test has one open."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        return contextvars.Context().run(super().open, *args, **kwargs)


class Catalogue:
    """What a test holds in its hands: the app, the host, and what the queue should answer."""

    def __init__(
        self, app: Flask, host: Host, contact: type[Any], queue: dict[str, QueueState], woken: list[str]
    ) -> None:
        self.app, self.host, self.contact, self.queue, self.woken = app, host, contact, queue, woken

    def client(self, name: str = "all") -> FlaskClient:
        """A browser without scripts, signed in as `name` ("" for a stranger)."""
        client = self.app.test_client()
        if name:
            client.post("/sign-in/" + name)
        return client


def build(
    folder: Path,
    *,
    protect: bool = False,
    permission: Any = may,
    init_admin_later: bool = False,
    providers: Mapping[str, Any] | None = None,
    target: Literal["contact", "membership", "both"] = "contact",
    **config: Any,
) -> Catalogue:
    """A host application with two contacts and the admin door in its menu."""
    app = Flask("small_host", instance_path=str(folder))
    app.test_client_class = Visitor
    app.config.update(
        SECRET_KEY="a-secret-of-this-test",
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{folder / 'host.sqlite3'}",
        MASSMAIL_BASE_URL="https://crm.example.org",
        MASSMAIL_SECRET_KEYS=["k" * 40],
        **config,
    )
    db = SQLAlchemy()

    class Contact(db.Model):  # type: ignore[name-defined,misc]
        __tablename__ = "contact"
        id: Mapped[int] = mapped_column(primary_key=True)
        first_name: Mapped[str] = mapped_column(String(60))
        last_name: Mapped[str] = mapped_column(String(60))
        email: Mapped[str | None] = mapped_column(String(254))
        city: Mapped[str] = mapped_column(String(80), default="")
        status: Mapped[str] = mapped_column(String(40), default="new")

    db.init_app(app)
    Babel(app)
    _content_security(app)
    if protect:
        CSRFProtect(app)
    _sign_in_pages(app)
    admin = Admin(name="Small host", csp_nonce_generator=lambda: g.nonce)
    if not init_admin_later:
        admin.init_app(app)
    queue = {"now": QueueState(True, 1, 0)}
    woken: list[str] = []
    host = Host(
        config=read_config(app.config),
        db=db,
        sources={"contact": _source(Contact)},
        statuses=StatusMapping(
            {Outcome.SENT: "mailed", Outcome.CLICKED: "interested"},
            known=lambda: ["new", "mailed", "interested", "removed"],
            target=target,
        ),
        hooks=Hooks(may=permission),
        clock=lambda: NOON,
        wake=woken.append,
        queue_status=lambda: queue["now"],
        providers=providers or load_providers(),
        state_dir=Path(app.instance_path, "massmail"),
        event_readers=load_event_readers({}),
    )
    app.extensions["massmail"] = host
    add_views(admin, host)
    if init_admin_later:
        admin.init_app(app)
    with app.app_context():
        bring_tables(db.engine)
        db.create_all()
        db.session.add_all(
            [
                Contact(first_name="Zoë", last_name="Ñandú", email="zoe@example.org", city="Lyon"),
                Contact(first_name="Ada", last_name="<b>Bold</b>", email="ada@example.org", city="Turin"),
            ]
        )
        db.session.commit()
    return Catalogue(app, host, Contact, queue, woken)


def _source(contact: type[Any]) -> ContactSource:
    return ContactSource(
        contact,
        addresses=[Email(contact.email)],
        name=contact.first_name,
        status=contact.status,
        fields=[
            Field(contact.first_name, label="First name"),
            Field(contact.last_name, label="Last name"),
            Field(contact.city),
        ],
    )


def _sign_in_pages(app: Flask) -> None:
    manager = LoginManager(app)
    manager.login_view = "sign_in_page"
    manager.user_loader(User)
    app.add_url_rule("/sign-in", "sign_in_page", lambda: "Who are you?")
    app.add_url_rule("/favicon.ico", "icon", lambda: ("", 204))

    @app.post("/sign-in/<name>")
    def sign_in(name: str) -> str:
        login_user(User(name))
        return name

    if "csrf" in app.extensions:
        app.extensions["csrf"].exempt(sign_in)


def _content_security(app: Flask) -> None:
    @app.before_request
    def nonce() -> None:
        g.nonce = secrets.token_urlsafe(12)

    @app.after_request
    def policy(response: Any) -> Any:
        response.headers["Content-Security-Policy"] = (
            f"default-src 'self'; script-src 'self' 'nonce-{g.nonce}'; style-src 'self' 'nonce-{g.nonce}'; "
            "img-src 'self' data:; frame-src 'self'; form-action 'self'; base-uri 'none'"
        )
        return response


@pytest.fixture
def small_host(tmp_path: Path) -> Iterator[Catalogue]:
    """A host with the admin door, inside an application context for arranging rows."""
    built = build(tmp_path)
    with built.app.app_context():
        yield built


@pytest.fixture
def make_host(tmp_path: Path) -> Callable[..., Catalogue]:
    """Builds hosts that differ: make_host("name", protect=True, ...)."""

    def make(name: str, **options: Any) -> Catalogue:
        folder = tmp_path / name
        folder.mkdir()
        return build(folder, **options)

    return make


def form_of(page: str) -> Mapping[str, str]:
    """The token field of a page, to be sent back with a form."""
    _, _, rest = page.partition('name="csrf_token" value="')
    return {"csrf_token": rest.partition('"')[0]}


@pytest.fixture
def serve() -> Iterator[Callable[[Flask], str]]:
    """Serves an app on loopback for the time of a test: serve(app) gives its address."""
    servers = []

    def start(app: Flask) -> str:
        server = make_server("127.0.0.1", 0, app, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.port}"

    yield start
    for server in servers:
        server.shutdown()


@pytest.fixture
def open_page(browser: Browser, serve: Callable[[Flask], str]) -> Iterator[Callable[..., Page]]:
    """open_page(small_host, "all", width=390): a page of Chromium, signed in; page.goto("/admin/...").

    `page.troubles` collects what the console and the policy complain about.
    """
    contexts = []

    def open_(built: Catalogue, name: str = "all", *, width: int = 1280, scripts: bool = True) -> Page:
        context = browser.new_context(
            base_url=serve(built.app),
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
            timezone_id="Europe/Rome",
        )
        contexts.append(context)
        context.request.post("/sign-in/" + name)
        page = context.new_page()
        page.troubles = []  # type: ignore[attr-defined]
        page.on("console", lambda m: page.troubles.append(m.text) if m.type in ("error", "warning") else None)  # type: ignore[attr-defined]
        page.on("pageerror", lambda e: page.troubles.append(str(e)))  # type: ignore[attr-defined]
        return page

    yield open_
    for context in contexts:
        context.close()


def faults(page: Page) -> list[str]:
    """What axe finds on the whole page (WCAG 2.0 to 2.2 A/AA and best practice), one line each."""
    page.wait_for_load_state()
    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {n['html'][:160]} {n['failureSummary'][:160]}" for v in found for n in v["nodes"]]
