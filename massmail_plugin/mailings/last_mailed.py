"""When a list was mailed last. Filling a mailing and taking a step of a campaign enter, in their own transaction."""

from sqlalchemy import select, update

from massmail_plugin.contracts import Host
from massmail_plugin.models import List, Mailing
from massmail_plugin.portable_sql import changed


def note_mailed(host: Host, mailing: Mailing, *, waits: bool = True) -> None:
    """The lists of a mailing are mailed now.

    Without `waits`, a list that somebody is working on at this moment is passed over: the next time will tell.
    """
    ids = [list_.id for list_ in mailing.lists]
    free = select(List.id).where(List.id.in_(ids)).with_for_update(key_share=True, skip_locked=not waits)
    changed(host, update(List).where(List.id.in_(free)).values(last_mailed_at=host.clock()))
