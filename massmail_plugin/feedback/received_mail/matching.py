"""Which of our mails a received mail speaks of: by our own tokens alone, and by the address we mailed.

Whatever else a mail claims proves nothing. Receiving enters; only reads.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from massmail_plugin.consent.addresses import spellings
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadLink
from massmail_plugin.feedback.reports import Report, ReportedRecipient, ReportKind
from massmail_plugin.models import OutboxMessage
from massmail_plugin.portable_sql import one_of
from massmail_plugin.signed_links import (
    read_message_id_field,
    read_message_token,
    read_opt_out_address,
    read_return_path,
)

MOST = 50
"""Tokens of each kind that are looked at in one mail."""

_REDACTED = ("redacted", "*", "xxxx")


@dataclass(frozen=True)
class Tokens:
    """Ids of outbox messages, as the tokens in a received mail name them; whether there are such rows is not known."""

    own: tuple[int, ...] = ()
    """By the return path it came to, or the unsubscribe link it returns: only this recipient's mail had them."""
    shared: tuple[int, ...] = ()
    """By a Message-ID: copies to a BCC address have the same one, so the address must fit too."""
    answered: tuple[int, ...] = ()
    """By the Message-ID it answers; the one answered directly comes first."""
    leaving: tuple[int, ...] = ()
    """By the address it came to: whoever had one of these mails writes there to opt out."""

    @property
    def all(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys((*self.own, *self.shared, *self.answered, *self.leaving)))


def tokens(host: Host, report: Report) -> Tokens:
    """Every token of ours in a received mail. The database is not asked."""
    config = host.config

    def link(address: str) -> int:
        return read_message_token(config, address.rstrip("/").rpartition("/")[2].partition("?")[0])

    own = [
        *_read(lambda address: read_return_path(config, address), report.sent_to),
        *_read(link, report.returned_links),
    ]
    message_id: Callable[[str], int] = lambda text: read_message_id_field(config, text)  # noqa: E731
    return Tokens(
        tuple(own),
        tuple(_read(message_id, report.returned_ids)),
        tuple(_read(message_id, report.answers)),
        tuple(_read(lambda address: read_opt_out_address(config, address), report.sent_to)),
    )


def _read(token: Callable[[str], int], texts: Sequence[str]) -> Iterator[int]:
    for text in texts[:MOST]:
        try:
            yield token(text)
        except BadLink:
            continue


def messages_of(host: Host, found: Iterable[Tokens]) -> dict[int, OutboxMessage]:
    """The rows that tokens name, by their ids."""
    ids = sorted({message_id for one in found for message_id in one.all})
    if not ids:
        return {}
    return {row.id: row for row in host.session.scalars(select(OutboxMessage).where(one_of(OutboxMessage.id, ids)))}


@dataclass(frozen=True)
class Match:
    """What a received mail says for sure about one of our mails; `recipient` is the part that speaks of it, if any."""

    message: OutboxMessage
    recipient: ReportedRecipient | None


@dataclass(frozen=True)
class Verdict:
    """The matches of one received mail; where there are none, `why` in words."""

    matches: tuple[Match, ...] = ()
    why: str = ""


def matched(report: Report, found: Tokens, rows: Mapping[int, OutboxMessage]) -> Verdict:
    """Tie a received mail to the mails it speaks of.

    A report counts where a token and a reported address lead to the same mail. One that names no address counts by a
    token that only this recipient's mail had. A reply counts if it comes from the address that was mailed.
    """
    if not found.all:
        return Verdict(why="It holds no sign of a mail we sent.")
    if not any(message_id in rows for message_id in found.all):
        return Verdict(why="The mail it speaks of is not kept here any more.")
    if report.kind in (ReportKind.NONE, ReportKind.AUTOREPLY):
        return _of_answer(report, found, rows)
    named = [one for one in report.recipients if not _redacted(one)]
    if named:
        return _by_address(named, _those(found.own + found.shared + found.answered, rows))
    own = next(_those(found.own, rows), None)
    if own is None:
        return Verdict(why="It names no address, and its token may be that of a copy.")
    return Verdict((Match(own, next(iter(report.recipients), None)),))


def wished(wishes: Sequence[int], rows: Mapping[int, OutboxMessage]) -> Verdict:
    """The mails whose recipients opt out, as far as their rows are still there."""
    return Verdict(tuple(Match(row, None) for row in _those(wishes, rows)))


def _by_address(named: Sequence[ReportedRecipient], candidates: Iterator[OutboxMessage]) -> Verdict:
    messages = list(candidates)
    pairs = ((next((row for row in messages if _same(one.names, row.address)), None), one) for one in named)
    matches = tuple(Match(row, one) for row, one in pairs if row is not None)
    return Verdict(matches, "" if matches else "It names another address than the one this mail went to.")


def _of_answer(report: Report, found: Tokens, rows: Mapping[int, OutboxMessage]) -> Verdict:
    ids = found.answered if report.kind is ReportKind.NONE else found.answered + found.own + found.shared
    answered = list(_those(ids, rows))
    writer = next((row for row in answered if _same([report.sender], row.address)), None)
    if writer is not None:
        return Verdict((Match(writer, None),))
    if report.kind is ReportKind.AUTOREPLY and (own := next(_those(found.own, rows), None)):
        return Verdict((Match(own, None),))
    return Verdict(
        why="It comes from another address than the one this mail went to."
        if answered
        else "It answers none of our mails."
    )


def _those(ids: Iterable[int], rows: Mapping[int, OutboxMessage]) -> Iterator[OutboxMessage]:
    return (rows[message_id] for message_id in dict.fromkeys(ids) if message_id in rows)


def _same(reported: Iterable[str], mailed: str) -> bool:
    forms = spellings(mailed)
    return any(forms & spellings(one) for one in reported if one)


def _redacted(one: ReportedRecipient) -> bool:
    """Providers hide whom a complaint is about (RFC 5965, 3.3); that is no address."""
    local = one.address.rpartition("@")[0].lower()
    return not local or any(word in local for word in _REDACTED)
