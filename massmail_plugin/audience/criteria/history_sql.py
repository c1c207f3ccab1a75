"""What became of the mails to a contact, as SQL over the contact. Commits nothing.

Tests and service mails are no mails here. Opens, clicks and answers count where a person did them; a click or an answer
is a reading too. What was deleted by its age is not found any more.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, not_, select

from massmail_plugin.audience.criteria.rules import Got, HistoryRule
from massmail_plugin.consent.contact_keys import key_text
from massmail_plugin.contracts import ContactSource, Host
from massmail_plugin.errors import RuleError
from massmail_plugin.models import Event, Link, Mailing, OutboxMessage, Template
from massmail_plugin.vocabulary import UNCOUNTED, EventKind, MessageState

Clause = ColumnElement[bool]

_EVENTS = {
    Got.READ: (EventKind.OPEN, EventKind.CLICK, EventKind.REPLY),
    Got.UNREAD: (EventKind.OPEN, EventKind.CLICK, EventKind.REPLY),
    Got.CLICKED: (EventKind.CLICK,),
    Got.UNCLICKED: (EventKind.CLICK,),
    Got.BOUNCED: (EventKind.BOUNCE,),
}


def history(host: Host, source: ContactSource, rule: HistoryRule) -> Clause:
    """True or false for each contact. Raises RuleError for a mailing or template that is gone."""
    mailing_of(host, rule)
    template_of(host, rule)
    if rule.op in (Got.GOT, Got.NOT_GOT):
        got = exists().where(*_sent(host, source, rule))
        return got if rule.op is Got.GOT else not_(got)
    if rule.op in (Got.UNREAD, Got.UNCLICKED):
        answered = exists().where(*_sent(host, source, rule), *_answered(rule))
        return and_(exists().where(*_sent(host, source, rule)), not_(answered))
    since = [] if rule.days is None else [Event.at >= host.clock() - timedelta(days=rule.days)]
    return exists().where(*_mails(source, rule), *_answered(rule), *since)


def mailing_of(host: Host, rule: HistoryRule) -> Mailing | None:
    """The mailing a rule names. Raises RuleError where it is gone."""
    mailing = None if rule.mailing_id is None else host.session.get(Mailing, rule.mailing_id)
    if rule.mailing_id is not None and mailing is None:
        raise RuleError(f"The mailing number {rule.mailing_id} is not there any more. Choose another.")
    return mailing


def template_of(host: Host, rule: HistoryRule) -> Template | None:
    """The template a rule names. Raises RuleError where it is gone."""
    template = None if rule.template_id is None else host.session.get(Template, rule.template_id)
    if rule.template_id is not None and template is None:
        raise RuleError(f"The template number {rule.template_id} is not there any more. Choose another.")
    return template


def _mails(source: ContactSource, rule: HistoryRule) -> Sequence[Clause]:
    """Messages to the contact, of the mailings the rule speaks of."""
    mine = [OutboxMessage.contact_source == source.source_name, OutboxMessage.contact_key == key_text(source)]
    if rule.mailing_id is not None:
        return [*mine, OutboxMessage.mailing_id == rule.mailing_id]
    counted: list[Any] = [Mailing.kind.not_in([kind.value for kind in UNCOUNTED])]
    if rule.template_id is not None:
        counted.append(Mailing.template_id == rule.template_id)
    return [*mine, OutboxMessage.mailing_id.in_(select(Mailing.id).where(*counted))]


def _sent(host: Host, source: ContactSource, rule: HistoryRule) -> Sequence[Clause]:
    """Mails the contact got, of the last days where the rule says so."""
    sent = [*_mails(source, rule), OutboxMessage.state == MessageState.SENT.value]
    return sent if rule.days is None else [*sent, OutboxMessage.settled_at >= host.clock() - timedelta(days=rule.days)]


def _answered(rule: HistoryRule) -> Sequence[Clause]:
    """Events of the kind asked for, by people, of these messages."""
    kinds = [kind.value for kind in _EVENTS[rule.op]]
    found = [Event.message_id == OutboxMessage.id, Event.kind.in_(kinds), Event.by_machine.is_(False)]
    if rule.link is None:
        return found
    return [*found, Event.link_id.in_(select(Link.id).where(Link.target == rule.link))]
