"""The reckoning after each run: what the mail server wrote down against what the rows say, mail by mail."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import func, select

from massmail_plugin import signed_links
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadLink
from massmail_plugin.models import Chunk, OutboxMessage
from massmail_plugin.vocabulary import MessageState

SAMPLE = 3


class Taken(NamedTuple):
    """A mail the mail server took. `told` is when it said 354, so the content left after that; POSIX times."""

    at: float
    told: float
    connection: int
    recipient: str
    message_id: str
    sha256: str
    size: int
    flaws: str


class Row(NamedTuple):
    """What the outbox says of a mail."""

    id: int
    mailing_id: int
    state: str
    address: str
    attempts: int


@dataclass
class Reckoning:
    """What was found; every list but `uncertain` must be empty. Entries are words for people."""

    rows: int = 0
    sent: int = 0
    taken: int = 0
    uncertain: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    denied: list[str] = field(default_factory=list)
    """The mail server has it, and the row says it did not go."""
    strangers: list[str] = field(default_factory=list)
    """Mails to nobody of the audience, or to another address than the row's."""
    miscounted: list[str] = field(default_factory=list)
    flawed: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """Each kind of fault with its number and some examples."""
        kinds = ("lost", "doubled", "denied", "strangers", "miscounted", "flawed")
        found = {kind: getattr(self, kind) for kind in kinds}
        return [f"{kind} {len(what)}: {'; '.join(what[:SAMPLE])}" for kind, what in found.items() if what]


def read_taken(path: Path) -> list[Taken]:
    """The mail server's log; a line that a killed server did not finish was never answered with 250."""
    if not path.exists():
        return []
    whole = path.read_text(encoding="utf-8").rpartition("\n")[0]
    return [_taken(line.split("\t")) for line in whole.split("\n") if line]


def _taken(words: Sequence[str]) -> Taken:
    at, told, connection, recipient, message_id, digest, size, flaws = words
    return Taken(float(at), float(told), int(connection), recipient, message_id, digest, int(size), flaws.strip("-"))


def row_of(host: Host, taken: Taken) -> int | None:
    """The outbox row of a mail, by its Message-ID; None for one that is not ours."""
    try:
        return signed_links.read_message_id_field(host.config, taken.message_id)
    except BadLink:
        return None


def reckon(
    host: Host, mailing_ids: Sequence[int], log: Iterable[Taken], moved: Mapping[int, set[str]] | None = None
) -> Reckoning:
    """Compare; needs an application context. `moved` names other addresses that a row may have had on its way."""
    rows = {row.id: row for row in _rows(host, mailing_ids)}
    copies: dict[int, list[Taken]] = {}
    found = Reckoning(rows=len(rows))
    for taken in log:
        number = row_of(host, taken)
        if number in rows:
            copies.setdefault(number, []).append(taken)
        elif number is None or not _known(host, number):
            found.strangers.append(f"{taken.recipient} {taken.message_id}")
    for row in rows.values():
        _judge(found, row, copies.get(row.id, []), (moved or {}).get(row.id, set()))
    found.taken = len(copies)
    found.miscounted = _miscounted(host, mailing_ids, rows.values())
    host.session.commit()
    return found


def _known(host: Host, number: int) -> bool:
    return host.session.scalar(select(OutboxMessage.id).where(OutboxMessage.id == number)) is not None


def _rows(host: Host, mailing_ids: Sequence[int]) -> list[Row]:
    row = OutboxMessage
    query = select(row.id, row.mailing_id, row.state, row.address, row.attempts).where(row.mailing_id.in_(mailing_ids))
    return [Row(*found) for found in host.session.execute(query)]


def _judge(found: Reckoning, row: Row, copies: Sequence[Taken], moved: set[str]) -> None:
    state = MessageState(row.state)
    said = f"row {row.id} of mailing {row.mailing_id} ({state}, {len(copies)} taken)"
    found.sent += state is MessageState.SENT
    found.uncertain += state is MessageState.UNCERTAIN
    if not state.final or (state is MessageState.SENT and not copies):
        found.lost.append(said)
    if len(copies) > 1:
        found.doubled.append(said)
    if copies and state not in (MessageState.SENT, MessageState.UNCERTAIN):
        found.denied.append(said)
    for copy in copies:
        if copy.recipient != row.address and copy.recipient not in moved:
            found.strangers.append(f"{said} went to {copy.recipient}")
        if copy.flaws:
            found.flawed.append(f"{said}: {copy.flaws}")


def _miscounted(host: Host, mailing_ids: Sequence[int], rows: Iterable[Row]) -> list[str]:
    """Where the chunks' counters differ from a recount, and leases that were left behind."""
    counted = Counter((row.mailing_id, row.state) for row in rows)
    states = [state.value for state in MessageState]
    sums = [func.coalesce(func.sum(getattr(Chunk, state)), 0) for state in states]
    query = select(Chunk.mailing_id, *sums).where(Chunk.mailing_id.in_(mailing_ids)).group_by(Chunk.mailing_id)
    wrong = []
    for mailing_id, *numbers in host.session.execute(query):
        said = dict(zip(states, map(int, numbers), strict=True))
        real = {state: counted[mailing_id, state] for state in states}
        if said != real:
            wrong.append(f"mailing {mailing_id} counts {said}, its rows are {real}")
    left = select(Chunk.id).where(Chunk.mailing_id.in_(mailing_ids), Chunk.leased_by.is_not(None))
    wrong += [f"chunk {chunk} is still leased" for chunk in host.session.scalars(left)]
    return wrong
