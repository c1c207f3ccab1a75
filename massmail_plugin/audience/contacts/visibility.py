"""Which contacts the user at a screen may see: the `limit` of their source. Nothing is changed here.

Doors give rooms a Host whose `viewer` is the user; workers and the command line have none and see everybody.
"""

from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, true

from massmail_plugin.consent.contact_keys import key_from_text
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import Column, ContactSource, Host


def limited(host: Host) -> bool:
    """Whether some contacts may be hidden from who looks."""
    return not all(sees_all(host, source) for source in host.sources.values())


def sees_all(host: Host, source: ContactSource) -> bool:
    """Whether no contact of the source is hidden from who looks."""
    if host.viewer is None or source.limit is None:
        return True
    allowed = source.limit(host.viewer)
    return allowed is None or allowed is True


def visible(host: Host, source: ContactSource) -> ColumnElement[bool]:
    """A clause over `source.model`: the contacts that may be shown to who looks. True or false, never NULL."""
    if host.viewer is None or source.limit is None:
        return true()
    allowed: Any = source.limit(host.viewer)
    if allowed is None or allowed is True:
        return true()
    return false() if allowed is False else func.coalesce(allowed, false())


def visible_rows(host: Host, source_name: Column, key: Column) -> ColumnElement[bool]:
    """A clause over rows of ours that name a contact by source and key: whether they may be shown to who looks.

    Rows about a source that the host has no more, or about a contact that is gone, are shown where nothing is hidden.
    """
    if not limited(host):
        return true()
    return or_(false(), *(and_(source_name == name, _one(host, source, key)) for name, source in host.sources.items()))


def _one(host: Host, source: ContactSource, key: Column) -> ColumnElement[bool]:
    if source.limit is None:
        return true()
    this = register(source).key_column == key_from_text(source, key)
    return exists().select_from(source.model).where(this, visible(host, source))
