"""Work that one process at a time may do: take a lease by name, renew it, give it back. Commits by itself.

Leases are measured by the database's clock, so that a worker whose own clock is wrong takes nothing from the others.
"""

import os
import socket
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, or_, select

from massmail_plugin.contracts import Host
from massmail_plugin.models import Lease
from massmail_plugin.portable_sql import changed, dialect, upsert

NO_SKEW = timedelta(seconds=1)
"""A smaller difference says how long the question took, rather than that a clock is wrong."""


def database_now(host: Host) -> datetime:
    """The time by the database's clock, aware, in UTC. One short SELECT on PostgreSQL, no commit.

    It is `host.clock()` set right by as much as this machine's clock differs from the database's. SQLite has none of
    its own.
    """
    if dialect(host).name != "postgresql":
        return host.clock()
    there: datetime = host.session.execute(select(func.clock_timestamp())).scalar_one()
    skew = there - datetime.now(UTC)
    return host.clock() if abs(skew) < NO_SKEW else host.clock() + skew


def holder_name(pid: int | None = None) -> str:
    """This process, or another one of this machine, as leases and logs name it."""
    return f"{socket.gethostname()}:{pid or os.getpid()}"[:80]


def take(host: Host, name: str, *, seconds: float) -> bool:
    """Take or renew the lease `name` for `seconds`; False while another process holds it."""
    now = database_now(host)
    values = {"holder": holder_name(), "until": now + timedelta(seconds=seconds)}
    statement = (
        upsert(host, Lease)
        .values(name=name, **values)
        .on_conflict_do_update(
            index_elements=[Lease.name], set_=values, where=or_(Lease.until < now, Lease.holder == values["holder"])
        )
    )
    taken = changed(host, statement) == 1
    host.session.commit()
    return taken


def give_back(host: Host, name: str) -> None:
    """Give up the lease `name` if this process holds it."""
    changed(host, delete(Lease).where(Lease.name == name, Lease.holder == holder_name()))
    host.session.commit()


def free(host: Host, pid: int) -> None:
    """Give up every lease of a process of this machine that is known to be dead."""
    changed(host, delete(Lease).where(Lease.holder == holder_name(pid)))
    host.session.commit()
