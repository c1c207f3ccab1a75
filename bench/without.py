"""Takes one part of the engine away, in a bench worker's process alone, to see what that part costs.

The product has no such switches: before the engine starts, a part is replaced by one that does the least with which
the rest still works. The limits need no replacing: a sender may have none.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from massmail_plugin import outbox
from massmail_plugin.contracts import Answer, Host
from massmail_plugin.sending import desks, lane
from massmail_plugin.sending.chunk_run import ChunkRun
from massmail_plugin.sending.recipients import Recipients


class Noted:
    """In the place of a journal's region: how far each message has come, in memory alone."""

    def __init__(self, back: list["Noted"]) -> None:
        self._back = back
        self._marks: list[outbox.Mark] = []
        self._handed_at: dict[int, float] = {}

    def begin(self, chunk_id: int, message_ids: Sequence[int]) -> None:
        self._marks = [outbox.Mark.UNTOUCHED] * len(message_ids)
        self._handed_at.clear()

    def writing(self, index: int) -> None:
        return

    def untouched(self, index: int) -> None:
        self._marks[index] = outbox.Mark.UNTOUCHED

    def handed(self, index: int, at: float) -> None:
        self._marks[index] = outbox.Mark.HANDED
        self._handed_at[index] = at

    def answered(self, index: int, answer: Answer, at: float) -> None:
        self._marks[index] = outbox.Mark.SETTLED

    def settled(self, index: int) -> None:
        return

    def waits(self, index: int) -> bool:
        return self._marks[index] <= outbox.Mark.WRITING

    def mark(self, index: int) -> outbox.Mark:
        return self._marks[index]

    def handed_at(self, index: int) -> float:
        return self._handed_at.get(index, 0.0)

    def free(self) -> None:
        self._back.append(self)


class NoJournal:
    """In the place of a lane's journal: nothing is written down, and nothing is left after a kill."""

    def __init__(self, folder: Path, holder: str, *, regions: int, slots: int) -> None:
        self._free: list[Noted] = []
        self._free += [Noted(self._free) for _ in range(regions)]

    def take(self) -> Noted | None:
        return self._free.pop() if self._free else None

    def close(self, *, keep: bool) -> None:
        return


class NoWatch:
    """In the place of the watch over opt-outs and suppressions: nobody ever says stop."""

    def __init__(self, host: Host) -> None:
        return

    def looks_changed(self) -> bool:
        return False


class TrustingRecipients(Recipients):
    """Recipients that are looked at when their chunk is read, and never again."""

    def stop_late(self, run: ChunkRun, *, look_at_contacts: bool) -> None:
        return


def _the_mark() -> None:
    vars(outbox)["Journal"] = NoJournal


def _the_recheck() -> None:
    """Opt-outs, suppressions, pauses and lost leases are seen by the same look, so that it goes as a whole."""
    vars(lane)["StopWatch"] = NoWatch
    vars(desks)["Recipients"] = TrustingRecipients
    vars(outbox)["held"] = lambda host, chunks: {chunk.id for chunk in chunks}


PARTS: Mapping[str, Callable[[], None]] = {"nothing": lambda: None, "mark": _the_mark, "recheck": _the_recheck}


def take_away(part: str) -> None:
    """Take the part with this name away."""
    PARTS[part]()
