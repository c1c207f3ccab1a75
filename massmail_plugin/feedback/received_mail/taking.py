"""Takes received mails in: a row for each, and what it means for the mail it speaks of. Flushes only.

Mailboxes and imports enter and commit.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from massmail_plugin import opt_out, outcomes
from massmail_plugin.contracts import Host
from massmail_plugin.feedback.received_mail.bounds import STRANGE_RAW_KEPT, keep_within_bounds
from massmail_plugin.feedback.received_mail.incoming import Incoming
from massmail_plugin.feedback.received_mail.judging import Judged, judge_mails, known_states
from massmail_plugin.feedback.received_mail.matching import Match
from massmail_plugin.feedback.reports import ReportedRecipient, ReportKind
from massmail_plugin.models import Received
from massmail_plugin.outcomes import CameBack, NewEvent
from massmail_plugin.outcomes.events import one_at_a_time
from massmail_plugin.portable_sql import insert_new
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import EventKind, ReceivedState

PROVIDER = "mail"
"""Where events of received mails say they come from."""


class Taken(NamedTuple):
    """What became of a received mail: its state, None where it was not even noted, and whether it was there already."""

    state: ReceivedState | None
    kind: str
    leaves: bool
    """It may be moved or deleted where it lies: see `Judged.leaves`."""
    repeated: bool


def take_mails(host: Host, origin: str, mails: Sequence[Incoming], *, shared: bool = False) -> list[Taken]:
    """Keep some received mails and do what they mean. One call for each transaction.

    What belongs to none of our mails is kept to look at, within bounds, and changes nothing. Neither does a mail that
    came from `origin` before, or one whose event is known from elsewhere. `shared`: people get other mail there too,
    so that what holds no token of ours is not noted.
    """
    before = known_states(host, origin, mails)
    judged = [_as_before(one, before) for one in judge_mails(host, mails, shared=shared)]
    new = {one.mail.digest: one for one in judged if one.state and one.mail.digest not in before}
    ids = _insert(host, [_row(host, origin, one) for one in new.values()])
    news = [
        CameBack(match.message, _event(host, new[digest], match, kind, received_id))
        for digest, received_id in ids.items()
        for match, kind in new[digest].events()
    ]
    wishes = [(message_id, new[digest]) for digest in ids for message_id in new[digest].wishes]
    _one_at_a_time(host, news, [message_id for message_id, _ in wishes])
    if news:
        outcomes.take_in(host, news)
    for message_id, one in wishes:
        report = one.mail.report
        opt_out.by_mail(host, message_id, at=report.came_at, origin=f"Mail from {_text(report.sender, 254)}")
    if any(one.state is not ReceivedState.MATCHED for one in new.values()):
        keep_within_bounds(host)
    return [Taken(one.state, one.kind, one.leaves, one.mail.digest in before) for one in judged]


def _one_at_a_time(host: Host, news: Sequence[CameBack], wishes: Sequence[int]) -> None:
    """Before any row is touched: who waits for one of these mailings must not hold what is wanted next."""
    leaving = {(opt_out.recipient(host, message_id).mailing_id, EventKind.OPT_OUT) for message_id in wishes}
    back = {(mailing_id, EventKind.OPT_BACK_IN) for mailing_id, _ in leaving}
    one_at_a_time(host, {(one.message.mailing_id, one.event.kind) for one in news} | leaving | back)


def _as_before(one: Judged, before: Mapping[str, ReceivedState]) -> Judged:
    """A mail that came before keeps its state."""
    return Judged(one.mail, one.verdict, before.get(one.mail.digest, one.state), one.wishes)


def _row(host: Host, origin: str, one: Judged) -> dict[str, Any]:
    report, ours = one.mail.report, one.state is ReceivedState.MATCHED
    reported = next((who.address for who in report.recipients if who.address), report.sender)
    return {
        "origin": origin,
        "origin_id": one.mail.digest,
        "at": host.clock(),
        "state": one.state,
        "kind": one.kind,
        "address": _text(reported, 254),
        "message_id": one.verdict.matches[0].message.id if one.verdict.matches else None,
        "subject": _text(report.subject, 500),
        "note": _text(one.mail.fault or one.verdict.why or _said(one), 2000),
        "size": min(one.mail.size, 2**31 - 1),
        "raw": one.mail.raw if ours else one.mail.raw[:STRANGE_RAW_KEPT],
    }


def _text(text: str, length: int) -> str:
    """As a database takes it."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:length]


def _said(one: Judged) -> str:
    """What was read out of a mail about one of ours."""
    if one.wishes:
        return "They want no more mails of this kind."
    if one.mail.report.kind is ReportKind.NONE:
        return "" if one.is_reply else "A machine wrote it: it is no reply."
    return "; ".join(filter(None, (words(match.recipient) for match in one.verdict.matches)))


def words(recipient: ReportedRecipient | None) -> str:
    """What a server said of a recipient: reply code, RFC 3463 status, its words."""
    if recipient is None:
        return ""
    code = str(recipient.code) if recipient.code else ""
    parts = [part for part in (code, recipient.status) if part and part not in recipient.words]
    return " ".join([*parts, recipient.words]).strip()


def _insert(host: Host, rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Digest -> id, of the rows that are new also to a process that reads the same at this moment."""
    if not rows:
        return {}
    new = insert_new(host, Received).values(rows).returning(Received.origin_id, Received.id)
    return dict(host.session.execute(new).all())


def _event(host: Host, one: Judged, match: Match, kind: EventKind, received_id: int) -> NewEvent:
    return NewEvent(
        message_id=match.message.id,
        kind=kind,
        at=host.clock(),
        meaning=_meaning(match.recipient).value if kind is EventKind.BOUNCE else "",
        detail=words(match.recipient) or one.mail.report.subject,
        provider=PROVIDER,
        provider_event_id=f"{_sameness(one.mail)}:{match.message.id}:{kind.value}",
        received_id=received_id,
    )


def _sameness(mail: Incoming) -> str:
    """What is the same where one mail is found in two mailboxes, or in a mailbox and in a file."""
    own = mail.report.message_id or mail.digest
    return hashlib.sha256(own.encode("utf-8", "replace")).hexdigest()[:40]


def _meaning(recipient: ReportedRecipient | None) -> Meaning:
    """A bounce that does not say why is taken for a passing one."""
    if recipient is None:
        return Meaning.SOFT
    return Meaning.HARD if recipient.hard else recipient.meaning or Meaning.SOFT
