"""The order in which rows are locked: first the mailing, then its chunks, then its messages.

Everything that changes a mailing's state or counts its chunks enters here first, so that none of it counts what
another is about to change, and no two wait for each other. Nothing is committed here.
"""

from sqlalchemy import select

from massmail_plugin.contracts import Host
from massmail_plugin.models import Mailing


def lock_mailing(host: Host, mailing_id: int, *, shared: bool = False) -> None:
    """Hold a mailing until the end of the transaction; `shared` with those who also only change its messages.

    SQLite has one writer anyway and needs no such lock.
    """
    row = select(Mailing.id).where(Mailing.id == mailing_id)
    host.session.execute(row.with_for_update(read=True) if shared else row.with_for_update(key_share=True))
