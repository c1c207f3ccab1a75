"""What a file is brought for: how its rows are judged in SQL, and what is done for those it changes something for.

Flushes; every change goes through the room `consent`.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, select

from massmail_plugin.audience.imports.staging import found, rows
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.stops.suppressing_many import addresses_to_stop, suppress_selected
from massmail_plugin.consent.stops.suppression import stop_clause
from massmail_plugin.consent.subscriptions.changes import Change
from massmail_plugin.consent.subscriptions.subscribing import unsubscribe_selected
from massmail_plugin.consent.wishes.withdrawing_many import (
    What,
    take_back_selected,
    those_to_take_back,
    those_to_withdraw,
    withdraw_selected,
)
from massmail_plugin.contracts import ContactSource, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Import, List, Subscription, Topic
from massmail_plugin.vocabulary import (
    ImportPurpose,
    RowVerdict,
    SubscriptionState,
    SuppressionReason,
    SuppressionScope,
)

Case = tuple[ColumnElement[bool], RowVerdict]


class Found(NamedTuple):
    """The columns of a row of the file: its contact's key, NULL for nobody, and the address."""

    key: ColumnElement[Any]
    address: ColumnElement[Any]


@dataclass(frozen=True)
class Purpose(ABC):
    """One import on its way. `cases` are asked in their order; whom none of them fits is changed."""

    host: Host
    source: ContactSource
    proof: Proof

    of_contacts = True
    """Whether rows are matched with contacts; else they are addresses, whoever has them."""

    @property
    def beside(self) -> List | None:
        """The list whose subscriptions stand beside the contacts in `cases`."""
        return None

    def hold(self) -> None:
        """Wait for others who put contacts onto the list: two at once would write the same change twice."""
        if self.beside is not None:
            one = select(List.id).where(List.id == self.beside.id)
            self.host.session.execute(one.with_for_update(key_share=True))

    @abstractmethod
    def cases(self, here: Found) -> Sequence[Case]:
        """Over a row, its contact if there is one, and the `Subscription` that may stand beside it."""

    @abstractmethod
    def act(self, wanted: Select[Any]) -> int:
        """Do it for the key texts (of addresses: the addresses) that `wanted` selects; how many it changed."""


@dataclass(frozen=True)
class Subscribe(Purpose):
    """Onto a list; whoever left it or is stopped stays out."""

    list_: List

    @property
    def beside(self) -> List:
        return self.list_

    def cases(self, here: Found) -> Sequence[Case]:
        stops = stop_clause(self.source.source_name, here.key, here.address, [self.list_.id], at=self.host.clock())
        return (
            (Subscription.state == SubscriptionState.SUBSCRIBED.value, RowVerdict.ALREADY),
            (Subscription.state == SubscriptionState.UNSUBSCRIBED.value, RowVerdict.LEFT),
            (stops.opted_out, RowVerdict.OPTED_OUT),
            (stops.suppressed, RowVerdict.SUPPRESSED),
            (here.key.is_(None), RowVerdict.UNKNOWN),
        )

    def act(self, wanted: Select[Any]) -> int:
        """`cases` have seen to it that none has a row yet and that nobody opted out."""
        change = Change(host=self.host, source=self.source.source_name, proof=self.proof, at=self.host.clock())
        return change.add(self.list_.id, wanted)


@dataclass(frozen=True)
class Unsubscribe(Purpose):
    """Off a list. From one that a criterion keeps also those who have no row of their own."""

    list_: List

    @property
    def beside(self) -> List:
        return self.list_

    def cases(self, here: Found) -> Sequence[Case]:
        off = Subscription.state == SubscriptionState.UNSUBSCRIBED.value
        never = Subscription.id.is_(None) if self.list_.criterion_id is None else off
        return (
            (here.key.is_(None), RowVerdict.UNKNOWN),
            (off, RowVerdict.ALREADY),
            (never, RowVerdict.ALREADY),
        )

    def act(self, wanted: Select[Any]) -> int:
        return unsubscribe_selected(self.host, self.list_, self.source, wanted, proof=self.proof)


@dataclass(frozen=True)
class OptOut(Purpose):
    """Out of a topic, or of every mailing."""

    what: What

    def cases(self, here: Found) -> Sequence[Case]:
        changed = self.those(select(found.c.contact_key).where(found.c.contact_key.is_not(None)))
        return (here.key.is_(None), RowVerdict.UNKNOWN), (here.key.not_in(changed), RowVerdict.ALREADY)

    def those(self, keys: Select[Any]) -> Select[Any]:
        """Those of the keys for which `act` changes something."""
        return those_to_withdraw(self.source, keys, self.what)

    def act(self, wanted: Select[Any]) -> int:
        return withdraw_selected(self.host, self.source, wanted, self.what, proof=self.proof)


@dataclass(frozen=True)
class OptIn(OptOut):
    """The other way round: opt-outs of a topic, or of every mailing, are taken back."""

    def those(self, keys: Select[Any]) -> Select[Any]:
        return those_to_take_back(self.source, keys, self.what)

    def act(self, wanted: Select[Any]) -> int:
        return take_back_selected(self.host, self.source, wanted, self.what, proof=self.proof)


@dataclass(frozen=True)
class Suppress(Purpose):
    """Addresses that get nothing more, whoever has them: for a list, a topic or everything, for good or for a while."""

    scope: SuppressionScope
    list_id: int | None
    topic_id: int | None
    until: datetime | None

    of_contacts = False

    def cases(self, here: Found) -> Sequence[Case]:
        to_stop = addresses_to_stop(
            select(rows.c.form), self.scope, SuppressionReason.BY_PERSON, self.list_id, self.topic_id, self.until
        ).subquery("to_stop")
        return ((here.address.not_in(select(to_stop.c.address)), RowVerdict.ALREADY),)

    def act(self, wanted: Select[Any]) -> int:
        return suppress_selected(
            self.host,
            wanted,
            scope=self.scope,
            reason=SuppressionReason.BY_PERSON,
            way=self.proof.way,
            list_id=self.list_id,
            topic_id=self.topic_id,
            until=self.until,
            note=self.proof.evidence,
            by=self.proof.by,
        )


def purpose_of(host: Host, row: Import, source: ContactSource, proof: Proof) -> Purpose:
    """What an import is to do. Raises BadRequest where its list or topic is gone."""
    list_ = _there(host, List, row.list_id, "list")
    topic = _there(host, Topic, row.options.get("topic_id"), "topic")
    topic_id = topic.id if topic else None
    match ImportPurpose(row.purpose):
        case ImportPurpose.SUBSCRIBE | ImportPurpose.UNSUBSCRIBE as purpose:
            if list_ is None:
                raise BadRequest("Choose the list that the file is for.")
            kind = Subscribe if purpose is ImportPurpose.SUBSCRIBE else Unsubscribe
            return kind(host, source, proof, list_)
        case ImportPurpose.OPT_OUT:
            return OptOut(host, source, proof, What(topic_id=topic_id))
        case ImportPurpose.OPT_IN:
            return OptIn(host, source, proof, What(topic_id=topic_id))
        case ImportPurpose.SUPPRESS:
            until = row.options.get("until")
            scope = SuppressionScope.LIST if list_ else SuppressionScope.TOPIC if topic else None
            return Suppress(
                host,
                source,
                proof,
                scope=scope or SuppressionScope.ALL_BUT_TRANSACTIONAL,
                list_id=list_.id if list_ else None,
                topic_id=topic_id,
                until=datetime.fromisoformat(until) if until else None,
            )


def _there(host: Host, model: Any, number: int | None, word: str) -> Any:
    if number is None:
        return None
    found_ = host.session.get(model, number)
    if found_ is None:
        raise BadRequest(f"The {word} that the file is for was deleted. Bring the file again for another one.")
    return found_
