"""What a job does: find the host, call one function of a room, commit. A job may run twice or never."""

import threading

from flask import current_app

from massmail_plugin import mailings, outcomes
from massmail_plugin.contracts import Host
from massmail_plugin.errors import SetupError
from massmail_plugin.jobs import late_start
from massmail_plugin.sending import note_trouble, run_lane

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
        report = run_lane(host, seconds=seconds, stopping=stopping.is_set, meanwhile=_fill_and_report)
    except SetupError as error:
        note_trouble(host, str(error))
        raise
    if report.settled:
        host.wake("outcomes")
    if report.more:
        host.wake("send")


def _fill_and_report() -> None:
    """What must not wait for a mail server that takes its time."""
    host = _host()
    mailings.fill_launched(host)
    outcomes.deliver(host, stopping=stopping.is_set)


def report() -> None:
    """Deliver what became of the mails to the host."""
    outcomes.deliver(_host(), stopping=stopping.is_set)
