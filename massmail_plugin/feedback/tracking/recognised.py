"""Hits whose mails and links were looked up. The drain enters, also in a thread of its own; only reads."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import case, select

from massmail_plugin.composing import HIDDEN_LINK
from massmail_plugin.contracts import Host
from massmail_plugin.feedback.machines import REACH, Hit
from massmail_plugin.feedback.tracking.spool import SpooledHit
from massmail_plugin.feedback.tracking.targets import Key, stored_links
from massmail_plugin.models import Mailing, OutboxMessage
from massmail_plugin.portable_sql import one_of
from massmail_plugin.vocabulary import MailingKind


class Mail(NamedTuple):
    """What is known of a mail whose hits are judged."""

    mailing_id: int
    sent_at: datetime | None
    """None where it left so long before that it does not matter."""


class Seen(NamedTuple):
    """A hit and the mail it is of; for one that is an event already, its id and the reason given then."""

    message_id: int
    hit: Hit
    event_id: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class Recognised:
    """Hits to keep, hits that come after them, and the mails of both."""

    mails: Mapping[int, Mail]
    new: Sequence[Seen]
    coming: Sequence[Seen]


def recognise(host: Host, hits: Sequence[SpooledHit], ahead: Sequence[SpooledHit] = ()) -> Recognised:
    """Look up the mails and links of hits, and of those `ahead` of them that are of the same mails.

    Those of mails and links that are not known any more, and of test mailings, are left out.
    """
    mails = _mails(host, hits)
    wanted = {
        (mails[hit.message_id].mailing_id, hit.number)
        for hit in (*hits, *ahead)
        if hit.number and hit.message_id in mails
    }
    links = {key: link.id for key, link in stored_links(host, wanted).items()}
    return Recognised(mails, list(_seen(hits, mails, links)), list(_seen(ahead, mails, links)))


def _mails(host: Host, hits: Sequence[SpooledHit]) -> dict[int, Mail]:
    if not hits:
        return {}
    message, long_ago = OutboxMessage, min(hit.at for hit in hits) - 3 * REACH
    sent_at = case((message.handed_at >= long_ago, message.handed_at))
    query = select(message.id, message.mailing_id, sent_at).join(Mailing, Mailing.id == message.mailing_id)
    of_hits = one_of(message.id, sorted({hit.message_id for hit in hits})), Mailing.kind != MailingKind.TEST.value
    return {message_id: Mail(*known) for message_id, *known in host.session.execute(query.where(*of_hits))}


def _seen(hits: Iterable[SpooledHit], mails: Mapping[int, Mail], links: Mapping[Key, int]) -> Iterator[Seen]:
    for hit in hits:
        mail = mails.get(hit.message_id)
        link_id = links.get((mail.mailing_id, hit.number)) if mail and hit.number else None
        if mail and (hit.number in (None, HIDDEN_LINK) or link_id is not None):
            kept = Hit(kind=hit.kind, at=hit.at, link=link_id, user_agent=hit.user_agent, request=hit.request)
            yield Seen(hit.message_id, kept)
