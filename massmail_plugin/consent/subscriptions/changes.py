"""Changes to subscriptions with their history and numbers, set by set. The other files of the room enter; flushes only.

Every way in keeps `SubscriptionTally` in step, in the same transaction: nothing else may write to `Subscription`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, delete, insert, literal, select, update

from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.subscriptions.tallies import note
from massmail_plugin.contracts import Host
from massmail_plugin.models import Subscription, SubscriptionEvent
from massmail_plugin.models.base import BigId, UtcDateTime
from massmail_plugin.portable_sql import changed, insert_new
from massmail_plugin.vocabulary import SubscriptionState

_ROW = ["list_id", "contact_source", "contact_key", "state", "since", "evidence"]
_WHAT = ["list_id", "contact_source", "contact_key", "state", "at"]
_HOW = ["evidence", "message_id", "way", "by", "origin", "consent_text_id"]
_BEFORE = {
    SubscriptionState.SUBSCRIBED: SubscriptionState.UNSUBSCRIBED,
    SubscriptionState.UNSUBSCRIBED: SubscriptionState.SUBSCRIBED,
}


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change by one act: all its rows carry the same time and proof."""

    host: Host
    source: str
    proof: Proof
    at: datetime

    def add(self, list_id: int, keys: Select[Any], state: SubscriptionState = SubscriptionState.SUBSCRIBED) -> int:
        """New rows for the key texts that `keys` selects; the caller sees to it that they have none yet."""
        key = next(iter(keys.subquery("added").c))
        who = (literal(list_id), literal(self.source), key)
        what = (*who, literal(str(state)), self._at())
        row = (*what, literal(self._evidence()))
        changed(self.host, insert(SubscriptionEvent).from_select(_WHAT + _HOW, select(*what, *self._how())))
        # A contact who opts out at this moment may have made the row meanwhile: theirs stays.
        new = insert_new(self.host, Subscription).from_select(_ROW, select(*row).where(key.is_not(None)))
        added = changed(self.host, new)
        note(self.host, {(list_id, state): added})
        return added

    def hold(self, rows: ColumnElement[bool]) -> None:
        """Keep the rows as they are now for this act, once whoever changes one at this moment is through.

        What is not committed yet would go unseen: a list that is being opened could then not be left.
        """
        mine = select(Subscription.id).where(Subscription.contact_source == self.source, rows)
        self.host.session.execute(mine.order_by(Subscription.list_id).with_for_update(key_share=True)).all()

    def move(self, rows: ColumnElement[bool], to: SubscriptionState, *, list_ids: Iterable[int] | None = None) -> int:
        """Bring the rows that are not in this state into it; gives their number.

        `list_ids` are the lists the rows may be of, where the caller knows them: it spares looking for them.
        """
        moving = and_(Subscription.contact_source == self.source, Subscription.state != to, rows)
        if list_ids is None:
            list_ids = self.host.session.scalars(select(Subscription.list_id).where(moving).distinct()).all()
        moved = sum(self._move(list_id, moving, to) for list_id in sorted(list_ids))
        if moved:
            self._forget_loaded()
        return moved

    def _move(self, list_id: int, moving: ColumnElement[bool], to: SubscriptionState) -> int:
        """One list at a time, so that the number of rows the database changed is the number to count."""
        of_list = Subscription.list_id == list_id
        # Locked: of two who say the same at once, the second finds nothing left to write into the history.
        rows = self._history(to).where(of_list, moving).with_for_update(key_share=True, of=Subscription)
        changed(self.host, insert(SubscriptionEvent).from_select(_WHAT + _HOW, rows))
        values = {"state": str(to), "since": self.at, "evidence": self._evidence()}
        moved = changed(self.host, update(Subscription).where(of_list, moving).values(**values))
        note(self.host, {(list_id, to): moved, (list_id, _BEFORE[to]): -moved})
        return moved

    def say_again(self, rows: ColumnElement[bool], state: SubscriptionState) -> None:
        """Into the history alone: rows that are in this state already, and somebody said so once more."""
        history = self._history(state).where(Subscription.contact_source == self.source, rows)
        changed(self.host, insert(SubscriptionEvent).from_select(_WHAT + _HOW, history))

    def _history(self, state: SubscriptionState) -> Select[Any]:
        who = Subscription.list_id, Subscription.contact_source, Subscription.contact_key
        return select(*who, literal(str(state)), self._at(), *self._how())

    def _forget_loaded(self) -> None:
        session = self.host.session()
        for loaded in [row for row in session.identity_map.values() if isinstance(row, Subscription)]:
            session.expire(loaded)

    def _at(self) -> ColumnElement[datetime]:
        return literal(self.at, UtcDateTime)

    def _evidence(self) -> str:
        return self.proof.evidence[:500]

    def _how(self) -> list[ColumnElement[Any]]:
        """What `_HOW` names, cut to what its columns hold."""
        proof = self.proof
        return [
            literal(self._evidence()),
            literal(proof.message_id, BigId),
            literal(str(proof.way)),
            literal(proof.by[:200]),
            literal(proof.origin[:300]),
            literal(proof.consent_text_id, Integer),
        ]


def forget(host: Host, rows: ColumnElement[bool]) -> int:
    """Delete subscriptions of a contact who is erased, gone or merged; gives their number. Their history stays."""
    gone = delete(Subscription).where(rows).returning(Subscription.list_id, Subscription.state)
    found = host.session.execute(gone, execution_options={"synchronize_session": False}).all()
    change: dict[tuple[int, str], int] = {}
    for list_id, state in found:
        change[list_id, state] = change.get((list_id, state), 0) - 1
    note(host, change)
    return len(found)
