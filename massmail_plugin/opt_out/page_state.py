"""Where the recipient of a mail stands, as their pages show it. Never an address: the mail may have been passed on.

Reads only; public enters.
"""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from massmail_plugin.consent.addresses import normalised
from massmail_plugin.consent.wishes.opt_outs import Wide, opted_out_of
from massmail_plugin.consent.wishes.pauses import paused_until
from massmail_plugin.contracts import Host
from massmail_plugin.models import OptOutReason
from massmail_plugin.opt_out import choices
from massmail_plugin.opt_out.recipient import Recipient, recipient


@dataclass(frozen=True)
class PageState:
    """What the pages show. Titles and descriptions are in the language asked for."""

    titles: tuple[str, ...]
    """The mailing's lists the contact is on, or was on, or else its topic; empty means mail of every kind."""
    out: bool
    """No more mail of this kind goes to the contact."""
    out_of_everything: bool
    is_gone: bool
    """Nothing is sent, and there is nobody to choose: the contact was deleted or erased."""
    is_test: bool
    topics: tuple[choices.TopicChoice, ...] = ()
    stands: choices.Wanted = field(default_factory=choices.Wanted)
    paused_until: datetime | None = None
    held: bool = False
    """Nothing goes to the address for a reason the contact did not choose: it is dead, or complained."""
    why: str = ""
    """The reason given so far, an `OptOutWhy`."""


def page_state(host: Host, message_id: int, language: str) -> PageState:
    """Where the recipient of a mail stands. Raises ForgottenMail."""
    who = recipient(host, message_id)
    if who.is_gone:
        return PageState((), True, True, is_gone=True, is_test=who.is_test)
    everything = opted_out_of(host, who.contact, Wide())
    on = choices.lists_on(host, who.contact)
    topics = choices.offered(host, who.contact, language, on)
    stands = choices.standing(host, who.contact, on, everything=everything)
    reason = select(OptOutReason.reason).where(OptOutReason.message_id == message_id).limit(1)
    return PageState(
        _titles(who, on, topics, language),
        everything or _is_out(who, on, stands),
        everything,
        is_gone=False,
        is_test=who.is_test,
        topics=topics,
        stands=stands,
        paused_until=paused_until(host, who.contact),
        held=choices.is_held(host, normalised(who.address)),
        why=host.session.scalar(reason) or "",
    )


def _is_out(who: Recipient, on: set[int], stands: choices.Wanted) -> bool:
    if who.topic is not None:
        return who.topic.id in stands.stopped_topic_ids
    return bool(who.lists) and not on & set(who.list_ids)


def _titles(who: Recipient, on: set[int], topics: tuple[choices.TopicChoice, ...], language: str) -> tuple[str, ...]:
    """The lists the contact is on; for one who left, those they know."""
    if who.topic is not None:
        return (who.topic.title_in(language),)
    relevant = on & set(who.list_ids) or {line.list_id for topic in topics for line in topic.lists}
    named = tuple(list_.title_in(language) for list_ in who.lists if list_.id in relevant)
    return named or tuple(list_.title_in(language) for list_ in who.lists)
