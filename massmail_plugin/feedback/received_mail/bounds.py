"""How much is kept of what came in and is none of ours. Whoever writes such rows enters and commits."""

from sqlalchemy import delete, select, update

from massmail_plugin.contracts import Host
from massmail_plugin.models import Received
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import ReceivedState

STRANGE_RAW_KEPT = 32 * 1024
"""Bytes kept of a mail that is none of ours."""
STRANGE_RAWS = 500
"""Of so many of them, the latest, the bytes are kept at all."""


def keep_within_bounds(host: Host) -> None:
    """Delete all but the latest `MASSMAIL_RECEIVED_KEPT` rows of each state but matched, and the bytes of most."""
    for state in (ReceivedState.UNMATCHED, ReceivedState.IGNORED):
        ids = select(Received.id).where(Received.state == state).order_by(Received.id.desc()).limit(1)
        last = host.session.scalar(ids.offset(max(host.config.received_kept, 0)))
        if last is not None:
            changed(host, delete(Received).where(Received.state == state, Received.id <= last))
        bare = host.session.scalar(ids.offset(STRANGE_RAWS))
        if bare is not None:
            with_bytes = (Received.state == state, Received.id <= bare, Received.raw.is_not(None))
            changed(host, update(Received).where(*with_bytes).values(raw=None))
