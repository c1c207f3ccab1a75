"""The scheduler process: a tick every few seconds that starts what is due, frees what was left, and wakes the workers.

Any number may run; a lease lets one tick at a time. Everything a tick does is decided by rows, so it may run twice.
"""

import logging
import signal
import threading
from types import FrameType

from flask import Flask
from sqlalchemy import exists, select

from massmail_plugin import campaigns, feedback, leases, mailings, outbox, sending, sign_ups
from massmail_plugin.audience import imports
from massmail_plugin.consent import let_ended_go
from massmail_plugin.consent.subscriptions import tallies
from massmail_plugin.contracts import Host
from massmail_plugin.errors import SetupError
from massmail_plugin.feedback import mailboxes, stop_lists
from massmail_plugin.jobs import late_start
from massmail_plugin.mailings import statistics
from massmail_plugin.models import Chunk, Mailing
from massmail_plugin.outbox import decide
from massmail_plugin.upkeep import retention
from massmail_plugin.vocabulary import MailingState

log = logging.getLogger(__name__)

LEASE = "scheduler"
RETENTION_SECONDS = 2.0
"""Of each tick, while a pass over old data is not over."""


def tick(host: Host) -> bool:
    """Do once what a scheduler does; False where another one holds the lease."""
    if not leases.take(host, LEASE, seconds=3 * host.config.tick_seconds):
        return False
    late_start.guard(host, LEASE)
    _recover(host)
    decide.apply_policy(host)
    outbox.finish_done(host)
    mailings.start_due(host)
    campaigns.advance(host)
    sign_ups.keep_up(host)
    _wake(host)
    statistics.send_due_digests(host)
    mailings.answer_lost_links(host)
    outbox.forget_values(host)
    tallies.fold(host)
    let_ended_go(host, limit=1_000)
    host.session.commit()
    statistics.catch_up(host)
    if retention.is_due(host):
        retention.run(host, seconds=RETENTION_SECONDS)
    host.session.commit()
    return True


def _recover(host: Host) -> None:
    """A machine whose state directory cannot be used recovers nothing; the rest of a tick needs none."""
    try:
        sending.recover(host)
    except SetupError as error:
        log.error("%s", error)


def _wake(host: Host) -> None:
    now = leases.database_now(host)
    filling = exists().where(Mailing.state == MailingState.FILLING.value)
    sending = exists().where(
        Chunk.due_at <= now,
        Chunk.leased_by.is_(None),
        Mailing.id == Chunk.mailing_id,
        Mailing.state == MailingState.SENDING.value,
    )
    fill, send = host.session.execute(select(filling, sending)).one()
    unread = mailboxes.due(host)
    brought = imports.due(host)
    host.session.commit()
    if fill:
        host.wake("fill")
    if send:
        host.wake("send")
    if unread:
        host.wake("mailboxes")
    if stop_lists.due(host):
        host.wake("stop_lists")
    if brought:
        host.wake("imports")


def run_scheduler(app: Flask, *, once: bool = False) -> None:
    """Tick every `tick_seconds` until SIGTERM or SIGINT; with `once`, a single tick.

    A failing tick is logged and tried again.
    """
    stop = threading.Event()
    host: Host = app.extensions["massmail"]
    if not once:
        _stop_on_signals(stop)
        feedback.start_draining(app, first=True)
    while True:
        with app.app_context():
            if once:
                feedback.drain(host)
            _tick_safely(host, raises=once)
        if once or stop.wait(host.config.tick_seconds):
            break
    with app.app_context():
        leases.give_back(host, LEASE)


def _tick_safely(host: Host, *, raises: bool) -> None:
    try:
        tick(host)
    except Exception:
        host.session.rollback()
        log.exception("The scheduler's tick failed; it is tried again")
        if raises:
            raise


def _stop_on_signals(stop: threading.Event) -> None:
    def handler(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, handler)
    signal.signal(signal.SIGINT, handler)
