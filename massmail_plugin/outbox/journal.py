"""The durable mark of messages on their way: a small file per lane, mapped into memory, on the worker's own disk.

A lane enters; recovery reads what a killed lane left. Storing a byte costs no system call and outlives the process.
What it does not outlive is the machine: `recover` says what is done then. Nothing is committed here.
"""

import fcntl
import mmap
import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from uuid import uuid4

from massmail_plugin.contracts import Answer
from massmail_plugin.errors import SetupError
from massmail_plugin.smtp_status import Reply
from massmail_plugin.vocabulary import MessageState

MAGIC = b"massmail-lane-2\0"
ENDING = ".journal"

_HEAD = struct.Struct("<16s36s100sII")
"""Magic, boot of the machine, holder of the leases, regions, slots in each region."""
_REGION = struct.Struct("<qI")
"""Chunk (0: the region is free) and number of messages."""
_ID = struct.Struct("<q")
_ANSWER = struct.Struct("<Hd12s224s")
"""Code, time of the hand-over, enhanced status, the server's words; the state stands in the byte before it."""
_HANDED_AT = struct.Struct("<d")
_HEAD_BYTES, _REGION_BYTES, _SLOT_BYTES = 256, 16, 256


class Mark(IntEnum):
    """How far a message has come; the byte of its slot. An answer is stored as the state it led to."""

    UNTOUCHED = 0
    WRITING = 1
    HANDED = 2
    SENT = 4
    REFUSED = 5
    DEFERRED = 6
    UNCERTAIN = 7
    SETTLED = 8


_OF_STATE = {
    MessageState.SENT: Mark.SENT,
    MessageState.REFUSED: Mark.REFUSED,
    MessageState.DEFERRED: Mark.DEFERRED,
    MessageState.UNCERTAIN: Mark.UNCERTAIN,
}
_STATE_OF = {mark: state for state, mark in _OF_STATE.items()}


class Region:
    """The slots of one chunk in a lane's journal. Used by two threads; each call stores at most a few bytes."""

    __slots__ = ("_base", "_journal", "_memory", "_slots")

    def __init__(self, journal: "Journal", base: int) -> None:
        self._journal = journal
        self._memory = journal.memory
        self._base = base
        self._slots = base + _REGION_BYTES + journal.slots * _ID.size

    def begin(self, chunk_id: int, message_ids: Sequence[int]) -> None:
        """Claim the region for a chunk. Its number is stored last: what is found half written counts as free."""
        memory, end = self._memory, self._slots + self._journal.slots * _SLOT_BYTES
        memory[self._slots : end] = bytes(end - self._slots)
        struct.pack_into(f"<{len(message_ids)}q", memory, self._base + _REGION_BYTES, *message_ids)
        _REGION.pack_into(memory, self._base, 0, len(message_ids))
        _ID.pack_into(memory, self._base, chunk_id)

    def writing(self, index: int) -> None:
        """A message is being written: if the process dies now, this one may be why."""
        self._memory[self._slots + index * _SLOT_BYTES] = Mark.WRITING

    def untouched(self, index: int) -> None:
        """Nothing of the message has left, and nothing is being done with it."""
        self._memory[self._slots + index * _SLOT_BYTES] = Mark.UNTOUCHED

    def handed(self, index: int, at: float) -> None:
        """The durable mark, set before the first byte of the content leaves. `at` is a POSIX time."""
        offset = self._slots + index * _SLOT_BYTES
        _HANDED_AT.pack_into(self._memory, offset + 4, at)
        self._memory[offset] = Mark.HANDED

    def answered(self, index: int, answer: Answer, at: float) -> None:
        """What became of the message."""
        offset = self._slots + index * _SLOT_BYTES
        reply = answer.reply
        code, enhanced, text = (reply.code, reply.enhanced, reply.text) if reply else (0, "", answer.note)
        _ANSWER.pack_into(self._memory, offset + 2, code, at, enhanced.encode(), text.encode()[:223])
        self._memory[offset] = _OF_STATE[answer.state]

    def settled(self, index: int) -> None:
        """The answer is in the database."""
        self._memory[self._slots + index * _SLOT_BYTES] = Mark.SETTLED

    def waits(self, index: int) -> bool:
        """Whether nothing of a message has left."""
        return self._memory[self._slots + index * _SLOT_BYTES] <= Mark.WRITING

    def mark(self, index: int) -> Mark:
        """How far a message has come."""
        return Mark(self._memory[self._slots + index * _SLOT_BYTES])

    def handed_at(self, index: int) -> float:
        """When it was handed, as a POSIX time."""
        at: float = _HANDED_AT.unpack_from(self._memory, self._slots + index * _SLOT_BYTES + 4)[0]
        return at

    def free(self) -> None:
        """What the region says is in the database now."""
        _ID.pack_into(self._memory, self._base, 0)
        self._journal.put_back(self)


@dataclass(frozen=True)
class Found:
    """A message in a journal that was left."""

    id: int
    mark: Mark
    handed_at: float
    answer: Answer | None


@dataclass
class Left:
    """The journal of a lane that is no more: `holder` of the leases, and chunk -> its messages."""

    path: Path
    holder: str
    trusted: bool
    """False where the machine was started anew since: what was stored last may not have reached the disk."""
    chunks: dict[int, list[Found]] = field(default_factory=dict)


class Journal:
    """A living lane's journal. While the process lives it holds a lock on the file."""

    def __init__(self, folder: Path, holder: str, *, regions: int, slots: int) -> None:
        """Raises SetupError, in words, where the state directory cannot be used or its disk is full."""
        self.slots = slots
        draft = folder / f"{uuid4().hex}.new"
        self._path = draft.with_suffix(ENDING)
        size = _HEAD_BYTES + regions * _region_bytes(slots)
        try:
            self._file = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX)
            _reserve(self._file, size)
            self.memory = mmap.mmap(self._file, size)
            _HEAD.pack_into(self.memory, 0, MAGIC, boot().encode(), holder.encode()[:100], regions, slots)
            # Recovery sees it from here on, when it is locked: a journal that nobody has locked was left.
            draft.rename(self._path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise SetupError(_unusable(folder, error)) from error
        self._free = [Region(self, _HEAD_BYTES + number * _region_bytes(slots)) for number in range(regions)]

    def take(self) -> Region | None:
        """A free region, or None."""
        return self._free.pop() if self._free else None

    def put_back(self, region: Region) -> None:
        """A region is free again."""
        self._free.append(region)

    def close(self, *, keep: bool) -> None:
        """Let go. With `keep`, because not everything in it could be settled, recovery reads it later."""
        if not keep:
            self._path.unlink(missing_ok=True)
        self.memory.close()
        os.close(self._file)


def open_folder(state_dir: Path) -> tuple[Path, str]:
    """The folder of the journals, made where it is missing, and the name of this state directory.

    The name is a random one, kept in the folder, so that a new and empty folder is known to be another one.
    Raises SetupError in words where the folder cannot be used.
    """
    folder, name = state_dir / "journal", state_dir / "name"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not name.exists():
            draft = state_dir / f"name.{uuid4().hex}"
            draft.write_text(str(uuid4()))
            with suppress(FileExistsError):
                os.link(draft, name)
            draft.unlink()
        return folder, name.read_text().strip()
    except OSError as error:
        raise SetupError(_unusable(state_dir, error)) from error


def left(folder: Path) -> Iterator[Left]:
    """Every journal whose lane is no more, while it is locked for the caller alone."""
    for path in sorted(folder.glob(f"*{ENDING}")):
        with suppress(FileNotFoundError), path.open("r+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield _read(path, file.read())


def boot() -> str:
    """This start of the machine; empty where the system does not tell."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""


def _read(path: Path, data: bytes) -> Left:
    if len(data) < _HEAD_BYTES or not data.startswith(MAGIC):
        return Left(path, "", trusted=False)
    _, boot_id, holder, regions, slots = _HEAD.unpack_from(data)
    found = Left(path, _text(holder), trusted=_text(boot_id) == boot())
    for number in range(regions):
        base = _HEAD_BYTES + number * _region_bytes(slots)
        chunk, messages = _REGION.unpack_from(data, base)
        if chunk:
            found.chunks[chunk] = [_slot(data, base, slots, index) for index in range(messages)]
    return found


def _slot(data: bytes, base: int, slots: int, index: int) -> Found:
    (message_id,) = _ID.unpack_from(data, base + _REGION_BYTES + index * _ID.size)
    offset = base + _REGION_BYTES + slots * _ID.size + index * _SLOT_BYTES
    mark = Mark(data[offset])
    code, at, enhanced, text = _ANSWER.unpack_from(data, offset + 2)
    if mark not in _STATE_OF:
        return Found(message_id, mark, at, None)
    reply = Reply(code, _text(enhanced), _text(text)) if code else None
    return Found(message_id, mark, at, Answer(_STATE_OF[mark], reply, "" if reply else _text(text)))


def _text(octets: bytes) -> str:
    return octets.rstrip(b"\0").decode("utf-8", "replace")


def _region_bytes(slots: int) -> int:
    return _REGION_BYTES + slots * (_ID.size + _SLOT_BYTES)


def _reserve(file: int, size: int) -> None:
    """Claim the room on the disk now: a store into a mapped file on a full disk would kill the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    else:
        os.write(file, bytes(size))


def _unusable(folder: Path, error: OSError) -> str:
    return (
        f"The state directory {folder} cannot be used: {error.strerror or error}. Nothing is sent without it. "
        "Set MASSMAIL_STATE_DIR to a folder the workers may write to, with some megabytes free."
    )
