"""What a job does: find the host, call one function of a room, commit. A job may run twice or never."""

import logging
import threading

from flask import current_app

from massmail_plugin import mailings
from massmail_plugin.audience import imports
from massmail_plugin.contracts import Host
from massmail_plugin.errors import SetupError
from massmail_plugin.feedback import mailboxes, stop_lists
from massmail_plugin.jobs import late_start
from massmail_plugin.sending import note_trouble, run_lane

log = logging.getLogger(__name__)

stopping = threading.Event()
"""Set in a process that was asked to end: the job in hand ends as soon as it can in good order."""


def _host() -> Host:
    host: Host = current_app.extensions["massmail"]
    return host


def fill() -> None:
    """Fill every mailing that was launched; then let the sending begin."""
    host = _host()
    late_start.guard(host, late_start.WORKER)
    if mailings.fill_launched(host):
        host.wake("send")


def send() -> None:
    """Empty the outbox for `lane_seconds`; go on in a new job where more is waiting."""
    host = _host()
    late_start.guard(host, late_start.WORKER)
    try:
        seconds = host.config.lane_seconds
        report = run_lane(host, seconds=seconds, stopping=stopping.is_set, meanwhile=_fill)
    except SetupError as error:
        note_trouble(host, str(error))
        raise
    if report.settled:
        host.wake("outcomes")
    if report.more:
        host.wake("send")


def read_mailboxes() -> None:
    """Read the mailboxes whose turn it is; what does not fit into one reading waits for its next turn."""
    host = _host()
    for mailbox_id in mailboxes.due(host):
        if not stopping.is_set():
            mailboxes.read_mailbox(host, mailbox_id, stopping=stopping.is_set)


def exchange_stop_lists() -> None:
    """Bring our stops and the lists of providers together whose turn it is; a fault of one keeps none of the others."""
    host = _host()
    for feed_id in stop_lists.due(host):
        if not stopping.is_set():
            try:
                stop_lists.exchange(host, feed_id, stopping=stopping.is_set)
            except stop_lists.ListFault as fault:
                log.warning("Feed %s: %s", feed_id, fault)


def import_files() -> None:
    """Work on the files people brought for `lane_seconds`; go on in a new job, after what waits meanwhile."""
    host = _host()
    more = False
    waiting = imports.due(host)
    host.session.rollback()
    for import_id in waiting:
        if not stopping.is_set():
            more |= imports.run(host, import_id, seconds=host.config.lane_seconds, stopping=stopping.is_set)
    if more:
        host.wake("imports")


def _fill() -> None:
    """What must not wait for a mail server that takes its time."""
    mailings.fill_launched(_host())
