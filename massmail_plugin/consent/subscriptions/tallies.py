"""How many contacts of each state are on a list, without counting them: sums of changes, folded now and then.

Changes to subscriptions enter and flush; so do the scheduler and `verify`, whose doors commit.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, delete, func, insert, select

from massmail_plugin.contracts import Host
from massmail_plugin.models import List, Subscription, SubscriptionTally
from massmail_plugin.portable_sql import one_of
from massmail_plugin.vocabulary import SubscriptionState

AT_ONCE = 200
"""Numbers that one fold looks at."""


@dataclass(frozen=True)
class ListDifference:
    """A number of a list that a recount of its subscriptions contradicts."""

    list_id: int
    state: str
    kept: int
    counted: int


def note(host: Host, changes: Mapping[tuple[int, str], int]) -> None:
    """Keep that the numbers of (list, state) changed by so many. Rows are only added, so nobody waits for anybody."""
    rows = [
        {"list_id": list_id, "state": str(state), "change": number}
        for (list_id, state), number in changes.items()
        if number
    ]
    if rows:
        host.session.execute(insert(SubscriptionTally), rows)


def list_counts(host: Host, list_ids: Collection[int] | None = None) -> dict[int, dict[str, int]]:
    """List -> state -> number of contacts who have a row of their own on it; of all lists where none are named.

    Whom only a list's criterion finds is not among them.
    """
    if list_ids is None:
        list_ids = host.session.scalars(select(List.id)).all()
    counts = {list_id: dict.fromkeys([state.value for state in SubscriptionState], 0) for list_id in list_ids}
    of_lists = one_of(SubscriptionTally.list_id, sorted(counts))
    for list_id, state, number in host.session.execute(_sums().where(of_lists)):
        counts[list_id][state] = int(number)
    return counts


def fold(host: Host) -> int:
    """Put the changes of each number together into one row; gives how many numbers had more than one."""
    table = SubscriptionTally
    many = select(table.list_id, table.state).group_by(table.list_id, table.state).having(func.count() > 1)
    found = host.session.execute(many.limit(AT_ONCE)).all()
    for list_id, state in found:
        mine = and_(table.list_id == list_id, table.state == state)
        taken = host.session.scalars(
            delete(table).where(mine).returning(table.change), execution_options={"synchronize_session": False}
        )
        host.session.execute(insert(table), [{"list_id": list_id, "state": state, "change": sum(taken)}])
    return len(found)


def differences(host: Host) -> list[ListDifference]:
    """Every number of a list that its subscriptions contradict, also of lists that are gone."""
    kept = {(row[0], row[1]): int(row[2]) for row in host.session.execute(_sums())}
    rows = select(Subscription.list_id, Subscription.state, func.count()).group_by(
        Subscription.list_id, Subscription.state
    )
    counted = {(row[0], row[1]): int(row[2]) for row in host.session.execute(rows)}
    return [
        ListDifference(list_id, state, kept.get((list_id, state), 0), counted.get((list_id, state), 0))
        for list_id, state in sorted({*kept, *counted})
        if kept.get((list_id, state), 0) != counted.get((list_id, state), 0)
    ]


def set_right(host: Host, wrong: Sequence[ListDifference]) -> None:
    """Bring numbers to what was counted."""
    note(host, {(one.list_id, one.state): one.counted - one.kept for one in wrong})


def forget_list(host: Host, list_id: int) -> None:
    """The list is about to be deleted: nobody is on it."""
    host.session.execute(delete(SubscriptionTally).where(SubscriptionTally.list_id == list_id))


def _sums() -> Any:
    table = SubscriptionTally
    return select(table.list_id, table.state, func.sum(table.change)).group_by(table.list_id, table.state)
