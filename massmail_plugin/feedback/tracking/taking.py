"""Takes one hit in: into the spool, where it is safe before the visitor is answered. The public door enters."""

import logging
from collections.abc import Mapping

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from massmail_plugin.contracts import Host
from massmail_plugin.feedback.machines import LONGEST_AGENT, signs
from massmail_plugin.feedback.tracking.draining import start_draining
from massmail_plugin.feedback.tracking.judged import keep_judged
from massmail_plugin.feedback.tracking.recognised import recognise
from massmail_plugin.feedback.tracking.spool import SpooledHit, append
from massmail_plugin.vocabulary import EventKind

log = logging.getLogger(__name__)


def take_hit(app: Flask, message_id: int, number: int | None, *, method: str, headers: Mapping[str, str]) -> None:
    """Keep that somebody followed link `number` of a mail, or, where that is None, loaded its pixel. Never raises.

    Where the spool cannot be written, the database has to take the hit at once.
    """
    host: Host = app.extensions["massmail"]
    kind = EventKind.OPEN if number is None else EventKind.CLICK
    agent, said = headers.get("User-Agent", "")[:LONGEST_AGENT], signs(method, headers, link=number)
    hit = SpooledHit(kind, host.clock(), message_id, number, agent, said)
    try:
        append(host.state_dir, hit)
    except OSError as error:
        log.error("The spool in %s cannot be written: %s", host.state_dir, error.strerror or error)
        _keep_at_once(app, host, hit)
    else:
        start_draining(app)


def _keep_at_once(app: Flask, host: Host, hit: SpooledHit) -> None:
    with app.app_context():
        try:
            keep_judged(host, recognise(host, [hit]))
            host.session.commit()
        except SQLAlchemyError:
            host.session.rollback()
            log.exception("A hit is lost: neither the spool nor the database takes it")
