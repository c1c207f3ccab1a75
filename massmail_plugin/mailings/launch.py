"""From draft to running: launch freezes the message, fill writes the outbox. Admin, CLI and jobs enter.

`launch` flushes and its door commits; `start_due` and `fill_launched` own short transactions.
"""

import logging

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import SQLAlchemyError

from massmail_plugin import audience, composing, outbox
from massmail_plugin.consent import after_commit
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest, MassMailError
from massmail_plugin.leases import database_now
from massmail_plugin.mailings.checklist import checklist
from massmail_plugin.mailings.identity import chosen_sender, identity
from massmail_plugin.mailings.last_mailed import note_mailed
from massmail_plugin.mailings.recipients import request
from massmail_plugin.models import Link, Mailing, PreparedMessage, TemplateVersion
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import HoldReason, MailingKind, MailingState

log = logging.getLogger(__name__)


def launch(host: Host, mailing: Mailing, *, by: str, expected: int | None = None) -> None:
    """Start a draft now, or at its `scheduled_at`.

    `expected` is the number of mails the person confirmed. Raises BadRequest where a blocker stands, where the number
    has changed since, or where somebody else launched it a moment before: then nothing happens twice.
    """
    found = checklist(host, mailing)
    if found.blockers:
        raise BadRequest(" ".join(line.text for line in found.blockers))
    if expected is not None and expected != found.recipients:
        raise BadRequest(
            f"The number of mails has changed: it was {expected:,}, now it is {found.recipients:,}. "
            "Look again and confirm."
        )
    _take_off(host, mailing, by)
    mailing.sender = chosen_sender(mailing)
    freeze(host, mailing, mailing.template.versions[-1] if mailing.template else None)
    if mailing.state == MailingState.FILLING.value:
        after_commit(host, lambda: host.wake("fill"))


def _take_off(host: Host, mailing: Mailing, by: str) -> None:
    """Move the draft on in one statement, so that of two clicks one wins."""
    later = mailing.scheduled_at is not None and mailing.scheduled_at > host.clock()
    state = MailingState.SCHEDULED if later else MailingState.FILLING
    draft = Mailing.id == mailing.id, Mailing.state == MailingState.DRAFT.value
    values = {"state": state.value, "launched_at": host.clock(), "launched_by": by}
    if changed(host, update(Mailing).where(*draft).values(**values)) != 1:
        raise BadRequest(f"“{mailing.name}” was launched already. It is not sent twice.")
    host.session.refresh(mailing)


def open_at_once(host: Host, mailing: Mailing, *, by: str, subject_prefix: str = "") -> None:
    """Let a mailing begin without an audience of its own: a test or a campaign's step, whose rows come later."""
    mailing.state = MailingState.SENDING.value
    mailing.created_at = mailing.launched_at = host.clock()
    mailing.created_by = mailing.launched_by = by
    host.session.add(mailing)
    host.session.flush()
    freeze(host, mailing, mailing.template.versions[-1] if mailing.template else None, subject_prefix=subject_prefix)


def freeze(host: Host, mailing: Mailing, version: TemplateVersion | None, *, subject_prefix: str = "") -> None:
    """Prepare the message once: styles inlined, links numbered, identity fixed. The mailing keeps this version."""
    sender, template = mailing.sender, mailing.template
    if version is None or sender is None or template is None:
        raise BadRequest(f"“{mailing.name}” needs a template and a sender before it can be prepared.")
    prepared = composing.prepare(
        host,
        version_subject=version.subject,
        html=version.html,
        text=version.text,
        format=template.format,
        track_opens=host.config.track_opens and mailing.tracking,
        track_clicks=host.config.track_clicks and mailing.tracking,
    )
    who = identity(mailing, template, sender)
    mailing.version_id = version.id
    mailing.message_domain = who.from_address.rpartition("@")[2] or host.config.domain
    host.session.add(
        PreparedMessage(
            mailing_id=mailing.id,
            subject=subject_prefix + prepared.subject,
            html=prepared.html,
            text=prepared.text,
            tracks_opens=prepared.tracks_opens,
            from_name=who.from_name,
            from_address=who.from_address,
            reply_to=who.reply_to,
            bcc="" if mailing.is_test else who.bcc,
        )
    )
    host.session.add_all(
        Link(
            mailing_id=mailing.id,
            number=link.number,
            target=link.target,
            label=link.label,
            interest=link.interest.code,
            score=link.interest.score,
        )
        for link in prepared.links
    )
    host.session.flush()


def start_due(host: Host) -> int:
    """Let every scheduled mailing whose time has come begin to fill; the number of them. Commits."""
    due = *_own_run(MailingState.SCHEDULED), Mailing.scheduled_at <= database_now(host)
    started = changed(host, update(Mailing).where(*due).values(state=MailingState.FILLING.value))
    host.session.commit()
    return started


def _own_run(state: MailingState) -> tuple[ColumnElement[bool], ...]:
    """Mailings with an audience of their own: a campaign's step or a test must never be filled from its lists."""
    return Mailing.state == state.value, Mailing.kind == MailingKind.ONE_OFF.value


def fill_launched(host: Host) -> int:
    """Fill the outbox of every mailing that waits for it; the number filled.

    Each is one transaction, committed here.
    """
    waiting = select(Mailing.id).where(*_own_run(MailingState.FILLING)).order_by(Mailing.launched_at)
    ids = list(host.session.scalars(waiting))
    host.session.commit()
    return sum(_fill_safely(host, mailing_id) for mailing_id in ids)


def _fill_safely(host: Host, mailing_id: int) -> bool:
    try:
        filled = _fill(host, mailing_id)
    except MassMailError as error:
        host.session.rollback()
        outbox.hold(host, mailing_id, HoldReason.NOT_FILLED, str(error))
        log.warning("Mailing %s could not be filled and is paused: %s", mailing_id, error)
        filled = False
    except SQLAlchemyError:
        host.session.rollback()
        log.exception("Mailing %s could not be filled; it is tried again at the next tick", mailing_id)
        return False
    host.session.commit()
    return filled


def _fill(host: Host, mailing_id: int) -> bool:
    """The state moves first: of two workers one waits for the other here, then finds nothing left to do."""
    filling = Mailing.id == mailing_id, *_own_run(MailingState.FILLING)
    if changed(host, update(Mailing).where(*filling).values(state=MailingState.SENDING.value)) != 1:
        return False
    mailing = host.session.get_one(Mailing, mailing_id, populate_existing=True)
    recipients = audience.select_recipients(host, request(host, mailing))
    number = outbox.fill(host, mailing, recipients, due_at=database_now(host))
    note_mailed(host, mailing)
    outbox.finish_if_done(host, mailing_id)
    log.info("Mailing %s filled with %s rows", mailing_id, number)
    return True
