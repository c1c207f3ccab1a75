"""Contacts on screens: found by a text, named beside rows that hold their keys, and read from what a form posts.

Views enter; only reads.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from massmail_plugin.audience.contacts.summaries import ContactSummary, find, summaries
from massmail_plugin.contracts import ContactRef, Host

MOST_FOUND = 10


def found(host: Host, text: str) -> list[ContactSummary]:
    """At most ten contacts of all sources whose name or address holds `text`; none for an empty text."""
    if not text.strip():
        return []
    return [one for source in host.sources.values() for one in find(host, source, text, MOST_FOUND)][:MOST_FOUND]


def named(host: Host, refs: Iterable[ContactRef]) -> dict[ContactRef, ContactSummary]:
    """Names and addresses of contacts; one that the host no longer has (or whose source is gone) is missing."""
    return summaries(host, sorted(set(refs)))


def posted(host: Host, values: Mapping[str, Any]) -> ContactRef | None:
    """The contact that the fields contact_source and contact_key name, if the host has it."""
    ref = ContactRef(str(values.get("contact_source", "")), str(values.get("contact_key", "")))
    return ref if ref in named(host, [ref]) else None


def page_of(host: Host, ref: ContactRef) -> str:
    """Address of the contact's page in the host, or "" where the host named none."""
    source = host.sources.get(ref.source)
    return source.url(ref.key) if source and source.url else ""


def refs_of(rows: Sequence[Any]) -> list[ContactRef]:
    """The contacts that rows of ours point to; rows about an address alone are passed over."""
    return [ContactRef(row.contact_source, row.contact_key) for row in rows if row.contact_key is not None]
