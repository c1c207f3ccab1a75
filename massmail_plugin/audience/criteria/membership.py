"""Who is on a list, as SQL: those who subscribed, and those its criterion finds unless they left. Reads only.

Criteria ask for lists, and lists are kept by criteria: so whoever enters brings along how a rule becomes a clause.
`members.py` is the way in for everybody but the criteria themselves.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, literal, select, union_all

from massmail_plugin.consent.contact_keys import key_text
from massmail_plugin.contracts import ContactSource, Host
from massmail_plugin.errors import RuleError
from massmail_plugin.models import List, Subscription
from massmail_plugin.vocabulary import SubscriptionState

DEEPEST = 5
"""So many lists may be kept by criteria that ask for one another: SQLite reads no deeper in a mailing's statement."""
Finds = Callable[[Host, ContactSource, object], ColumnElement[bool]]

_being_read: ContextVar[tuple[int, ...]] = ContextVar("lists whose criterion is being read", default=())


def membership(host: Host, source: ContactSource, list_ids: Sequence[int], finds: Finds) -> Select[Any]:
    """`members.members`, with `finds` to make a clause of the rule of a list's criterion."""
    row: list[Any] = [Subscription.contact_key.label("key"), Subscription.list_id.label("list_id")]
    subscribed = select(*row).where(
        Subscription.list_id.in_(list_ids),
        Subscription.contact_source == source.source_name,
        Subscription.state == SubscriptionState.SUBSCRIBED,
    )
    found = [_found(host, source, list_, finds) for list_ in kept_by_criterion(host, source, list_ids)]
    if not found:
        return subscribed
    everybody = union_all(subscribed, *found).subquery("massmail_members")
    return select(everybody.c.key, everybody.c.list_id)


def kept_by_criterion(host: Host, source: ContactSource, list_ids: Sequence[int]) -> list[List]:
    """Those of the lists to which a criterion adds contacts of this source."""
    lists = host.session.scalars(select(List).where(List.id.in_(list_ids), List.criterion_id.is_not(None)))
    return [one for one in lists if one.criterion and one.criterion.contact_source == source.source_name]


def found_by(host: Host, source: ContactSource, list_: List, finds: Finds) -> ColumnElement[bool]:
    """True for contacts whom a list's criterion finds and who have no row of their own on it, neither subscribed nor
    gone. Raises RuleError.
    """
    own_row = exists().where(
        Subscription.list_id == list_.id,
        Subscription.contact_source == source.source_name,
        Subscription.contact_key == key_text(source),
    )
    with _not_within_itself(list_):
        wanted = finds(host, source, list_.criterion.rule if list_.criterion else None)
    return and_(wanted, ~own_row)


def _found(host: Host, source: ContactSource, list_: List, finds: Finds) -> Select[Any]:
    row: list[Any] = [key_text(source).label("key"), literal(list_.id).label("list_id")]
    return select(*row).select_from(source.model).where(found_by(host, source, list_, finds))


@contextmanager
def _not_within_itself(list_: List) -> Iterator[None]:
    """A criterion may ask for members of lists, but not of the list it keeps, however far round the corner."""
    reading = _being_read.get()
    if list_.id in reading:
        raise RuleError(
            f"The list “{list_.name}” is kept by a criterion that asks who is on this very list. Change the criterion."
        )
    if len(reading) >= DEEPEST:
        raise RuleError(
            f"The list “{list_.name}” is kept by a criterion that asks for a list kept by a criterion, and so on. That "
            f"may go {DEEPEST} lists deep at the most."
        )
    token = _being_read.set((*reading, list_.id))
    try:
        yield
    finally:
        _being_read.reset(token)
