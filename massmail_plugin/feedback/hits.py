"""What opens and clicks have in common: whose mail it was, the event row, and the outcome. Flushes only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from massmail_plugin import outcomes
from massmail_plugin.consent.notices import after_commit
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadLink
from massmail_plugin.feedback.machines import LONGEST_AGENT, verdict
from massmail_plugin.models import Event, Mailing, OutboxMessage
from massmail_plugin.vocabulary import EventKind, MailingKind, Outcome


@dataclass(frozen=True)
class Visitor:
    """Who fetched a link, as far as the request says: the user agent and the other headers."""

    user_agent: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Mail:
    """The outbox message a link belongs to."""

    message_id: int
    mailing_id: int
    is_test: bool


def mail_of(host: Host, message_id: int) -> Mail:
    """Raises BadLink where the message is not kept any more."""
    query = select(OutboxMessage.mailing_id, Mailing.kind).join(Mailing, Mailing.id == OutboxMessage.mailing_id)
    found = host.session.execute(query.where(OutboxMessage.id == message_id)).first()
    if found is None:
        raise BadLink("The mail this link was in is not known here any more.")
    return Mail(message_id, found.mailing_id, found.kind == MailingKind.TEST)


def hit(
    host: Host,
    mail: Mail,
    kind: EventKind,
    meaning: Sequence[Outcome],
    visitor: Visitor,
    *,
    link_id: int | None = None,
) -> None:
    """Keep one hit; a person's is also reported as each outcome of `meaning`. A test mail leaves no trace."""
    if mail.is_test:
        return
    now, reason = host.clock(), verdict(visitor.user_agent, visitor.headers)
    event = Event(
        message_id=mail.message_id,
        mailing_id=mail.mailing_id,
        kind=kind.value,
        link_id=link_id,
        at=now,
        by_machine=bool(reason),
        machine_reason=reason,
        user_agent=visitor.user_agent[:LONGEST_AGENT],
    )
    host.session.add(event)
    host.session.flush()
    if not reason:
        _report(host, mail, meaning, now, link_id)


def _report(host: Host, mail: Mail, meaning: Sequence[Outcome], at: datetime, link_id: int | None) -> None:
    news = [outcomes.record(host, mail.message_id, outcome, at=at, link_id=link_id) for outcome in meaning]
    if any(news):
        after_commit(host, lambda: host.wake("outcomes"))
