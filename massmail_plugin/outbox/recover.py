"""Sets right what a worker left behind that died or lost its lease. The reconciler and each lane enter.

Commits by itself.
"""

import logging

from sqlalchemy import ColumnElement, select, update

from massmail_plugin.contracts import Host
from massmail_plugin.models import Chunk
from massmail_plugin.outbox.finish import close_chunk, finish_if_done
from massmail_plugin.outbox.lock import lock_mailing
from massmail_plugin.outbox.uncertain import mark_uncertain
from massmail_plugin.portable_sql import changed

log = logging.getLogger(__name__)


def recover(host: Host) -> int:
    """Free every chunk whose lease ran out; a message handed without an answer becomes uncertain.

    The number of chunks.
    """
    left = select(Chunk.id, Chunk.mailing_id, Chunk.number).where(*_left(host)).order_by(Chunk.id)
    chunks = host.session.execute(left).all()
    host.session.commit()
    return sum(_free(host, *chunk) for chunk in chunks)


def _free(host: Host, chunk_id: int, mailing_id: int, number: int) -> bool:
    lock_mailing(host, mailing_id)
    lease = update(Chunk).where(Chunk.id == chunk_id, *_left(host)).values(leased_by=None, leased_until=None)
    freed = changed(host, lease) == 1
    if freed:
        lost = mark_uncertain(host, mailing_id, number)
        close_chunk(host, mailing_id, number)
        finish_if_done(host, mailing_id)
        log.warning("Chunk %s of mailing %s was left by its worker; %s uncertain", number, mailing_id, lost)
    host.session.commit()
    return freed


def _left(host: Host) -> tuple[ColumnElement[bool], ...]:
    return Chunk.leased_by.is_not(None), Chunk.leased_until < host.clock()
