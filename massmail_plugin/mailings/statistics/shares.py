"""What some chunks come to by domain, list and reason, counted from their messages and events. Reads only."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Table, case, func, select

from massmail_plugin.contracts import Host
from massmail_plugin.models import BREAKDOWN_COUNTS, Chunk, Event, OutboxMessage
from massmail_plugin.portable_sql import one_of
from massmail_plugin.vocabulary import BreakdownBy, EventKind, MachineReason, MessageState

LONGEST_NAME = 254
Share = dict[str, list[int]]
"""See `ChunkShare.numbers`."""
Increments = list[tuple[int, int]]
"""Place of a count, and how much is added."""

_PLACE = {name: place for place, name in enumerate(BREAKDOWN_COUNTS)}
_CHUNK, _MESSAGE, _EVENT = (cast(Table, model.__table__) for model in (Chunk, OutboxMessage, Event))
_RECIPIENT = (_PLACE["recipients"], 1)
_STATES: Mapping[str, Increments] = {
    MessageState.PLANNED.value: [_RECIPIENT, (_PLACE["waiting"], 1)],
    MessageState.DEFERRED.value: [_RECIPIENT, (_PLACE["waiting"], 1)],
    MessageState.SENT.value: [_RECIPIENT, (_PLACE["sent"], 1)],
    MessageState.REFUSED.value: [_RECIPIENT, (_PLACE["refused"], 1)],
    MessageState.UNCERTAIN.value: [_RECIPIENT, (_PLACE["uncertain"], 1)],
    MessageState.SKIPPED.value: [(_PLACE["skipped"], 1)],
    MessageState.CANCELLED.value: [_RECIPIENT, (_PLACE["cancelled"], 1)],
}
_READ = ("read",)
_PEOPLE: Mapping[str, tuple[str, ...]] = {
    EventKind.OPEN.value: _READ,
    EventKind.CLICK.value: ("read", "clicked"),
    EventKind.REPLY.value: ("read", "replied"),
    EventKind.BOUNCE.value: ("bounced",),
    EventKind.COMPLAINT.value: ("complained",),
}
_TURNS = {EventKind.OPT_OUT.value: 1, EventKind.OPT_BACK_IN.value: -1}
_EXPLAINED = (MessageState.REFUSED.value, MessageState.SKIPPED.value)
_LOOKS = (EventKind.OPEN.value, EventKind.CLICK.value)


def shares(host: Host, chunk_ids: Sequence[int]) -> dict[int, Share]:
    """Chunk -> its share, as the rows say now."""
    events = _responses(host, chunk_ids)
    found: dict[int, Share] = {chunk_id: {} for chunk_id in chunk_ids}
    for chunk_id, message_id, address, list_id, state, reason in host.session.execute(_messages(chunk_ids)).all():
        _add(found[chunk_id], _names(address, list_id, state, reason), _STATES[state], events.get(message_id, ()))
    return found


def _add(share: Share, names: Iterable[str], *increments: Iterable[tuple[int, int]]) -> None:
    for name in names:
        counts = share.get(name)
        if counts is None:
            counts = share[name] = [0] * len(BREAKDOWN_COUNTS)
        for some in increments:
            for place, number in some:
                counts[place] += number


def _names(address: str, list_id: int | None, state: str, reason: str) -> list[str]:
    names = [
        key(BreakdownBy.ALL, ""),
        key(BreakdownBy.DOMAIN, domain_of(address)),
        key(BreakdownBy.LIST, str(list_id or "")),
    ]
    if state in _EXPLAINED:
        names.append(key(BreakdownBy.REASON, f"{state}:{reason}"))
    return names


def key(by: BreakdownBy, name: str) -> str:
    """The key of a share's counts."""
    return f"{by.value}:{name[:LONGEST_NAME]}"


def domain_of(address: str) -> str:
    """What follows the last @, in small letters; "" for a number or no address."""
    return address.rpartition("@")[2].lower() if "@" in address else ""


def _messages(chunk_ids: Sequence[int]) -> Any:
    message = _MESSAGE.c
    wanted = (
        _CHUNK.c.id,
        message.id.label("message_id"),
        message.address,
        message.list_id,
        message.state,
        message.reason,
    )
    here = (message.mailing_id == _CHUNK.c.mailing_id) & (message.chunk == _CHUNK.c.number)
    return select(*wanted).join_from(_CHUNK, _MESSAGE, here).where(one_of(_CHUNK.c.id, chunk_ids))


def _responses(host: Host, chunk_ids: Sequence[int]) -> dict[int, Increments]:
    """Message -> what its events add to the counts."""
    event, message = _EVENT.c, _MESSAGE.c
    proxied = case((event.machine_reason == MachineReason.PROXY.value, 1), else_=0)
    here = (message.mailing_id == _CHUNK.c.mailing_id) & (message.chunk == _CHUNK.c.number)
    groups = event.message_id, event.kind, event.by_machine, proxied
    query = (
        select(*groups, func.count())
        .join_from(_CHUNK, _MESSAGE, here)
        .join(_EVENT, event.message_id == message.id)
        .where(one_of(_CHUNK.c.id, chunk_ids))
        .group_by(*groups)
    )
    by_message: dict[int, list[Any]] = defaultdict(list)
    for message_id, kind, by_machine, by_proxy, number in host.session.execute(query).all():
        by_message[message_id].append((kind, by_machine, by_proxy, number))
    return {message_id: _meaning(tuple(what)) for message_id, what in by_message.items()}


@lru_cache(maxsize=10_000)
def _meaning(what: tuple[tuple[str, bool, int, int], ...]) -> Increments:
    """`what` are kind, whether by a machine, whether by a proxy, and how often. Few differ, so that most are known."""
    flags: set[str] = set()
    hits = machine_hits = turns = 0
    for kind, by_machine, proxied, number in what:
        if by_machine:
            machine_hits += number
            flags.update(("proxied" if proxied else "scanned",) if kind in _LOOKS else ())
        else:
            hits += number
            flags.update(_PEOPLE.get(kind, ()))
            turns += _TURNS.get(kind, 0) * number
    flags.update(("removed",) if turns > 0 else ())
    return [*((_PLACE[flag], 1) for flag in flags), (_PLACE["hits"], hits), (_PLACE["machine_hits"], machine_hits)]
