"""Which of our mails a provider's event speaks of: by our tokens in it, and by the address we mailed. Only reads."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import select

from massmail_plugin.consent.addresses import spellings
from massmail_plugin.contracts import Host, ProviderEvent
from massmail_plugin.errors import BadLink
from massmail_plugin.models import OutboxMessage
from massmail_plugin.portable_sql import one_of
from massmail_plugin.signed_links import Named, read_any_token

LARGEST_ID = 2**63 - 1


class Matched(NamedTuple):
    """A provider's event, and the mail it speaks of; where there is none, `why` in words."""

    event: ProviderEvent
    message: OutboxMessage | None
    why: str = ""


def match(host: Host, events: Sequence[ProviderEvent]) -> list[Matched]:
    """Tie events to mails. One that names an address counts if that is where the mail went.

    One that names none counts by a token that no copy of the mail had. One query whatever the number.
    """
    named = [_named(host, event.tokens) for event in events]
    rows = _rows(host, {one.message_id for tokens in named for one in tokens})
    return [_matched(event, tokens, rows) for event, tokens in zip(events, named, strict=True)]


def _named(host: Host, tokens: Iterable[str]) -> list[Named]:
    found = []
    for token in tokens:
        try:
            found.append(read_any_token(host.config, token))
        except BadLink:
            continue
    return [one for one in found if one.message_id <= LARGEST_ID]


def _rows(host: Host, ids: Iterable[int]) -> Mapping[int, OutboxMessage]:
    found = host.session.scalars(select(OutboxMessage).where(one_of(OutboxMessage.id, sorted(ids))))
    return {row.id: row for row in found}


def _matched(event: ProviderEvent, tokens: Sequence[Named], rows: Mapping[int, OutboxMessage]) -> Matched:
    if not tokens:
        return Matched(event, None, "It holds no sign of a mail we sent.")
    there = [(rows[one.message_id], one.own) for one in tokens if one.message_id in rows]
    if not there:
        return Matched(event, None, "The mail it speaks of is not kept here any more.")
    if event.recipient is None:
        own = next((row for row, is_own in there if is_own), None)
        return Matched(event, own, "" if own else "It names no address, and its token may be that of a copy.")
    forms = spellings(event.recipient)
    mailed = next((row for row, _ in there if forms & spellings(row.address)), None)
    return Matched(event, mailed, "" if mailed else "It names another address than the one this mail went to.")
