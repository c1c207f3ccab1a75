"""How far each spool was taken over, in the commit that keeps its events. The drain enters and commits."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import delete, select

from massmail_plugin.contracts import Host
from massmail_plugin.models import SpoolFile
from massmail_plugin.portable_sql import changed, one_of, upsert


class Overtaken(Exception):
    """Somebody else took over the same hits meanwhile; ours must not be committed."""


def read(host: Host, files: Sequence[Path]) -> dict[str, int]:
    """File name -> octets that are in the database."""
    names = [path.name for path in files]
    query = select(SpoolFile.name, SpoolFile.read_to).where(one_of(SpoolFile.name, names))
    return {row.name: row.read_to for row in host.session.execute(query)}


def write(host: Host, before: Mapping[str, int], ends: Mapping[str, int]) -> None:
    """Move on from where files were `before`. Raises Overtaken where one is not there any more.

    The lock of the drain makes that impossible; it is asked all the same, for a disk that knows no locks.
    """
    now = host.clock()
    for name, end in sorted(ends.items()):
        new = upsert(host, SpoolFile).values(name=name, read_to=end, at=now)
        there = SpoolFile.read_to == before.get(name, 0)
        moved = new.on_conflict_do_update(
            index_elements=[SpoolFile.name], set_={"read_to": end, "at": now}, where=there
        )
        if changed(host, moved) != 1:
            raise Overtaken(name)


def forget(host: Host, names: Sequence[str]) -> None:
    """Those files are gone. Commits."""
    if names:
        host.session.execute(delete(SpoolFile).where(one_of(SpoolFile.name, names)))
        host.session.commit()
