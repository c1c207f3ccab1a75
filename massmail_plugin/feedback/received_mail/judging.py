"""What a received mail is to us: of ours or strange, and what it says of which mail. Taking in enters; only reads."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select

from massmail_plugin import opt_out
from massmail_plugin.contracts import Host
from massmail_plugin.feedback.received_mail.incoming import Incoming
from massmail_plugin.feedback.received_mail.matching import (
    Match,
    Tokens,
    Verdict,
    matched,
    messages_of,
    tokens,
    wished,
)
from massmail_plugin.feedback.reports import ReportedRecipient, ReportKind
from massmail_plugin.models import Received
from massmail_plugin.portable_sql import one_of
from massmail_plugin.vocabulary import EventKind, ReceivedState

MOST_OF_ONE = 10
"""Mails of one kind about one of ours that count; a token in wrong hands fills no table."""

_OF_REPORT = {
    ReportKind.BOUNCE: EventKind.BOUNCE,
    ReportKind.DELAY: EventKind.DELAY,
    ReportKind.DELIVERED: EventKind.DELIVERED,
    ReportKind.COMPLAINT: EventKind.COMPLAINT,
    ReportKind.AUTOREPLY: EventKind.AUTOREPLY,
}
_OF_ACTION = {
    "failed": EventKind.BOUNCE,
    "delayed": EventKind.DELAY,
    "delivered": EventKind.DELIVERED,
    "relayed": None,
    "expanded": None,
}
"""RFC 3464, 2.3.3: one report may say different things of several recipients."""
_OF_SERVERS = (ReportKind.BOUNCE, ReportKind.DELAY, ReportKind.DELIVERED)
_SAYS_NOTHING = (ReportKind.NONE, ReportKind.AUTOREPLY, ReportKind.REPORT_NOT_COMPLAINT)


@dataclass(frozen=True)
class Judged:
    """A received mail, the mails of ours it speaks of, and its state; None where it is not even noted."""

    mail: Incoming
    verdict: Verdict
    state: ReceivedState | None
    wishes: tuple[int, ...] = ()
    """Mails of ours whose recipient opts out by it."""

    @property
    def is_reply(self) -> bool:
        """A person answered one of our mails."""
        report = self.mail.report
        return bool(self.verdict.matches) and report.kind is ReportKind.NONE and not report.automatic

    @property
    def kind(self) -> str:
        """The word for it: that of a wish, of a reply, or of its report."""
        if self.wishes:
            return EventKind.OPT_OUT.value
        return EventKind.REPLY.value if self.is_reply else self.mail.report.kind.value

    @property
    def leaves(self) -> bool:
        """It may be moved or deleted where it lies: a report about a mail of ours, a wish that was carried out. What
        people wrote never is."""
        is_letter = self.mail.report.kind is ReportKind.NONE and not self.wishes
        return self.state is ReceivedState.MATCHED and not is_letter

    def events(self) -> Iterator[tuple[Match, EventKind]]:
        """What it says of each of our mails; nothing unless it is matched. A wish says it by being carried out."""
        if self.state is ReceivedState.MATCHED and not self.wishes:
            for match in self.verdict.matches:
                if kind := self._event(match.recipient):
                    yield match, kind

    def _event(self, recipient: ReportedRecipient | None) -> EventKind | None:
        if self.is_reply:
            return EventKind.REPLY
        kind = _OF_REPORT.get(self.mail.report.kind)
        if recipient is not None and self.mail.report.kind in _OF_SERVERS:
            return _OF_ACTION.get(recipient.action, kind)
        return kind


def judge_mails(host: Host, mails: Sequence[Incoming], *, shared: bool) -> list[Judged]:
    """What each of some mails is to us; `shared` leaves unnoted what holds no token of ours."""
    found = [tokens(host, mail.report) for mail in mails]
    messages = messages_of(host, found)
    judged = []
    for mail, of_mail in zip(mails, found, strict=True):
        wishes = _wishes(host, mail, of_mail)
        verdict = matched(mail.report, of_mail, messages) if not wishes else wished(wishes, messages)
        ours = bool(of_mail.all)
        state = ReceivedState.MATCHED if wishes else _state(mail, verdict, ours)
        judged.append(Judged(mail, verdict, state if ours or not shared else None, wishes))
    return _without_crowds(host, judged)


def _wishes(host: Host, mail: Incoming, found: Tokens) -> tuple[int, ...]:
    """A person, or their mail program for them, wrote to an address that only their mail names. Servers do not wish."""
    if mail.report.kind in _OF_SERVERS:
        return ()
    return tuple(message_id for message_id in dict.fromkeys(found.leaving) if opt_out.is_known(host, message_id))


def _state(mail: Incoming, verdict: Verdict, ours: bool) -> ReceivedState:
    if verdict.matches:
        return ReceivedState.MATCHED
    return ReceivedState.UNMATCHED if ours or mail.report.kind not in _SAYS_NOTHING else ReceivedState.IGNORED


def _without_crowds(host: Host, judged: list[Judged]) -> list[Judged]:
    """Beyond MOST_OF_ONE mails of a kind about one of ours, what comes is left out of account."""
    counts = _counts(host, [one.verdict.matches[0].message.id for one in judged if one.verdict.matches])
    result = []
    for one in judged:
        if one.verdict.matches:
            place = (one.verdict.matches[0].message.id, one.kind)
            counts[place] += 1
            if counts[place] > MOST_OF_ONE:
                why = f"There are {MOST_OF_ONE} mails of this kind about the same mail already."
                one = replace(one, verdict=replace(one.verdict, why=why), state=ReceivedState.IGNORED)
        result.append(one)
    return result


def _counts(host: Host, message_ids: Sequence[int]) -> Counter[tuple[int, str]]:
    if not message_ids:
        return Counter()
    query = select(Received.message_id, Received.kind, func.count()).group_by(Received.message_id, Received.kind)
    of_ours = query.where(
        one_of(Received.message_id, sorted(set(message_ids))), Received.state == ReceivedState.MATCHED
    )
    return Counter({(row[0] or 0, row[1]): row[2] for row in host.session.execute(of_ours)})


def known_states(host: Host, origin: str, mails: Sequence[Incoming]) -> Mapping[str, ReceivedState]:
    """Digest -> state, of the mails that came from `origin` before."""
    came = one_of(Received.origin_id, [mail.digest for mail in mails])
    query = select(Received.origin_id, Received.state).where(Received.origin == origin, came)
    return {digest: ReceivedState(state) for digest, state in host.session.execute(query)}
