"""Contacts who want mail again: removals that hold no more, wishes that are too old. The wishes enter; flushes only."""

from collections.abc import Set
from datetime import datetime

from sqlalchemy import exists, func, select

from massmail_plugin import outcomes
from massmail_plugin.consent.wishes.opt_outs import Wide, opted_out_of
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import Event, Mailing, OutboxMessage, OutcomeReport
from massmail_plugin.opt_out.choices import lists_on, stopped_topics
from massmail_plugin.opt_out.recipient import topic_of
from massmail_plugin.vocabulary import EventKind, Outcome


def came_back_since(host: Host, contact: ContactRef, at: datetime) -> bool:
    """Whether the contact came back after that moment, so that a wish to stop said then holds no more."""
    back = exists().where(
        OutboxMessage.contact_source == contact.source,
        OutboxMessage.contact_key == contact.key,
        Event.message_id == OutboxMessage.id,
        Event.kind == EventKind.OPT_BACK_IN.value,
        Event.at > at,
    )
    return bool(host.session.scalar(select(back)))


def take_removals_back(host: Host, contact: ContactRef) -> None:
    """Report the removals of this contact as taken back, save those by mailings whose mail they still do not want."""
    if opted_out_of(host, contact, Wide()):
        return
    now, on, stopped = host.clock(), lists_on(host, contact), stopped_topics(host, contact)
    for message_id, mailing_id in _standing_removals(host, contact):
        mailing = host.session.get(Mailing, mailing_id)
        if mailing is None or _is_wanted(mailing, on, stopped):
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


def _is_wanted(mailing: Mailing, on: Set[int], stopped: Set[int]) -> bool:
    """By a contact who is on these lists and stopped these topics."""
    if mailing.lists:
        return any(list_.id in on for list_ in mailing.lists)
    topic = topic_of(mailing)
    return topic is None or topic.id not in stopped
