"""The page of choices saved: lists and topics, how often, a break; and why somebody left. Public enters and commits."""

from calendar import monthrange
from collections.abc import Sequence, Set
from datetime import datetime
from typing import Any

from sqlalchemy import select

from massmail_plugin.consent.stops import frequency
from massmail_plugin.consent.wishes import pauses
from massmail_plugin.consent.wishes.opt_outs import Wide, opted_out_of
from massmail_plugin.consent.wishes.withdrawal import take_back, withdraw
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import OptOutReason
from massmail_plugin.opt_out.choices import TopicChoice, Wanted, lists_on, offered, stopped_topics
from massmail_plugin.opt_out.recipient import Recipient, recipient
from massmail_plugin.opt_out.wishes import came_back, keep, one_at_a_time, proof_of, report_removed, what
from massmail_plugin.vocabulary import ConsentWay, EventKind, OptOutWhy

DAYS = (0, frequency.WEEKLY, frequency.MONTHLY)
MONTHS = (1, 3, 6)
LONGEST_COMMENT = 1000


def choose(host: Host, message_id: int, wanted: Wanted, *, origin: str = "") -> bool:
    """Let things stand as `wanted`, among what the page offers; True where that changed something.

    Lists and topics that are not offered are ignored. Somebody who stopped everything comes back by wanting a list.
    Raises ForgottenMail, and BadRequest for days or a break that are not offered.
    """
    _check(wanted)
    who = recipient(host, message_id)
    if who.is_test or who.is_gone:
        return False
    one_at_a_time(host, who)
    saving = _Saving(host, who, wanted, origin)
    changes = [saving.lists(), saving.frequency(), saving.pause()]
    return any(changes)


def tell_why(host: Host, message_id: int, reason: OptOutWhy, comment: str = "") -> None:
    """Keep why the recipient of a mail left; what they said before through the same mail gives way.

    Raises ForgottenMail.
    """
    who = recipient(host, message_id)
    if who.is_test or who.is_gone:
        return
    query = select(OptOutReason).where(OptOutReason.message_id == who.message_id).limit(1)
    said = host.session.scalars(query).first() or OptOutReason(
        message_id=who.message_id,
        mailing_id=who.mailing_id,
        contact_source=who.contact.source,
        contact_key=who.contact.key,
    )
    words = _plain(comment)
    if (said.reason, said.comment) != (reason.value, words):
        said.reason, said.comment, said.at = reason.value, words, host.clock()
    host.session.add(said)
    host.session.flush()


class _Saving:
    """One form saved for one recipient."""

    def __init__(self, host: Host, who: Recipient, wanted: Wanted, origin: str) -> None:
        self._host, self._who, self._wanted = host, who, wanted
        self._contact = who.contact
        self._given: dict[str, Any] = {"proof": proof_of(who, ConsentWay.PAGE, origin)}

    def lists(self) -> bool:
        """Lists and topics, which are one: who wants nothing about a topic is on none of its lists."""
        host, contact = self._host, self._contact
        topics = offered(host, contact, "", lists_on(host, contact))
        known = frozenset(line.list_id for topic in topics for line in topic.lists)
        wanted = self._lists_wanted(topics)
        back = bool(wanted) and take_back(host, contact, list_ids=None, **self._given)
        if opted_out_of(host, contact, Wide()):
            return False
        before = known & lists_on(host, contact)
        stopped, allowed = self._topics({topic.topic_id for topic in topics if topic.topic_id})
        joined = self._lists(wanted, known & lists_on(host, contact))
        left = sorted(before - wanted)
        self._keep(wanted, left, stopped)
        if back or joined or allowed:
            came_back(host, self._who, what(sorted(wanted)))
        return bool(back or left or joined or stopped or allowed)

    def _lists_wanted(self, topics: Sequence[TopicChoice]) -> frozenset[int]:
        open_topics = (topic for topic in topics if topic.topic_id not in self._wanted.stopped_topic_ids)
        return self._wanted.list_ids & {line.list_id for topic in open_topics for line in topic.lists}

    def _lists(self, wanted: Set[int], on: Set[int]) -> bool:
        """Bring the contact from the lists they are `on` to those `wanted`; True where they joined one."""
        left, joined = sorted(on - wanted), sorted(wanted - on)
        if left:
            withdraw(self._host, self._contact, list_ids=left, **self._given)
        if joined:
            take_back(self._host, self._contact, list_ids=joined, **self._given)
        return bool(joined)

    def _topics(self, known: Set[int]) -> tuple[list[int], list[int]]:
        """Ids of the topics that were stopped, and of those that are allowed again."""
        host, contact = self._host, self._contact
        before, after = stopped_topics(host, contact), self._wanted.stopped_topic_ids & known
        stopped, allowed = sorted(after - before), sorted((before & known) - after)
        for topic_id in allowed:
            take_back(host, contact, list_ids=None, topic_id=topic_id, **self._given)
        for topic_id in stopped:
            withdraw(host, contact, list_ids=None, topic_id=topic_id, **self._given)
        return stopped, allowed

    def _keep(self, wanted: Set[int], left: list[int], stopped: list[int]) -> None:
        """The mail's history, and the outcome where its own lists or topic were left, or all that there is."""
        if left:
            keep(self._host, self._who, EventKind.OPT_OUT, what(left))
        for topic_id in stopped:
            keep(self._host, self._who, EventKind.OPT_OUT, what(None, topic_id))
        of_this_mail = set(left) & set(self._who.list_ids) and not wanted & set(self._who.list_ids)
        topic = self._who.topic
        if of_this_mail or (left and not wanted) or (topic is not None and topic.id in stopped):
            report_removed(self._host, self._who)

    def frequency(self) -> bool:
        if self._wanted.days is None:
            return False
        if self._wanted.days:
            return frequency.want_fewer(self._host, self._contact, self._wanted.days, message_id=self._who.message_id)
        return frequency.want_as_many(self._host, self._contact)

    def pause(self) -> bool:
        if self._wanted.pause == "keep" or opted_out_of(self._host, self._contact, Wide()):
            return False
        if not self._wanted.pause:
            return pauses.end_pause(self._host, self._contact, **self._given)
        until = _day_months_later(self._host.clock(), int(self._wanted.pause))
        return pauses.pause(self._host, self._contact, until=until, **self._given)


def _check(wanted: Wanted) -> None:
    if wanted.days not in (None, *DAYS) or wanted.pause not in ("", "keep", *(str(months) for months in MONTHS)):
        raise BadRequest("Choose how often, and how long a break, among what is offered.")


def _day_months_later(moment: datetime, months: int) -> datetime:
    """The same day of a later month, or the last it has, as it begins: so saying it twice is saying the same."""
    month = moment.month - 1 + months
    year, month = moment.year + month // 12, month % 12 + 1
    day = min(moment.day, monthrange(year, month)[1])
    return moment.replace(year=year, month=month, day=day, hour=0, minute=0, second=0, microsecond=0)


def _plain(text: str) -> str:
    """Lines of text without what databases and screens do not take."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = "\n".join("".join(c for c in line if c.isprintable() or c == "\t") for line in lines)
    return kept.encode("utf-8", "replace").decode().strip()[:LONGEST_COMMENT]
