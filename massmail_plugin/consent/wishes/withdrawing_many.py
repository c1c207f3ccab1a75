"""Opting many contacts out at once, and taking it back: a few statements however many they are.

Admin, CLI and imports enter and commit; the host's hooks hear of each contact afterwards.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    MetaData,
    Select,
    Table,
    and_,
    delete,
    exists,
    false,
    insert,
    literal,
    or_,
    select,
    text,
)

from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.stops.released import let_go
from massmail_plugin.consent.subscriptions.changes import Change
from massmail_plugin.consent.wishes.opt_outs import Wide
from massmail_plugin.consent.wishes.telling import tell_of_many
from massmail_plugin.consent.wishes.withdrawal import note_leaving
from massmail_plugin.contracts import ContactSource, Host
from massmail_plugin.models import List, Subscription, Suppression
from massmail_plugin.models.base import BigId, ContactKey, UtcDateTime
from massmail_plugin.portable_sql import changed, dialect
from massmail_plugin.vocabulary import SubscriptionState, SuppressionReason, SuppressionScope

ON, OFF = SubscriptionState.SUBSCRIBED, SubscriptionState.UNSUBSCRIBED


class What(NamedTuple):
    """What contacts are to be out of, or back in: these lists; with None of the topic, else every mailing."""

    list_ids: tuple[int, ...] | None = None
    topic_id: int | None = None

    @property
    def wide(self) -> Wide | None:
        return Wide(self.topic_id) if self.list_ids is None else None


def withdraw_selected(host: Host, source: ContactSource, keys: Select[Any], what: What, *, proof: Proof) -> int:
    """`withdraw` for all contacts of a source whose key text `keys` selects; for how many it changed something."""
    change = _change(host, source, proof)
    note_leaving(change, what.list_ids or (), Subscription.contact_key.in_(select(_key(keys))))
    with _chosen(host, those_to_withdraw(source, keys, what)) as (chosen, number):
        if what.wide:
            _stop(change, chosen, what.wide)
            within = and_(what.wide.subscriptions(), Subscription.contact_key.in_(chosen))
            change.move(within, OFF)
        else:
            _set_lists(change, chosen, what.list_ids or (), OFF)
        _tell(change, chosen, what, subscribed=False)
    return number


def take_back_selected(host: Host, source: ContactSource, keys: Select[Any], what: What, *, proof: Proof) -> int:
    """`take_back` for all contacts of a source whose key text `keys` selects; for how many it changed something."""
    change = _change(host, source, proof)
    with _chosen(host, those_to_take_back(source, keys, what)) as (chosen, number):
        if what.wide:
            closed = what.wide.closed_by_it(now=change.at)
            change.move(and_(Subscription.contact_key.in_(chosen), closed), ON)
        else:
            _set_lists(change, chosen, what.list_ids or (), ON)
        let_go(host, and_(_stops(source, what), Suppression.contact_key.in_(chosen)), by=proof.by, note=proof.evidence)
        _tell(change, chosen, what, subscribed=True)
    return number


def those_to_withdraw(source: ContactSource, keys: Select[Any], what: What) -> Select[Any]:
    """The key texts among `keys` for which `withdraw_selected` changes something, each once: what a dry run counts."""
    key = _key(keys)
    if what.wide is None:
        news = or_(false(), *(~_standing(source, key, list_id, OFF) for list_id in what.list_ids or ()))
    else:
        on = Subscription.state == ON.value, what.wide.subscriptions()
        news = or_(~_stopped(source, key, what), exists().where(*_of(Subscription, source, key), *on))
    return select(key).where(news).distinct()


def those_to_take_back(source: ContactSource, keys: Select[Any], what: What) -> Select[Any]:
    """The key texts among `keys` for which `take_back_selected` changes something, each once."""
    key = _key(keys)
    not_on = (~_standing(source, key, list_id, ON) for list_id in what.list_ids or ())
    return select(key).where(or_(_stopped(source, key, what), *not_on)).distinct()


def _change(host: Host, source: ContactSource, proof: Proof) -> Change:
    host.session.flush()
    return Change(host=host, source=source.source_name, proof=proof, at=host.clock())


def _key(keys: Select[Any]) -> ColumnElement[str]:
    return next(iter(keys.subquery("wanted").c))


def _of(model: Any, source: ContactSource, key: ColumnElement[str]) -> tuple[ColumnElement[bool], ...]:
    return model.contact_source == source.source_name, model.contact_key == key


def _standing(
    source: ContactSource, key: ColumnElement[str], list_id: int, state: SubscriptionState
) -> ColumnElement[bool]:
    of_list = Subscription.list_id == list_id, Subscription.state == state.value
    return exists().where(*of_list, *_of(Subscription, source, key))


def _stopped(source: ContactSource, key: ColumnElement[str], what: What) -> ColumnElement[bool]:
    return exists().where(_stops(source, what), Suppression.contact_key == key)


def _stops(source: ContactSource, what: What) -> ColumnElement[bool]:
    """The suppressions that say just this; for lists those that people's merging and imports leave behind."""
    if what.wide is not None:
        return and_(what.wide.stops(), Suppression.contact_source == source.source_name)
    return and_(
        Suppression.contact_source == source.source_name,
        Suppression.reason == SuppressionReason.OPT_OUT.value,
        Suppression.scope == SuppressionScope.LIST.value,
        Suppression.list_id.in_(what.list_ids or ()),
    )


@contextmanager
def _chosen(host: Host, keys: Select[Any]) -> Iterator[tuple[Select[Any], int]]:
    """The keys held fast, and their number: what they are selected by may well change under our hands."""
    connection = host.session.connection()
    table = Table("massmail_chosen", MetaData(), Column("key", ContactKey, primary_key=True), prefixes=["TEMPORARY"])
    table.create(connection, checkfirst=True)
    host.session.execute(delete(table))
    number = changed(host, insert(table).from_select(["key"], keys))
    if dialect(host).name == "postgresql":
        host.session.execute(text("ANALYZE massmail_chosen"))
    yield select(table.c.key), number
    table.drop(connection)


def _stop(change: Change, chosen: Select[Any], wide: Wide) -> None:
    proof = change.proof
    row: dict[str, Any] = {
        "contact_source": literal(change.source),
        "contact_key": chosen.subquery("chosen").c.key,
        "scope": literal(wide.scope.value),
        "topic_id": literal(wide.topic_id, List.topic_id.type),
        "reason": literal(SuppressionReason.OPT_OUT.value),
        "way": literal(str(proof.way)),
        "note": literal(proof.evidence),
        "created_at": literal(change.at, UtcDateTime),
        "created_by": literal(proof.by[:200]),
        "message_id": literal(proof.message_id, BigId),
    }
    changed(change.host, insert(Suppression).from_select(list(row), select(*row.values())))


def _set_lists(change: Change, chosen: Select[Any], list_ids: Sequence[int], state: SubscriptionState) -> None:
    for list_id in sorted(list_ids):
        key = chosen.subquery("chosen").c.key
        there = exists().where(
            Subscription.list_id == list_id,
            Subscription.contact_source == change.source,
            Subscription.contact_key == key,
        )
        # Added first: where somebody else adds a contact at this moment, it is their row that is moved then.
        change.add(list_id, select(key).where(~there), state)
        change.move(Subscription.contact_key.in_(chosen), state, list_ids=[list_id])


def _tell(change: Change, chosen: Select[Any], what: What, *, subscribed: bool) -> None:
    if change.host.hooks.on_preference_change:
        keys = change.host.session.scalars(chosen.order_by(chosen.selected_columns.key)).all()
        tell_of_many(change, keys, what.list_ids, what.topic_id, subscribed=subscribed)
