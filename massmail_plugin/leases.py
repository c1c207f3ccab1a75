"""Work that one process at a time may do: take a lease by name, renew it, give it back. Commits by itself."""

import os
import socket
from datetime import timedelta

from sqlalchemy import delete, or_

from massmail_plugin.contracts import Host
from massmail_plugin.models import Lease
from massmail_plugin.portable_sql import changed, upsert


def holder_name() -> str:
    """This process, as leases and logs name it."""
    return f"{socket.gethostname()}:{os.getpid()}"[:100]


def take(host: Host, name: str, *, seconds: float) -> bool:
    """Take or renew the lease `name` for `seconds`; False while another process holds it."""
    now = host.clock()
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
