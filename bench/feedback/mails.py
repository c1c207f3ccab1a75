"""A host with a mailing that went out, without anything having been sent: what came back can then be measured."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import insert, select, text

from bench.contacts import analyse
from bench.host import SOURCE, Base, context, create_app
from massmail_plugin.contracts import Host
from massmail_plugin.models import Chunk, Link, Mailing, OutboxMessage
from massmail_plugin.upkeep import schema
from massmail_plugin.vocabulary import MailingState

SETTINGS = "MASSMAIL_BENCH_FEEDBACK"
"""Name of the variable in which a server of the bench finds its settings."""
SECRET_KEY = "a key of the bench that signs its links"
LINKS = 8
CHUNK = 500
MESSAGES = f"""
INSERT INTO {OutboxMessage.__tablename__} (mailing_id, chunk, contact_source, contact_key, address_role, occurrence,
    channel, address, state, reason, attempts, crashes, handed_at, settled_at, reply_enhanced, reply_text)
SELECT :mailing_id, number / {CHUNK}, '{SOURCE}', CAST(number AS varchar), 'main', 0,
    'email', 'a' || number || '@bench.example', 'sent', '', 1, 0, now() - interval '1 day', now(), '', ''
FROM generate_series(1, :number) AS number
"""


def settings(database_url: str, state_dir: Path) -> dict[str, Any]:
    """Of the host application."""
    return {
        "SECRET_KEY": SECRET_KEY,
        "SQLALCHEMY_DATABASE_URI": database_url,
        "MASSMAIL_BASE_URL": "https://crm.bench.example",
        "MASSMAIL_SECRET_KEYS": [SECRET_KEY],
        "MASSMAIL_REDIS_URL": "redis://127.0.0.1:1/0",
        "MASSMAIL_STATE_DIR": str(state_dir),
    }


def settings_of_server() -> Mapping[str, Any]:
    """As `environment` wrote them."""
    found: dict[str, Any] = json.loads(os.environ[SETTINGS])
    return found


def environment(made: Mapping[str, Any]) -> dict[str, str]:
    """The variables of a server process with these settings."""
    return {**os.environ, SETTINGS: json.dumps(made)}


def host_with_mail(made: Mapping[str, Any], number: int) -> tuple[Flask, int]:
    """The application over new tables, and the id of its mailing to `number` recipients."""
    app = create_app(made)
    with context(app) as host:
        Base.metadata.create_all(host.db.engine)
        schema.upgrade(host)
        return app, mailing(host, number)


def mailing(host: Host, number: int) -> int:
    """One more mailing that went out to `number` recipients."""
    made = Mailing(
        name=f"To {number:,}", state=MailingState.FINISHED.value, contact_source=SOURCE, created_at=host.clock()
    )
    host.session.add(made)
    host.session.flush()
    links = [{"mailing_id": made.id, "number": n, "target": f"https://shop.example/{n}"} for n in range(1, LINKS + 1)]
    host.session.execute(insert(Link), links)
    chunks = [{"mailing_id": made.id, "number": n, "sent": CHUNK} for n in range(number // CHUNK + 1)]
    host.session.execute(insert(Chunk), chunks)
    host.session.execute(text(MESSAGES), {"mailing_id": made.id, "number": number})
    host.session.commit()
    analyse(host)
    return made.id


def message_ids(host: Host, mailing_id: int) -> list[int]:
    """Of all its mails."""
    query = select(OutboxMessage.id).where(OutboxMessage.mailing_id == mailing_id).order_by(OutboxMessage.id)
    return list(host.session.scalars(query))
