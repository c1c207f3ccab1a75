"""What a contact's fields said when its mail was written, kept so that the mail can be shown again as it was.

Sending enters with each chunk it reads, where `keep_values_days` asks for it, and commits; screens read.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, select

from massmail_plugin.contracts import Host
from massmail_plugin.models import KeptValues, OutboxMessage
from massmail_plugin.portable_sql import changed, one_of

QUICK = 1
"""Of zlib: most of what can be saved, in a fifth of the time."""
ROUNDED = timedelta(seconds=1)
"""Databases keep the time of a hand-over less exactly than it is."""
_TYPES: Mapping[str, Any] = {"decimal": Decimal, "datetime": datetime.fromisoformat, "date": date.fromisoformat}


def keep_values(host: Host, mailing_id: int, chunk: int, values: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
    """Keep the values (message, values) that a chunk is about to be written with, in one row. Flushes only."""
    if not host.config.keep_values_days:
        return
    host.session.add(KeptValues(mailing_id=mailing_id, chunk=chunk, at=host.clock(), packed=_packed(dict(values))))


def values_of(host: Host, message: OutboxMessage) -> dict[str, Any] | None:
    """The values a message was written with; None where they are not kept."""
    query = (
        select(KeptValues.packed)
        .where(KeptValues.mailing_id == message.mailing_id, KeptValues.chunk == message.chunk)
        .order_by(KeptValues.at.desc(), KeptValues.id.desc())
    )
    if message.handed_at is not None:
        query = query.where(KeptValues.at <= message.handed_at + ROUNDED)
    for packed in host.session.scalars(query):
        found = json.loads(zlib.decompress(packed), object_hook=_unmarked).get(str(message.id))
        if found is not None:
            return dict(found)
    return None


def all_values_of(host: Host, message_ids: Iterable[int]) -> Iterator[tuple[int, datetime, dict[str, Any]]]:
    """Message, moment and values, of each time one of these messages was about to be written."""
    wanted = set(message_ids)
    for row in _chunks_of(host, wanted):
        for message, values in _unpacked(row).items():
            if int(message) in wanted:
                yield int(message), row.at, values


def forget_values_of(host: Host, message_ids: Iterable[int]) -> None:
    """Take what these messages were written with out of what is kept. Flushes only."""
    wanted = {str(message_id) for message_id in message_ids}
    for row in _chunks_of(host, map(int, wanted)):
        kept = _unpacked(row)
        if wanted & kept.keys():
            row.packed = _packed({message: values for message, values in kept.items() if message not in wanted})
    host.session.flush()


def _chunks_of(host: Host, message_ids: Iterable[int]) -> Sequence[KeptValues]:
    message = OutboxMessage
    here = (KeptValues.mailing_id == message.mailing_id) & (KeptValues.chunk == message.chunk)
    ids = select(KeptValues.id).join(message, here).where(one_of(message.id, sorted(message_ids)))
    return host.session.scalars(select(KeptValues).where(KeptValues.id.in_(ids)).order_by(KeptValues.id)).all()


def _packed(values: Mapping[Any, Any]) -> bytes:
    return zlib.compress(json.dumps(values, default=_marked, separators=(",", ":")).encode(), QUICK)


def _unpacked(row: KeptValues) -> dict[str, Any]:
    return dict(json.loads(zlib.decompress(row.packed), object_hook=_unmarked))


def forget_values(host: Host) -> int:
    """Delete what is older than `keep_values_days`; the number of chunks. Flushes only."""
    end = host.clock() - timedelta(days=host.config.keep_values_days)
    return changed(host, delete(KeptValues).where(KeptValues.at < end))


def _marked(value: Any) -> dict[str, str]:
    """What JSON has no word for."""
    name = "decimal" if isinstance(value, Decimal) else "datetime" if isinstance(value, datetime) else "date"
    return {"": name, "value": str(value) if name == "decimal" else value.isoformat()}


def _unmarked(found: dict[str, Any]) -> Any:
    return _TYPES[found[""]](found["value"]) if "" in found else found
