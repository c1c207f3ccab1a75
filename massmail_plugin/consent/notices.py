"""Calls that wait for the commit: run once it has happened, forgotten on rollback. Every room may enter."""

import logging
from collections.abc import Callable

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from massmail_plugin.contracts import Host

log = logging.getLogger(__name__)

Call = Callable[[], object]
_KEY = "massmail_after_commit"


def after_commit(host: Host, fn: Call) -> None:
    """Run `fn` once the outermost transaction of `host.session` is committed and over.

    A rollback forgets it, also the rollback of the savepoint it was asked for in. Calls run in the order they were
    asked for, each with a fresh session behind `host.session`, which is committed after it; what a call raises is
    logged, and neither the committed work nor the other calls are touched. Outside a transaction it waits for the next.
    """
    session = host.session()
    waiting = session.info.get(_KEY)
    if waiting is None:
        waiting = session.info[_KEY] = _Waiting(host)
        event.listen(session, "after_commit", waiting.committing)
        event.listen(session, "after_transaction_end", waiting.ended)
    waiting.calls.append((session.get_nested_transaction(), fn))


class _Waiting:
    """The calls of one session, each with the savepoint it belongs to (None: the outermost transaction)."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.calls: list[tuple[SessionTransaction | None, Call]] = []
        self.committed = False

    def committing(self, session: Session) -> None:
        """SQLAlchemy says so for savepoints too: those calls then belong to what is around the savepoint."""
        savepoint = session.get_nested_transaction()
        if savepoint is None:
            self.committed = True
        else:
            around = _savepoint_around(savepoint)
            self.calls = [(around if owner is savepoint else owner, fn) for owner, fn in self.calls]

    def ended(self, session: Session, transaction: SessionTransaction) -> None:
        """Calls still owned by a savepoint that ends were rolled back with it."""
        if transaction.parent is not None:
            self.calls = [(owner, fn) for owner, fn in self.calls if owner is not transaction]
            return
        committed, self.committed = self.committed, False
        calls, self.calls = self.calls, []
        if committed:
            for _, fn in calls:
                _run(self.host, fn)


def _savepoint_around(savepoint: SessionTransaction) -> SessionTransaction | None:
    around = savepoint.parent
    while around is not None and not around.nested:
        around = around.parent
    return around


def _run(host: Host, fn: Call) -> None:
    """The caller's session may still be inside its `with session.begin():` and refuse work: the call gets its own."""
    registry = host.session.registry
    callers = registry() if registry.has() else None
    own = host.session.session_factory()
    registry.set(own)
    try:
        fn()
        own.commit()
    except Exception:
        log.exception("What was to happen after a commit failed: %s", getattr(fn, "__qualname__", type(fn).__name__))
    finally:
        own.close()
        registry.clear() if callers is None else registry.set(callers)
