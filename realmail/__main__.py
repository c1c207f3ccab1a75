"""`make realmail`: every way of reading a mailbox against real servers, on SQLite and PostgreSQL. Prints a table.

Exit code 1 where anything is not as it must be, 2 where a server is not installed.
"""

import json
import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from massmail_plugin.vocabulary import MailboxKind, Security
from realmail.run import Check, run, servers
from sample_host.services.child_process import ServiceMissing
from sample_host.services.postgres_server import postgres_server

WAYS = (
    (MailboxKind.IMAP, Security.TLS),
    (MailboxKind.IMAP, Security.STARTTLS),
    (MailboxKind.POP3, Security.STARTTLS),
    (MailboxKind.POP3, Security.TLS),
    (MailboxKind.MAILDIR, Security.NONE),
)


def main() -> int:
    """Run them all; returns the exit code."""
    # There is no Redis here, and nobody to call.
    logging.getLogger("massmail_plugin.jobs").setLevel(logging.ERROR)
    checks: list[Check] = []
    try:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="massmail-realmail-")))
            running = stack.enter_context(servers())
            postgres = stack.enter_context(postgres_server(folder / "postgres"))
            for kind, security in WAYS:
                for name, url in databases(folder, postgres):
                    place = folder / f"{name}-{kind}-{security}"
                    place.mkdir()
                    found = run(place, url, running, kind, security)
                    show(f"{kind}, {security}, {name}", found)
                    checks += found
    except ServiceMissing as missing:
        print(f"Not run: {missing}", file=sys.stderr)
        return 2
    wrong = sum(not check.ok for check in checks)
    print(json.dumps({"checked": len(checks), "wrong": wrong}))
    return 1 if wrong else 0


def databases(folder: Path, postgres: str) -> Iterator[tuple[str, str]]:
    """An empty database of each kind."""
    name = f"realmail_{uuid4().hex}"
    yield "SQLite", f"sqlite:///{folder / name}.sqlite3"
    server = create_engine(postgres, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield "PostgreSQL", make_url(postgres).set(database=name).render_as_string(hide_password=False)


def show(title: str, checks: list[Check]) -> None:
    """Print what was found."""
    print(f"\n{title}")
    for check in checks:
        print(f"  {'ok   ' if check.ok else 'WRONG'}  {check.what}: {check.found}", flush=True)
        if not check.ok:
            print(f"         wanted: {check.wanted}")


if __name__ == "__main__":
    sys.exit(main())
