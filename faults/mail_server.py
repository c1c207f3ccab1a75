"""A mail server as the runs see it: its port, its script, and what it wrote down."""

import json
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults.reckoning import Taken, read_taken
from faults.script import Rule


@dataclass
class MailServer:
    """One sink process; `folder` holds its log and the socket for its orders."""

    port: int
    folder: Path
    _order: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)

    def script(self, *rules: Rule, **order: Any) -> None:
        """From now on misbehave so; also `delay=(least, most)` seconds before each 250, and `extensions`."""
        self._order |= order
        self._tell(self._order | {"rules": [rule.to_json() for rule in rules]})

    def counts(self) -> dict[str, Any]:
        """What it has seen since it started: accepted, connections, open, most_open, and how often each rule fired."""
        return self._tell({})

    def fired(self) -> int:
        """How often the rules of the script struck."""
        fired: list[int] = self.counts()["fired"]
        return sum(fired)

    def listens(self) -> bool:
        """Whether mails and orders are taken."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return listens(self.folder / "sink.sock")
        return False

    def taken(self) -> list[Taken]:
        """What it has taken, in its order."""
        return read_taken(self.folder / "taken.log")

    def accepted(self) -> int:
        """How many mails it has taken, over all its lives."""
        path = self.folder / "taken.log"
        return path.read_bytes().count(b"\n") if path.exists() else 0

    def _tell(self, order: dict[str, Any]) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(10)
            wire.connect(str(self.folder / "sink.sock"))
            wire.sendall(json.dumps(order).encode() + b"\n")
            answer: dict[str, Any] = json.loads(wire.makefile().readline())
            return answer


def listens(path: Path) -> bool:
    """Whether somebody listens on a Unix socket."""
    with suppress(OSError), socket.socket(socket.AF_UNIX) as wire:
        wire.connect(str(path))
        return True
    return False


def extensions(*but: str, every: Sequence[str]) -> list[str]:
    """The extensions without those that begin with one of the words."""
    return [name for name in every if not name.startswith(but)]
