"""Asks after the workers without keeping anybody waiting for the database. Views that only read enter."""

from massmail_plugin.contracts import Host, QueueState


def asked(host: Host) -> QueueState:
    """How the workers are. Ends the request's transaction first and goes on with one that only reads.

    An answer may take two seconds, and on SQLite an open transaction may keep every writer waiting for as long.
    """
    host.session.commit()
    state = host.queue_status()
    host.session.connection(execution_options={"sqlite_deferred": True})
    return state
