"""Sets right what a worker left behind that died or lost its lease. The reconciler and each lane enter.

Commits by itself.
"""

import logging

from sqlalchemy import select, update

from massmail_plugin.contracts import Host
from massmail_plugin.models import Chunk
from massmail_plugin.outbox.counters import recount
from massmail_plugin.outbox.finish import finish_if_done
from massmail_plugin.outbox.uncertain import mark_uncertain
from massmail_plugin.portable_sql import changed

log = logging.getLogger(__name__)


def recover(host: Host) -> int:
    """Free every chunk whose lease ran out; a message handed without an answer becomes uncertain.

    The number of chunks.
    """
    query = (
        select(Chunk.id, Chunk.mailing_id, Chunk.number)
        .where(Chunk.leased_by.is_not(None), Chunk.leased_until < host.clock())
        .with_for_update(skip_locked=True)
    )
    chunks = host.session.execute(query).all()
    for chunk_id, mailing_id, number in chunks:
        lost = mark_uncertain(host, mailing_id, number)
        changed(host, update(Chunk).where(Chunk.id == chunk_id).values(leased_by=None, leased_until=None))
        recount(host, mailing_id, from_number=number, to_number=number)
        finish_if_done(host, mailing_id)
        log.warning("Chunk %s of mailing %s was left by its worker; %s uncertain", number, mailing_id, lost)
    host.session.commit()
    return len(chunks)
