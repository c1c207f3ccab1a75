"""MassMail: what a host creates and mounts. Wires the rooms to one application; nothing is committed here."""

import hashlib
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import flask_admin
from flask import Flask, current_app
from flask_sqlalchemy.extension import SQLAlchemy
from markupsafe import Markup
from sqlalchemy.exc import SQLAlchemyError

from massmail_plugin import admin as admin_door
from massmail_plugin import cli, public
from massmail_plugin.config import read_config
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import (
    AddressFact,
    Clock,
    Condition,
    ContactRef,
    ContactSource,
    HistoryFact,
    Hooks,
    Host,
    HostCondition,
    InterestFact,
    May,
    NewContact,
    OutcomeFact,
    PreferenceFact,
    SendFact,
    StatusFact,
    StatusMapping,
)
from massmail_plugin.errors import SetupError, nearest
from massmail_plugin.jobs.queue import JobQueue
from massmail_plugin.mailings.history_copy import copy_for_history
from massmail_plugin.providers import load_event_readers, load_providers
from massmail_plugin.upkeep.contacts import merge_contact, retire_contact
from massmail_plugin.vocabulary import Outcome

try:
    from flask_babel import Babel
except ImportError:
    Babel = None

log = logging.getLogger(__name__)

DOCS = "docs/host-guide.md"

Action = Callable[[OutcomeFact], None]


class MassMail:
    """The plugin, as a host sees it. One object serves several applications.

    >>> massmail = MassMail(contacts=ContactSource(Contact, addresses=[Email(Contact.email)]), statuses=...)
    >>> massmail.init_app(app, db=db, admin=admin)
    """

    def __init__(
        self,
        *,
        contacts: ContactSource | Sequence[ContactSource],
        statuses: StatusMapping,
        clock: Clock | None = None,
    ) -> None:
        self._sources = (contacts,) if isinstance(contacts, ContactSource) else tuple(contacts)
        self._statuses = statuses
        self._clock = clock or _utc_now
        self._hooks = Hooks()

    # --- Hooks: one decorator per function a host may supply ---

    def may(self, function: May) -> May:
        """`may(user, act, subject) -> bool`: who may do what. Without it every screen stays closed."""
        if self._hooks.may is not None:
            raise SetupError("MassMail.may is set twice; one function decides about permissions.")
        self._hooks.may = function
        return function

    def on_outcome(self, function: Callable[[OutcomeFact], None]) -> Callable[[OutcomeFact], None]:
        """Called in a worker with each outcome, at least once, after its status was set; retried when it raises."""
        self._hooks.on_outcome.append(function)
        return function

    def on_interest(self, function: Callable[[InterestFact], None]) -> Callable[[InterestFact], None]:
        """Called in a worker when somebody followed a link with `data-interest` or `data-score`; retried likewise."""
        self._hooks.on_interest.append(function)
        return function

    def on_address_lost(self, function: Callable[[AddressFact], None]) -> Callable[[AddressFact], None]:
        """Called in a worker when an address is dead, or its reader complained: mark it in your records; retried."""
        self._hooks.on_address_lost.append(function)
        return function

    def write_history(self, function: Callable[[HistoryFact], None]) -> Callable[[HistoryFact], None]:
        """Puts a copy of a sent mail into the contact's history, where its template says so; retried when it raises."""
        if self._hooks.write_history is not None:
            raise SetupError("MassMail.write_history is set twice; one function writes the history.")
        self._hooks.write_history = function
        return function

    def action(self, name: str, label: str = "") -> Callable[[Action], Action]:
        """Registers what your application can do for each mail that was sent; templates choose it by its label."""

        def decorate(function: Action) -> Action:
            if name in self._hooks.actions:
                raise SetupError(f"The action “{name}” is registered twice.")
            self._hooks.actions[name] = (label or name.replace("_", " ").capitalize(), function)
            return function

        return decorate

    def set_status(self, function: Callable[[StatusFact], None]) -> Callable[[StatusFact], None]:
        """Sets a contact's status instead of the plain column; runs inside our transaction, must not commit."""
        if self._hooks.set_status is not None:
            raise SetupError("MassMail.set_status is set twice; one function sets the status.")
        self._hooks.set_status = function
        return function

    def before_send(self, function: Callable[[SendFact], str | None]) -> Callable[[SendFact], str | None]:
        """The one veto: return a reason to skip a mail that is about to leave, None to let it go."""
        self._hooks.before_send.append(function)
        return function

    def on_preference_change(self, function: Callable[[PreferenceFact], None]) -> Callable[[PreferenceFact], None]:
        """Called after a contact's wish changed and was stored, so that the host can store it too."""
        self._hooks.on_preference_change.append(function)
        return function

    def create_contact(
        self, function: Callable[[Sequence[NewContact]], Sequence[Any]]
    ) -> Callable[[Sequence[NewContact]], Sequence[Any]]:
        """Makes contacts for people of a file or of a sign-up whom the host does not know, many at once.

        Give their keys in the same order, None for whom you make none. It runs inside our transaction: add the rows to
        `db.session`, flush, and do not commit. Without it only contacts that are there already are taken.
        """
        if self._hooks.create_contact is not None:
            raise SetupError("MassMail.create_contact is set twice; one function makes contacts.")
        self._hooks.create_contact = function
        return function

    def page_context(self, function: Callable[[], Mapping[str, Any]]) -> Callable[[], Mapping[str, Any]]:
        """Gives the recipients' pages more template variables (logo, colours, footer)."""
        self._hooks.page_context = function
        return function

    def condition(
        self, name: str, *, label: str | None = None, source: str | None = None
    ) -> Callable[[Condition], Condition]:
        """Registers a criterion coded by the host: `condition(model) -> SQL clause`.

        `source` names the one contact source it is for; without, it is offered for all of them.
        """

        def decorate(function: Condition) -> Condition:
            if name in self._hooks.conditions:
                raise SetupError(f"The condition “{name}” is registered twice.")
            said = label or name.replace("_", " ").capitalize()
            self._hooks.conditions[name] = HostCondition(said, function, source)
            return function

        return decorate

    # --- Mounting ---

    def init_app(self, app: Flask, *, db: SQLAlchemy, admin: flask_admin.Admin | None = None) -> None:
        """Mount the plugin: checks every name, adds the menu section, the public pages and `flask massmail`.

        Raises SetupError or ConfigError, naming what is wrong, before the first request is served.
        """
        if "massmail" in app.extensions:
            raise SetupError("A MassMail is already mounted on this application; call init_app once for each app.")
        host = self._host(app, db)
        self._check_where_statuses_go()
        _check_statuses(app, host)
        _set_up_babel(app)
        app.extensions["massmail"] = host
        public.mount(app, host)
        admin_door.add_views(admin or _admin_of(app), host)
        app.jinja_env.globals["massmail_record"] = self.record
        cli.register(app)

    def contact_panel(self, source: str, key: Any) -> Markup:
        """What a contact got from us, as HTML for the host's own contact page; empty where the user may not see it."""
        return admin_door.contact_panel(_mounted(), ContactRef(source, str(key)))

    def record(self, contact: Any) -> Markup:
        """`contact_panel` for a row of a contact source; in the host's templates it is `massmail_record(contact)`."""
        host = _mounted()
        return admin_door.contact_panel(host, admin_door.contact_of(host, contact))

    def preference_changed(
        self,
        source: str,
        key: Any,
        *,
        wants_mail: bool,
        list_: int | str | None = None,
        topic: int | str | None = None,
        by: str = "",
    ) -> bool:
        """Tell us that your own flag of a contact changed: for one list or topic (id or name), else for all mail.

        True where that was news; the caller commits. It does nothing while `on_preference_change` runs for the same
        contact, so your function may write your flag without a circle.
        """
        contact = ContactRef(source, str(key))
        return public.preference_from_host(_mounted(), contact, wants_mail=wants_mail, list_=list_, topic=topic, by=by)

    def contact_merged(self, old: ContactRef, new: ContactRef) -> None:
        """Tell us that `new` takes the place of `old`: history, lists and wishes go over; the caller commits."""
        merge_contact(_mounted(), old, new)

    def contact_deleted(self, contact: ContactRef) -> None:
        """Tell us that a contact is gone: it gets nothing more, and nobody who gets its key later inherits its history.

        Call it before or after you delete the row; the caller commits.
        """
        retire_contact(_mounted(), contact)

    def _host(self, app: Flask, db: SQLAlchemy) -> Host:
        config = read_config(app.config)
        jobs = JobQueue(config, self._clock)
        providers = load_providers()
        return Host(
            config=config,
            db=_checked_db(app, db),
            sources=_checked_sources(self._sources),
            statuses=self._checked_statuses(),
            hooks=self._hooks,
            clock=self._clock,
            wake=jobs.wake,
            queue_status=jobs.status,
            providers=providers,
            event_readers=load_event_readers(providers),
            state_dir=_state_dir(app, db, Path(config.state_dir or Path(app.instance_path, "massmail"))),
            copy_of=copy_for_history,
        )

    def _checked_statuses(self) -> StatusMapping:
        if not isinstance(self._statuses, StatusMapping):
            raise SetupError(f"MassMail(statuses=...) takes a StatusMapping, not {self._statuses!r}.")
        _check_mapping(self._statuses)
        return self._statuses

    def _check_where_statuses_go(self) -> None:
        """A mapping that nothing could ever write is a forgotten column."""
        if not self._statuses.statuses or self._statuses.target == "membership" or self._hooks.set_status:
            return
        for source in self._sources:
            if source.status is None:
                raise SetupError(
                    f"ContactSource({source.source_name}) has no status=, so the statuses of the StatusMapping could "
                    "not be written. Name the column, or set them yourself with massmail.set_status (before init_app)."
                )


def _check_mapping(mapping: StatusMapping) -> None:
    """What can be told without asking the host for its statuses."""
    if not callable(mapping.known):
        raise SetupError(f"StatusMapping(known=...) takes a function that gives your statuses, not {mapping.known!r}.")
    for outcome in mapping.statuses:
        if outcome not in list(Outcome):
            raise SetupError(f"StatusMapping: “{outcome}” is no outcome. {nearest(str(outcome), list(Outcome))}")
    targets = get_args(StatusMapping.__annotations__["target"])
    if mapping.target not in targets:
        raise SetupError(f"StatusMapping: target “{mapping.target}” is unknown. {nearest(mapping.target, targets)}")


def _set_up_babel(app: Flask) -> None:
    """Flask-Admin translates through flask-babel as soon as it is installed and fails where nobody set it up.

    A host that sets it up later replaces this.
    """
    if Babel is not None and "babel" not in app.extensions:
        Babel(app)


def _check_statuses(app: Flask, host: Host) -> None:
    """Statuses often live in a table: where it cannot be read yet (before the first migration), doctor checks later."""
    with app.app_context():
        try:
            if set(host.statuses.known()):
                host.statuses.check()
        except SQLAlchemyError:
            log.info("The host's statuses cannot be read yet; the status mapping is checked by `flask massmail doctor`")
            host.session.rollback()


def _checked_db(app: Flask, db: SQLAlchemy) -> SQLAlchemy:
    if not isinstance(db, SQLAlchemy):
        raise SetupError(f"init_app(db=...) takes the host's SQLAlchemy object of Flask-SQLAlchemy, not {db!r}.")
    if app.extensions.get("sqlalchemy") is not db:
        raise SetupError("init_app(db=...): call db.init_app(app) before massmail.init_app(app, ...).")
    return db  # type: ignore[no-any-return]


def _state_dir(app: Flask, db: SQLAlchemy, folder: Path) -> Path:
    """A folder for this database alone.

    Journals and spools name rows by their numbers: read into the database of another installation that was given the
    same folder, they would speak of other people. The server's address is left out, since a worker may well reach
    the same database by another way than the web processes.
    """
    with app.app_context():
        url = db.engine.url
    database = url.database or "memory"
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(database).stem).strip("-")[:40] or "database"
    mark = hashlib.sha256(f"{url.get_backend_name()}:{database}".encode()).hexdigest()[:8]
    return folder / f"{readable}-{mark}"


def _checked_sources(sources: Sequence[ContactSource]) -> dict[str, ContactSource]:
    if not sources:
        raise SetupError("MassMail(contacts=...) is empty; name at least one ContactSource.")
    found: dict[str, ContactSource] = {}
    for source in sources:
        if not isinstance(source, ContactSource):
            raise SetupError(f"MassMail(contacts=...) takes ContactSource, not {source!r}.")
        register(source)
        if source.source_name in found:
            raise SetupError(f"Two contact sources are called “{source.source_name}”; give one a source= of its own.")
        found[source.source_name] = source
    return found


def _admin_of(app: Flask) -> flask_admin.Admin:
    """The host's first Admin, or one of our own where the host has none."""
    mounted: list[flask_admin.Admin] = app.extensions.get("admin", [])
    return mounted[0] if mounted else flask_admin.Admin(app, url="/massmail-admin", endpoint="massmail_admin")


def _mounted() -> Host:
    if "massmail" not in current_app.extensions:
        raise SetupError(f"MassMail is not mounted on this application; call init_app first (see {DOCS}).")
    host: Host = current_app.extensions["massmail"]
    return host


def _utc_now() -> datetime:
    return datetime.now(UTC)
