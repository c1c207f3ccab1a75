"""What the screens of lists read: the lists, their members and history, and what a list is used by. Reads only."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, exists, false, func, or_, select
from sqlalchemy.orm import joinedload

from massmail_plugin.audience.contacts.visibility import visible_rows
from massmail_plugin.consent.contact_keys import key_text
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import ContactRef, ContactSource, Host
from massmail_plugin.models import (
    Base,
    Campaign,
    List,
    Mailing,
    Subscription,
    SubscriptionEvent,
    campaign_list,
    mailing_list,
)
from massmail_plugin.vocabulary import CampaignState, MailingKind, MailingState

STILL_TO_GO = (MailingState.DRAFT, MailingState.SCHEDULED, MailingState.FILLING)


def lists(host: Host, *, archived: bool, text: str = "", topic: int | None = None) -> Sequence[List]:
    """The lists in use, or the archived ones, by name; those whose name holds `text`, those of a topic."""
    query = select(List).options(joinedload(List.topic), joinedload(List.segment), joinedload(List.criterion))
    query = query.where(List.active.is_(not archived)).order_by(func.lower(List.name))
    if text:
        query = query.where(
            List.name.icontains(text, autoescape=True) | List.public_name.icontains(text, autoescape=True)
        )
    if topic is not None:
        query = query.where(List.topic_id == topic)
    return host.session.scalars(query).all()


def members(host: Host, list_: List, text: str, state: str) -> Select[Any]:
    """Subscriptions of a list in this state that the viewer may see, of contacts whose name or address holds `text`."""
    query = select(Subscription).where(Subscription.list_id == list_.id, Subscription.state == state)
    query = query.where(visible_rows(host, Subscription.contact_source, Subscription.contact_key))
    return query.where(_named(host, text)) if text else query


def _named(host: Host, text: str) -> ColumnElement[bool]:
    return or_(false(), *(_of_source(source, text) for source in host.sources.values()))


def _of_source(source: ContactSource, text: str) -> ColumnElement[bool]:
    """The host's table is searched once, not once for each member."""
    columns = [*([] if source.name is None else [source.name]), *(one.column for one in register(source).addresses)]
    holds = or_(*(column.icontains(text, autoescape=True) for column in columns))
    found = select(key_text(source)).select_from(source.model).where(holds)
    return and_(Subscription.contact_source == source.source_name, Subscription.contact_key.in_(found))


def standing_of(host: Host, list_: List, refs: Sequence[ContactRef]) -> dict[ContactRef, str]:
    """The standing of these contacts on the list; who never was on it is missing."""
    query = select(Subscription.contact_source, Subscription.contact_key, Subscription.state).where(
        Subscription.list_id == list_.id, Subscription.contact_key.in_([ref.key for ref in refs])
    )
    return {ContactRef(source, key): state for source, key, state in host.session.execute(query)}


def history(host: Host, list_: List) -> Select[Any]:
    """Every change of a list's subscriptions that the viewer may see, to be read from the newest on."""
    shown = visible_rows(host, SubscriptionEvent.contact_source, SubscriptionEvent.contact_key)
    return select(SubscriptionEvent).where(SubscriptionEvent.list_id == list_.id, shown)


def mailings(host: Host, list_: List, most: int = 8) -> list[Mailing]:
    """The newest mailings to a list; tests are left out."""
    query = select(Mailing).where(Mailing.lists.any(List.id == list_.id), Mailing.kind != MailingKind.TEST)
    return list(host.session.scalars(query.order_by(Mailing.id.desc()).limit(most)))


def campaigns(host: Host, list_: List, most: int = 8) -> list[Campaign]:
    """Campaigns that contacts of a list enter."""
    query = select(Campaign).where(Campaign.lists.any(List.id == list_.id))
    return list(host.session.scalars(query.order_by(Campaign.name).limit(most)))


# --- Use ------------------------------------------------------------------------------------------------------


def use_words(host: Host, list_: List) -> str:
    """Why a list cannot be deleted: the end of a sentence with “because”; "" where it can, without a trace."""
    said = [
        _belongs(_number(host, mailing_list.c.list_id == list_.id), "mailing"),
        _belongs(_number(host, campaign_list.c.list_id == list_.id), "campaign"),
        "the history of its contacts shows who agreed and who left" if _any(host, list_, *_PEOPLE) else "",
        "imports, sign-ups, suppressions or campaigns speak of it" if _any(host, list_, *_others()) else "",
    ]
    return " and ".join(filter(None, said))


_PEOPLE = (Subscription.__tablename__, SubscriptionEvent.__tablename__)


def _others() -> list[str]:
    """Every other table whose rows name a list."""
    known = {*_PEOPLE, mailing_list.name, campaign_list.name}
    return [table.name for table in Base.metadata.sorted_tables if table.name not in known and _names(table)]


def _names(table: Table) -> list[ColumnElement[Any]]:
    return [key.parent for key in table.foreign_keys if key.column is List.__table__.c.id]


def _any(host: Host, list_: List, *tables: str) -> bool:
    columns = [column for name in tables for column in _names(Base.metadata.tables[name])]
    return bool(host.session.scalar(select(or_(*(exists().where(column == list_.id) for column in columns)))))


def waiting_words(host: Host, list_: List) -> list[str]:
    """What would still use the list, in words; nothing where nothing would."""
    draft = exists().where(Mailing.id == mailing_list.c.mailing_id, Mailing.state.in_(STILL_TO_GO))
    active = exists().where(Campaign.id == campaign_list.c.campaign_id, Campaign.state == CampaignState.ACTIVE)
    number = _number(host, and_(mailing_list.c.list_id == list_.id, draft))
    series = _number(host, and_(campaign_list.c.list_id == list_.id, active))
    said = [_counted(number, "mailing that is still to go") if number else ""]
    said += [_counted(series, "active campaign") if series else ""]
    return [f"{' and '.join(filter(None, said))} will pass over it.".capitalize()] if number or series else []


def _belongs(number: int, noun: str) -> str:
    return f"it belongs to {_counted(number, noun)}" if number else ""


def _counted(number: int, noun: str) -> str:
    if number == 1:
        return f"one {noun}"
    first, _, rest = noun.partition(" that is ")
    return f"{number:,} {first}s{' that are ' + rest if rest else ''}"


def name_taken(host: Host, name: str, but: List | None) -> bool:
    """Whether another list has this name."""
    found = host.session.scalars(select(List.id).where(func.lower(List.name) == name.lower()))
    return any(list_id != (but.id if but else None) for list_id in found)


def _number(host: Host, where: ColumnElement[bool]) -> int:
    return host.session.scalar(select(func.count()).where(where)) or 0
