"""How much waits in this machine's spools, and since when. Doctor and a command enter; only reads."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from massmail_plugin.contracts import Host
from massmail_plugin.feedback.tracking import positions
from massmail_plugin.feedback.tracking.spool import SpoolReader, spool_files


@dataclass(frozen=True)
class Waiting:
    """Octets of hits that are not in the database yet, and when the first of them came."""

    octets: int
    since: datetime | None


def waiting(host: Host) -> Waiting:
    """What waits on this machine."""
    files = spool_files(host.state_dir)
    read_to = positions.read(host, files) if files else {}
    octets, since = 0, None
    for path in files:
        with suppress(FileNotFoundError):
            size, first = _rest(path, read_to.get(path.name, 0))
            octets += size
            since = min(filter(None, (since, first)), default=None)
    return Waiting(octets, since)


def _rest(path: Path, read_to: int) -> tuple[int, datetime | None]:
    reader = SpoolReader(path, read_to)
    try:
        first = next((line.hit.at for line in reader if line.hit), None)
        return reader.size - read_to, first
    finally:
        reader.close()
