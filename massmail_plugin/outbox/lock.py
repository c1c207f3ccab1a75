"""The order in which rows are locked: first the mailing, then its chunks, then its messages.

Everything that changes a mailing's state or counts its chunks enters here first, so that none of it counts what
another is about to change, and no two wait for each other. Nothing is committed here.
"""

from typing import cast

from sqlalchemy import Table, bindparam, select

from massmail_plugin.contracts import Host
from massmail_plugin.models import Mailing

_MAILING = cast(Table, Mailing.__table__)
_STATE = select(_MAILING.c.state).where(_MAILING.c.id == bindparam("mailing"))
_SHARED, _ALONE = _STATE.with_for_update(read=True), _STATE.with_for_update(key_share=True)


def lock_mailing(host: Host, mailing_id: int, *, shared: bool = False) -> str:
    """Hold a mailing until the end of the transaction; its state. `shared` with those who also only change messages.

    SQLite has one writer anyway and needs no such lock.
    """
    state = host.session.connection().execute(_SHARED if shared else _ALONE, {"mailing": mailing_id}).scalar()
    return str(state or "")
