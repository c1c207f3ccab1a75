"""Whose opens and clicks a provider may tell us, and which link a click followed. Taking in enters; only reads."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select

from massmail_plugin.consent.contact_keys import has_key, key_text
from massmail_plugin.contracts import Host
from massmail_plugin.feedback.provider_events.matching import Matched
from massmail_plugin.feedback.provider_events.meaning import HITS, KINDS
from massmail_plugin.models import Link, Mailing, OutboxMessage
from massmail_plugin.portable_sql import one_of


class Tracked:
    """What may be counted of some events, asked for in a few queries."""

    def __init__(self, host: Host, matched: Sequence[Matched]) -> None:
        hits = [one for one in matched if one.message is not None and KINDS.get(one.event.word) in HITS]
        messages = [one.message for one in hits if one.message is not None]
        self._root = host.config.public_root + "/"
        self._off = _untracked_mailings(host, {one.mailing_id for one in messages})
        self._unwilling = _unwilling(host, messages)
        self._links = _links(host, {one.mailing_id for one in messages}, {one.event.url for one in hits})

    def counts(self, one: Matched) -> bool:
        """Whether an event is kept: an open or click is not where tracking is off, or where our own link counted it."""
        if one.message is None or KINDS.get(one.event.word) not in HITS:
            return True
        if one.event.url.startswith(self._root) or one.message.mailing_id in self._off:
            return False
        return (one.message.contact_source, one.message.contact_key) not in self._unwilling

    def link(self, one: Matched) -> int | None:
        """The link of the mailing that leads to the address the provider names, if there is such a one."""
        return self._links.get((one.message.mailing_id, one.event.url)) if one.message else None


def _untracked_mailings(host: Host, ids: Iterable[int]) -> set[int]:
    return set(host.session.scalars(select(Mailing.id).where(one_of(Mailing.id, sorted(ids)), ~Mailing.tracking)))


def _unwilling(host: Host, messages: Sequence[OutboxMessage]) -> set[tuple[str, str]]:
    """The contacts whose opens and clicks the host does not want."""
    found: set[tuple[str, str]] = set()
    for name in {one.contact_source for one in messages}:
        source = host.sources.get(name)
        if source is None or source.tracking is None:
            continue
        keys = sorted({one.contact_key for one in messages if one.contact_source == name})
        rows = host.session.execute(select(key_text(source), source.tracking).where(has_key(source, keys)))
        found |= {(name, key) for key, tracking in rows if not tracking}
    return found


def _links(host: Host, mailing_ids: Iterable[int], urls: Iterable[str]) -> Mapping[tuple[int, str], int]:
    wanted = [url for url in urls if url]
    if not wanted:
        return {}
    query = select(Link.mailing_id, Link.target, Link.id).where(one_of(Link.mailing_id, sorted(mailing_ids)))
    rows = host.session.execute(query.where(one_of(Link.target, wanted)).order_by(Link.id.desc()))
    return {(mailing_id, target): link_id for mailing_id, target, link_id in rows}
