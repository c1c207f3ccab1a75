"""Removals that hold no more once a contact wants mail again. The wishes enter; flushes only."""

from sqlalchemy import func, select

from massmail_plugin import outcomes
from massmail_plugin.consent.preferences import list_ids_of
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import OutcomeReport, mailing_list
from massmail_plugin.vocabulary import Outcome


def take_removals_back(host: Host, contact: ContactRef) -> None:
    """Report the removals of this contact as taken back, save those by mailings to lists they still are off."""
    now = host.clock()
    for message_id, mailing_id in _standing_removals(host, contact):
        if _holds_no_more(host, contact, mailing_id):
            outcomes.record_undo(host, message_id, at=now)


def _standing_removals(host: Host, contact: ContactRef) -> list[tuple[int, int]]:
    query = (
        select(OutcomeReport.message_id, OutcomeReport.mailing_id)
        .where(
            OutcomeReport.contact_source == contact.source,
            OutcomeReport.contact_key == contact.key,
            OutcomeReport.outcome == Outcome.REMOVED.value,
        )
        .group_by(OutcomeReport.message_id, OutcomeReport.mailing_id)
        .having(func.max(OutcomeReport.turn) % 2 == 0)
        .order_by(OutcomeReport.message_id)
    )
    return [(message_id, mailing_id) for message_id, mailing_id in host.session.execute(query)]


def _holds_no_more(host: Host, contact: ContactRef, mailing_id: int) -> bool:
    lists = set(host.session.scalars(select(mailing_list.c.list_id).where(mailing_list.c.mailing_id == mailing_id)))
    return not lists or bool(lists & set(list_ids_of(host, contact)))
