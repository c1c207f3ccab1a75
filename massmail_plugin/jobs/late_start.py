"""A sign of life, and before it the question whether there was one lately: the first thing scheduler and workers do.

Commits by itself.
"""

import logging

from massmail_plugin import campaigns, mailings
from massmail_plugin.contracts import Host
from massmail_plugin.leases import database_now
from massmail_plugin.models import Heartbeat
from massmail_plugin.portable_sql import upsert

log = logging.getLogger(__name__)

WORKER = "worker"


def guard(host: Host, name: str) -> int:
    """Hold what is late, then give a sign of life as `name`; the number of mailings and campaigns held.

    One transaction: whoever sees this sign of life sees also what was held before it. The time is the database's.
    """
    now = database_now(host)
    gap = mailings.absence(host, now)
    held = mailings.hold_late(host, gap) + campaigns.hold_late(host, gap) if gap else 0
    statement = upsert(host, Heartbeat).values(name=name, at=now)
    host.session.execute(statement.on_conflict_do_update(index_elements=[Heartbeat.name], set_={"at": now}))
    host.session.commit()
    mailings.remember_seen(host, now)
    if held and gap:
        log.warning("%s mailings and campaigns are held and ask before they go on: %s", held, gap.words)
    return held
