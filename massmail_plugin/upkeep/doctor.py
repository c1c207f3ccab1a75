"""Says what is missing for mail to leave and answers to come back. CLI and the System screen enter.

Reads only, but for a file in the state directory that is gone at once. The session is rolled back around each check,
so the caller must have nothing uncommitted in it.
"""

import logging
from collections.abc import Iterable, Mapping

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from massmail_plugin.contracts import Host
from massmail_plugin.portable_sql import dialect
from massmail_plugin.upkeep import application, machine, mailboxes, pages, processes, tables, web_address
from massmail_plugin.upkeep.check import Check, Level, Look, fail

log = logging.getLogger(__name__)

__all__ = ["Check", "Level", "checks", "worst"]

STATEMENT_SECONDS = 5

LOOKS: Mapping[str, Look] = {
    "migrations": tables.migrations,
    "sqlite": tables.sqlite,
    "host migrations": tables.host_migrations,
    "queue": processes.queue,
    "scheduler": processes.scheduler,
    "state directory": machine.state_dir,
    "journals": machine.journals,
    "opens and clicks": machine.spool,
    "clock": machine.clock,
    "event loop": machine.event_loop,
    "staging": machine.staging,
    "base url": web_address.base_url,
    "secret keys": application.secret_keys,
    "senders": application.senders,
    "signatures": application.signatures,
    "contacts": application.contacts,
    "statuses": application.statuses,
    "permissions": application.permissions,
    "mailboxes": mailboxes.mailboxes,
    "opting out by mail": mailboxes.opting_out,
    "event feeds": mailboxes.feeds,
    "pages": pages.pages,
    "outcome reports": processes.outcome_reports,
    "webhooks": processes.webhooks,
}


def checks(host: Host) -> list[Check]:
    """Every finding, in the order one would put things right. Never raises; each check ends after some seconds."""
    return [check for name, look in LOOKS.items() for check in _run(host, name, look)]


def worst(found: Iterable[Check]) -> Level:
    """The worst level among the findings."""
    levels = list(Level)
    return max((check.level for check in found), key=levels.index, default=Level.OK)


def _run(host: Host, name: str, look: Look) -> list[Check]:
    try:
        _bound(host)
        return list(look(host))
    except SQLAlchemyError as error:
        log.info("The check “%s” found no answer in the database", name, exc_info=True)
        what = "The database did not answer as expected"
        return [fail(name, f"{what} ({type(error).__name__}).", "Run `flask massmail db upgrade`, then try again.")]
    except Exception as error:
        log.exception("The check “%s” failed", name)
        return [fail(name, f"Could not be checked: {error}", "The application's log has the details.")]
    finally:
        _roll_back(host)


def _bound(host: Host) -> None:
    """Neither wait for a writer nor for a slow statement."""
    host.session.rollback()
    host.session.connection(execution_options={"sqlite_deferred": True})
    if dialect(host).name == "postgresql":
        host.session.execute(text(f"SET LOCAL statement_timeout = {STATEMENT_SECONDS * 1000}"))


def _roll_back(host: Host) -> None:
    try:
        host.session.rollback()
    except SQLAlchemyError:
        host.session.remove()
