"""Changes to subscriptions together with their history, set by set. The other files of the room enter; flushes only."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, insert, literal, null, select, update

from massmail_plugin.contracts import Host
from massmail_plugin.models import Subscription, SubscriptionEvent
from massmail_plugin.models.base import BigId, UtcDateTime
from massmail_plugin.portable_sql import changed, insert_new
from massmail_plugin.vocabulary import SubscriptionState

_ROW = ["list_id", "contact_source", "contact_key", "state", "since", "evidence"]
_HISTORY = ["list_id", "contact_source", "contact_key", "state", "at", "evidence", "message_id"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change by one act: all its rows carry the same time, evidence and message."""

    host: Host
    source: str
    evidence: str
    message_id: int | None
    at: datetime

    def add(self, list_id: int, keys: Select[Any], state: SubscriptionState = SubscriptionState.SUBSCRIBED) -> int:
        """New rows for the key texts that `keys` selects; the caller sees to it that they have none yet."""
        key = next(iter(keys.subquery("added").c))
        who = (literal(list_id), literal(self.source), key)
        row = (*who, literal(str(state)), self._at(), literal(self.evidence[:500]))
        changed(self.host, insert(SubscriptionEvent).from_select(_HISTORY, select(*row, self._message())))
        # A contact who opts out at this moment may have made the row meanwhile: theirs stays.
        new = insert_new(self.host, Subscription).from_select(_ROW, select(*row).where(key.is_not(None)))
        return changed(self.host, new)

    def move(self, rows: ColumnElement[bool], to: SubscriptionState) -> int:
        """Bring the rows that are not in this state into it; gives their number."""
        moving = and_(Subscription.contact_source == self.source, Subscription.state != to, rows)
        history = select(
            Subscription.list_id,
            Subscription.contact_source,
            Subscription.contact_key,
            literal(str(to)),
            self._at(),
            literal(self.evidence[:500]),
            self._message(),
        )
        changed(self.host, insert(SubscriptionEvent).from_select(_HISTORY, history.where(moving)))
        change = update(Subscription).where(moving).values(state=to, since=self.at, evidence=self.evidence[:500])
        moved = changed(self.host, change)
        self._forget_loaded()
        return moved

    def _forget_loaded(self) -> None:
        session = self.host.session()
        for loaded in [row for row in session.identity_map.values() if isinstance(row, Subscription)]:
            session.expire(loaded)

    def _at(self) -> ColumnElement[datetime]:
        return literal(self.at, UtcDateTime)

    def _message(self) -> ColumnElement[Any]:
        return null() if self.message_id is None else literal(self.message_id, BigId)
