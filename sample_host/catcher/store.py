"""Caught mails as files: NAME.eml holds the bytes exactly as they came, NAME.json the envelope."""

import itertools
import json
import os
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

NAME = re.compile(r"\d{20}-\d{6}-\d{6}")
_count = itertools.count()


@dataclass(frozen=True)
class Envelope:
    """Who handed the mail over and for whom; `received_at` is aware, in UTC, in ISO 8601."""

    mail_from: str
    rcpt_to: tuple[str, ...]
    received_at: str


def keep(folder: Path, content: bytes, mail_from: str, rcpt_to: Sequence[str]) -> str:
    """Writes one mail and returns its name once both files are on the disk.

    The .eml appears last and whole: a mail that has one was kept completely.
    """
    folder.mkdir(parents=True, exist_ok=True)
    now = time.time_ns()
    name = f"{now:020d}-{os.getpid() % 1_000_000:06d}-{next(_count) % 1_000_000:06d}"
    received = datetime.fromtimestamp(now / 1e9, UTC).isoformat(timespec="milliseconds")
    envelope = Envelope(mail_from, tuple(rcpt_to), received)
    _write(folder / f"{name}.json", json.dumps(asdict(envelope)).encode())
    _write(folder / f"{name}.eml", content)
    _sync_folder(folder)
    return name


def _write(path: Path, content: bytes) -> None:
    half = path.with_suffix(path.suffix + ".part")
    with half.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.rename(path)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def names(folder: Path) -> list[str]:
    """The names of all mails, newest first."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        found = [entry.name[:-4] for entry in entries if entry.name.endswith(".eml")]
    return sorted(found, reverse=True)


def names_to(folder: Path, wanted: str) -> list[str]:
    """The names of the mails with `wanted` somewhere in a recipient's address, newest first."""
    wanted = wanted.lower()
    return [name for name in names(folder) if any(wanted in rcpt.lower() for rcpt in envelope(folder, name).rcpt_to)]


def content(folder: Path, name: str) -> bytes:
    """The bytes of one mail; raises FileNotFoundError for any other name."""
    return _path(folder, name, ".eml").read_bytes()


# A kept envelope never changes, so it may be remembered.
@lru_cache(maxsize=50_000)
def envelope(folder: Path, name: str) -> Envelope:
    """The envelope of one mail; raises FileNotFoundError for any other name."""
    read = json.loads(_path(folder, name, ".json").read_text(encoding="utf-8"))
    return Envelope(read["mail_from"], tuple(read["rcpt_to"]), read["received_at"])


def _path(folder: Path, name: str, suffix: str) -> Path:
    if not NAME.fullmatch(name):
        raise FileNotFoundError(name)
    return folder / f"{name}{suffix}"
