"""What a recipient may wish: stop this mail, stop all, take it back, choose lists. Public enters and commits.

Every act is idempotent; done through a test mail it changes nothing.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import select

from massmail_plugin import outcomes
from massmail_plugin.consent.notices import after_commit
from massmail_plugin.consent.preferences import list_ids_of, opted_out_of_everything, standing
from massmail_plugin.consent.withdrawal import take_back, withdraw
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import SubscriptionEvent
from massmail_plugin.opt_out.recipient import Recipient, recipient
from massmail_plugin.opt_out.removals import take_removals_back
from massmail_plugin.vocabulary import EventKind, Outcome, SubscriptionState


def one_click(host: Host, message_id: int) -> bool:
    """RFC 8058, the mail program's own button: stops the mailing's lists; True if that was news. Raises BadLink."""
    return leave(host, message_id, everything=False, by="one-click unsubscribe of the mail program")


def leave(host: Host, message_id: int, *, everything: bool, by: str = "opt-out page") -> bool:
    """Stop the lists this mail came through (all mail, where it came through none), or everything. Raises BadLink."""
    who = recipient(host, message_id)
    if who.is_test:
        return False
    list_ids = None if everything or not who.lists else who.list_ids
    if not withdraw(host, who.contact, list_ids=list_ids, evidence=_evidence(by, who), message_id=message_id).changed:
        return False
    _keep(host, who, EventKind.OPT_OUT, "everything" if list_ids is None else _names(list_ids))
    _report_removed(host, who)
    return True


def undo(host: Host, message_id: int, *, by: str = "opt-out page") -> bool:
    """Take an opt-out back: from everything, or else from this mailing's lists. True if it was one. Raises BadLink."""
    who = recipient(host, message_id)
    if who.is_test:
        return False
    list_ids = None if opted_out_of_everything(host, who.contact) else _left(host, who)
    if not take_back(host, who.contact, list_ids=list_ids, evidence=_evidence(by, who), message_id=message_id):
        return False
    _came_back(host, who, "everything" if list_ids is None else _names(list_ids))
    return True


def save_preferences(host: Host, message_id: int, wanted: Collection[int], *, by: str = "preference page") -> bool:
    """Be on exactly the `wanted` ones among the lists of the preference page; others are ignored. Raises BadLink."""
    who = recipient(host, message_id)
    if who.is_test:
        return False
    evidence = _evidence(by, who)
    known = {line.list_id for line in standing(host, who.contact)}
    wanted = known & set(wanted)
    back = bool(wanted) and take_back(host, who.contact, list_ids=None, evidence=evidence, message_id=message_id)
    on = known & set(list_ids_of(host, who.contact))
    left, joined = sorted(on - wanted), sorted(wanted - on)
    if left:
        withdraw(host, who.contact, list_ids=left, evidence=evidence, message_id=message_id)
        _keep(host, who, EventKind.OPT_OUT, _names(left))
        if (set(left) & set(who.list_ids) and not wanted & set(who.list_ids)) or not wanted:
            _report_removed(host, who)
    if joined:
        take_back(host, who.contact, list_ids=joined, evidence=evidence, message_id=message_id)
    if back or joined:
        _came_back(host, who, _names(sorted(wanted)))
    return bool(back or left or joined)


def from_host(host: Host, contact: ContactRef, *, wants_mail: bool, by: str = "") -> bool:
    """The host's own do-not-mail flag of a contact changed; True if that was news here. The caller commits."""
    evidence = f"Set in the host application{f' by {by}' if by else ''}"
    if wants_mail:
        return take_back(host, contact, list_ids=None, evidence=evidence)
    return withdraw(host, contact, list_ids=None, evidence=evidence).changed


def _left(host: Host, who: Recipient) -> list[int]:
    """The mailing's lists the contact once was on and is not on now."""
    on = list_ids_of(host, who.contact)
    once_on = select(SubscriptionEvent.list_id).where(
        SubscriptionEvent.contact_source == who.contact.source,
        SubscriptionEvent.contact_key == who.contact.key,
        SubscriptionEvent.list_id.in_(who.list_ids),
        SubscriptionEvent.list_id.not_in(on),
        SubscriptionEvent.state == SubscriptionState.SUBSCRIBED.value,
    )
    return sorted(set(host.session.scalars(once_on)))


def _report_removed(host: Host, who: Recipient) -> None:
    outcomes.record(host, who.message_id, Outcome.REMOVED, at=host.clock())
    after_commit(host, lambda: host.wake("outcomes"))


def _came_back(host: Host, who: Recipient, detail: str) -> None:
    _keep(host, who, EventKind.OPT_BACK_IN, detail)
    take_removals_back(host, who.contact)
    after_commit(host, lambda: host.wake("outcomes"))


def _keep(host: Host, who: Recipient, kind: EventKind, detail: str) -> None:
    event = outcomes.NewEvent(message_id=who.message_id, kind=kind, at=host.clock(), detail=detail)
    outcomes.keep_events(host, [event])


def _evidence(by: str, who: Recipient) -> str:
    return f"{by[:1].upper()}{by[1:]}, mail {who.message_id}"


def _names(list_ids: Sequence[int]) -> str:
    return "lists " + ", ".join(str(number) for number in list_ids)
