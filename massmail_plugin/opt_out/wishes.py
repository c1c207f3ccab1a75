"""What a recipient may wish: stop this mail, stop all, take it back. Public and received mail enter and commit.

Every act is idempotent; done through a test mail, or for somebody who is gone, it changes nothing.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, func, select

from massmail_plugin import outcomes
from massmail_plugin.audience.lists_of import lists_finding
from massmail_plugin.consent.notices import after_commit
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.stops.suppression import suppress
from massmail_plugin.consent.wishes.withdrawal import take_back, withdraw
from massmail_plugin.contracts import Host
from massmail_plugin.models import SubscriptionEvent
from massmail_plugin.opt_out.choices import lists_on
from massmail_plugin.opt_out.recipient import Recipient, recipient
from massmail_plugin.opt_out.removals import came_back_since, take_removals_back
from massmail_plugin.outcomes import events
from massmail_plugin.vocabulary import (
    NOBODY,
    ConsentWay,
    EventKind,
    Outcome,
    SubscriptionState,
    SuppressionReason,
    SuppressionScope,
)

_SAID = {
    ConsentWay.PAGE: "Chosen on the page behind the link in a mail",
    ConsentWay.ONE_CLICK: "One-click unsubscribe of the mail program",
    ConsentWay.MAIL: "Wrote to the address that the mail names for it",
}


def one_click(host: Host, message_id: int, *, origin: str = "") -> bool:
    """RFC 8058, the mail program's own button: as `leave` of what the mail was about. Raises ForgottenMail."""
    return leave(host, message_id, everything=False, way=ConsentWay.ONE_CLICK, origin=origin)


def by_mail(host: Host, message_id: int, *, at: datetime | None, origin: str = "") -> bool:
    """RFC 2369: the recipient wrote to the address in List-Unsubscribe, `at` that time if it is known.

    A wish that is older than the contact's coming back changes nothing. Raises ForgottenMail.
    """
    if at is not None and came_back_since(host, recipient(host, message_id).contact, at):
        return False
    return leave(host, message_id, everything=False, way=ConsentWay.MAIL, origin=origin)


def leave(
    host: Host, message_id: int, *, everything: bool, way: ConsentWay = ConsentWay.PAGE, origin: str = ""
) -> bool:
    """Stop what this mail came by, or everything; True where that was news. Raises ForgottenMail.

    That is the lists of its mailing; where it has none, the topic; without a topic, all mail. `origin` says from where
    the wish came: network address and program. Where the host deleted the contact since, the address is stopped: there
    may be another contact who has it.
    """
    who = recipient(host, message_id)
    if who.is_test:
        return False
    one_at_a_time(host, who)
    list_ids = None if everything or not who.lists else who.list_ids
    topic_id = None if everything or who.topic is None else who.topic.id
    proof = proof_of(who, way, origin)
    if who.is_gone:
        _stop_address(host, who, list_ids, topic_id, proof)
        return False
    if not withdraw(host, who.contact, list_ids=list_ids, topic_id=topic_id, proof=proof).changed:
        return False
    keep(host, who, EventKind.OPT_OUT, what(list_ids, topic_id))
    report_removed(host, who)
    return True


def _stop_address(
    host: Host, who: Recipient, list_ids: Sequence[int] | None, topic_id: int | None, proof: Proof
) -> None:
    """For a contact who is gone. Of one who was erased no address is known, and all of theirs are stopped."""
    if who.contact.key == NOBODY or not (who.address or who.address_hash):
        return
    whom = {"address": who.address} if who.address else {"address_hash": who.address_hash}
    scope = SuppressionScope.ALL_BUT_TRANSACTIONAL if topic_id is None else SuppressionScope.TOPIC
    for list_id in [None] if list_ids is None else list_ids:
        suppress(
            host,
            **whom,  # type: ignore[arg-type]
            scope=scope if list_id is None else SuppressionScope.LIST,
            list_id=list_id,
            topic_id=topic_id,
            reason=SuppressionReason.OPT_OUT,
            note=proof.evidence,
            way=proof.way,
            message_id=proof.message_id,
        )


def undo(host: Host, message_id: int, *, everything: bool, origin: str = "") -> bool:
    """Take an opt-out back: from everything, or else from what this mail was about. True if it was one.

    Whoever says which one may say it twice. Raises ForgottenMail.
    """
    who = recipient(host, message_id)
    if who.is_test or who.is_gone:
        return False
    one_at_a_time(host, who)
    topic_id = None if everything or who.topic is None else who.topic.id
    list_ids = None if everything or topic_id else _left(host, who)
    proof = proof_of(who, ConsentWay.PAGE, origin)
    if not take_back(host, who.contact, list_ids=list_ids, topic_id=topic_id, proof=proof):
        return False
    came_back(host, who, what(list_ids, topic_id))
    return True


def _left(host: Host, who: Recipient) -> list[int]:
    """The mailing's lists the contact once was on and is not on now. Where they left some of them through this very
    mail, only those they left by it last.
    """
    known = {list_.id for list_ in lists_finding(host, who.contact)} & set(who.list_ids)
    known |= set(host.session.scalars(_said(who, SubscriptionState.SUBSCRIBED)))
    through_it = _said(who, SubscriptionState.UNSUBSCRIBED).where(SubscriptionEvent.message_id == who.message_id)
    last = through_it.with_only_columns(func.max(SubscriptionEvent.at)).scalar_subquery()
    by_it = known & set(host.session.scalars(through_it.where(SubscriptionEvent.at == last)))
    return sorted((by_it or known) - lists_on(host, who.contact))


def _said(who: Recipient, state: SubscriptionState) -> Select[int]:
    """The mailing's lists the contact joined or left at any time."""
    return select(SubscriptionEvent.list_id).where(
        SubscriptionEvent.contact_source == who.contact.source,
        SubscriptionEvent.contact_key == who.contact.key,
        SubscriptionEvent.list_id.in_(who.list_ids),
        SubscriptionEvent.state == state.value,
    )


# --- What every wish leaves behind ----------------------------------------------------------------------------


def one_at_a_time(host: Host, who: Recipient) -> None:
    """What every wish begins with, before it touches a row: whose mail is of the same mailing comes after."""
    kinds = (EventKind.OPT_OUT, EventKind.OPT_BACK_IN)
    events.one_at_a_time(host, {(who.mailing_id, kind) for kind in kinds})


def proof_of(who: Recipient, way: ConsentWay, origin: str) -> Proof:
    """How we know of a wish that came through this mail."""
    evidence = f"{_SAID[way]}, mail {who.message_id}"
    return Proof(way, evidence=evidence, origin=origin[:300], message_id=who.message_id)


def report_removed(host: Host, who: Recipient) -> None:
    """The contact left what this mail was about."""
    outcomes.record(host, who.message_id, Outcome.REMOVED, at=host.clock())
    after_commit(host, lambda: host.wake("outcomes"))


def came_back(host: Host, who: Recipient, detail: str) -> None:
    """The contact wants again what they had left."""
    keep(host, who, EventKind.OPT_BACK_IN, detail)
    take_removals_back(host, who.contact)
    after_commit(host, lambda: host.wake("outcomes"))


def keep(host: Host, who: Recipient, kind: EventKind, detail: str) -> None:
    """Into the history of the mail."""
    event = outcomes.NewEvent(message_id=who.message_id, kind=kind, at=host.clock(), detail=detail)
    outcomes.keep_events(host, [event])


def what(list_ids: Sequence[int] | None, topic_id: int | None = None) -> str:
    """What a wish was about, for the history of the mail."""
    if list_ids is not None:
        return "lists " + ", ".join(str(number) for number in list_ids)
    return "everything" if topic_id is None else f"topic {topic_id}"
