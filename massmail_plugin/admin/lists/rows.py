"""What the screens of lists read: the table with its numbers, members, history, and what a list is used by."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select

from massmail_plugin.consent.contact_keys import key_from_text
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import ContactRef, ContactSource, Host
from massmail_plugin.models import (
    Campaign,
    Enrolment,
    List,
    Mailing,
    Subscription,
    SubscriptionEvent,
    Suppression,
    campaign_list,
    mailing_list,
)
from massmail_plugin.vocabulary import MailingKind, SubscriptionState


def table() -> Select[Any]:
    """(List, subscribed, unsubscribed, last mailed) by name, the active ones first."""
    subscribed = func.count().filter(Subscription.state == SubscriptionState.SUBSCRIBED)
    counted = (
        select(Subscription.list_id, subscribed.label("subscribed"), (func.count() - subscribed).label("unsubscribed"))
        .group_by(Subscription.list_id)
        .subquery()
    )
    mailed = (
        select(mailing_list.c.list_id, func.max(Mailing.launched_at).label("at"))
        .join(Mailing, Mailing.id == mailing_list.c.mailing_id)
        .where(Mailing.kind == MailingKind.ONE_OFF)
        .group_by(mailing_list.c.list_id)
        .subquery()
    )
    return (
        select(List, counted.c.subscribed, counted.c.unsubscribed, mailed.c.at)
        .outerjoin(counted, counted.c.list_id == List.id)
        .outerjoin(mailed, mailed.c.list_id == List.id)
        .order_by(List.active.desc(), func.lower(List.name))
    )


def standing_counts(host: Host, list_: List) -> dict[str, int]:
    """How many contacts are on the list, and how many were."""
    query = select(Subscription.state, func.count()).where(Subscription.list_id == list_.id)
    counted: dict[str, int] = {row[0]: row[1] for row in host.session.execute(query.group_by(Subscription.state))}
    return {state.value: counted.get(state.value, 0) for state in SubscriptionState}


def members(host: Host, list_: List, text: str, state: str) -> Select[Any]:
    """Subscriptions of a list in this state, of contacts whose name or address holds `text`."""
    query = select(Subscription).where(Subscription.list_id == list_.id, Subscription.state == state)
    return query.where(_named(host, text)) if text else query


def _named(host: Host, text: str) -> ColumnElement[bool]:
    return or_(false(), *(_of_source(source, text) for source in host.sources.values()))


def _of_source(source: ContactSource, text: str) -> ColumnElement[bool]:
    fields = register(source)
    columns = [*([] if source.name is None else [source.name]), *(address.column for address in fields.addresses)]
    this_one = fields.key_column == key_from_text(source, Subscription.contact_key)
    holds = or_(*(column.icontains(text, autoescape=True) for column in columns))
    of_source = Subscription.contact_source == source.source_name
    return and_(of_source, exists().select_from(source.model).where(this_one, holds).correlate(Subscription))


def standing_of(host: Host, list_: List, refs: Sequence[ContactRef]) -> dict[ContactRef, str]:
    """The standing of these contacts on the list; who never was on it is missing."""
    query = select(Subscription.contact_source, Subscription.contact_key, Subscription.state).where(
        Subscription.list_id == list_.id, Subscription.contact_key.in_([ref.key for ref in refs])
    )
    return {ContactRef(source, key): state for source, key, state in host.session.execute(query)}


def history(list_: List) -> Select[Any]:
    """Every change of a list's subscriptions, newest first."""
    of_list = SubscriptionEvent.list_id == list_.id
    return select(SubscriptionEvent).where(of_list).order_by(SubscriptionEvent.id.desc())


@dataclass(frozen=True)
class Use:
    """What keeps a list from being deleted, as counts."""

    mailings: int
    campaigns: int
    contacts: int
    others: int
    """Suppressions for this list and entries of campaigns through it."""

    @property
    def free(self) -> bool:
        """True where nothing is known of the list, so that it may go without a trace."""
        return not (self.mailings or self.campaigns or self.contacts or self.others)


def use(host: Host, list_: List) -> Use:
    """How a list is used."""
    counted = host.session.execute(
        select(
            _number(mailing_list.c.list_id == list_.id),
            _number(campaign_list.c.list_id == list_.id),
            _number(Subscription.list_id == list_.id) + _number(SubscriptionEvent.list_id == list_.id),
            _number(Suppression.list_id == list_.id) + _number(Enrolment.list_id == list_.id),
        )
    ).one()
    return Use(*counted)


def use_words(use: Use) -> str:
    """Why a list cannot be deleted: the end of a sentence with “because”."""
    said = [
        f"it belongs to {_counted(use.mailings, 'mailing')}" if use.mailings else "",
        f"it belongs to {_counted(use.campaigns, 'campaign')}" if use.campaigns else "",
        "the history of its contacts shows who agreed and who left" if use.contacts else "",
        "suppressions or campaigns refer to it" if use.others else "",
    ]
    return " and ".join(filter(None, said))


def _counted(number: int, noun: str) -> str:
    return f"one {noun}" if number == 1 else f"{number:,} {noun}s"


def name_taken(host: Host, name: str, but: List | None) -> bool:
    """Whether another list has this name."""
    found = host.session.scalars(select(List.id).where(func.lower(List.name) == name.lower()))
    return any(list_id != (but.id if but else None) for list_id in found)


def _number(where: ColumnElement[bool]) -> Any:
    return select(func.count()).where(where).scalar_subquery()


def mailings(host: Host, list_: List, most: int = 8) -> list[Mailing]:
    """The newest mailings to a list; tests are left out."""
    query = select(Mailing).where(Mailing.lists.any(List.id == list_.id), Mailing.kind != MailingKind.TEST)
    return list(host.session.scalars(query.order_by(Mailing.id.desc()).limit(most)))


def campaigns(host: Host, list_: List, most: int = 8) -> list[Campaign]:
    """Campaigns that contacts of a list enter."""
    query = select(Campaign).where(Campaign.lists.any(List.id == list_.id))
    return list(host.session.scalars(query.order_by(Campaign.name).limit(most)))
