"""What the screens of suppressions read: the rows that fit a search, how many there are of each reason. Only reads."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true

from massmail_plugin.admin.contacts.search import found
from massmail_plugin.audience.contacts.at_address import contacts_at
from massmail_plugin.audience.contacts.visibility import limited, visible_rows
from massmail_plugin.consent.addresses import normalised, spellings, usable
from massmail_plugin.consent.stops.address_hashes import address_hashes
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import List, ReleasedSuppression, Suppression, Topic
from massmail_plugin.portable_sql import begins
from massmail_plugin.vocabulary import ConsentWay, SuppressionReason, SuppressionScope

COUNTED = 1_000
"""Of each reason so many are counted at the most: a screen takes as long for a million as for some thousand."""
BY_SERVER = "server"
"""In the address of a screen: stops that the answer of a mail server made."""


@dataclass(frozen=True)
class Wanted:
    """What is searched for; an empty value means any."""

    text: str = ""
    reason: str = ""
    scope: str = ""
    way: str = ""

    def __bool__(self) -> bool:
        return any((self.text, self.reason, self.scope, self.way))


def standing(host: Host, wanted: Wanted) -> Select[Any]:
    """(Suppression, name of its list, name of its topic), in no order."""
    return _chosen(host, Suppression, wanted)


def released(host: Host, text: str) -> Select[Any]:
    """(ReleasedSuppression, name of its list, name of its topic), in no order."""
    return _chosen(host, ReleasedSuppression, Wanted(text))


def released_for(host: Host, row: Suppression) -> list[Any]:
    """The newest rows of `released` that speak of whom this suppression speaks of."""
    old = ReleasedSuppression
    if row.contact_key is not None:
        same: ColumnElement[bool] = and_(old.contact_source == row.contact_source, old.contact_key == row.contact_key)
    else:
        same = old.address == row.address if row.address else old.address_hash == row.address_hash
    return list(host.session.execute(released(host, "").where(same).order_by(old.id.desc()).limit(20)))


def counts(host: Host) -> dict[str, int]:
    """Suppressions of each reason that whoever looks may see, COUNTED at the most, in the order of the vocabulary."""
    seen = _may_be_shown(host, Suppression, "")
    return {
        reason.value: _count(host, func.lower(Suppression.reason) == reason.value, seen) for reason in SuppressionReason
    }


def may_be_shown(host: Host, row: Suppression) -> bool:
    """Whether whoever looks may see this one; not everybody may see every contact, and then no mere address either."""
    shown = select(Suppression.id).where(Suppression.id == row.id, _may_be_shown(host, Suppression, ""))
    return host.session.scalar(shown) is not None


def _count(host: Host, *where: ColumnElement[bool]) -> int:
    some = select(Suppression.id).where(*where).limit(COUNTED).subquery()
    return host.session.scalar(select(func.count()).select_from(some)) or 0


def _chosen(host: Host, model: Any, wanted: Wanted) -> Select[Any]:
    columns: list[Any] = [model, List.name, Topic.name]
    query = select(*columns).outerjoin(List, List.id == model.list_id).outerjoin(Topic, Topic.id == model.topic_id)
    query = query.where(_may_be_shown(host, model, wanted.text))
    if wanted.text:
        query = query.where(_speaks_of(host, model, wanted.text))
    if wanted.reason in set(SuppressionReason):
        query = query.where(func.lower(model.reason) == wanted.reason)
    if wanted.scope in set(SuppressionScope):
        query = query.where(func.lower(model.scope) == wanted.scope)
    if wanted.way == BY_SERVER or wanted.way in set(ConsentWay):
        query = query.where(func.lower(model.way) == ("" if wanted.way == BY_SERVER else wanted.way))
    return query


def _may_be_shown(host: Host, model: Any, text: str) -> ColumnElement[bool]:
    """Where some contacts are hidden from a user, an address is shown to whoever names it alone."""
    if not limited(host):
        return true()
    return or_(visible_rows(host, model.contact_source, model.contact_key), _of_address(host, model, text))


def _speaks_of(host: Host, model: Any, text: str) -> ColumnElement[bool]:
    """Stops of addresses that begin with the text, or are it; of contacts whose name holds it, or who have it."""
    whose = contacts_at(host, text) if usable(text) else _whose_name_holds(host, text)
    contacts = [and_(model.contact_source == one.source, model.contact_key == one.key) for one in whose]
    return or_(begins(host, model.address, normalised(text)), _of_address(host, model, text), *contacts)


def _whose_name_holds(host: Host, text: str) -> list[ContactRef]:
    """No name has an @: that is the beginning of an address, and nothing to look through all contacts for."""
    return [] if "@" in text else [one.ref for one in found(host, text)]


def _of_address(host: Host, model: Any, text: str) -> ColumnElement[bool]:
    if not usable(text):
        return false()
    hashes = address_hashes(host.config, text)
    return or_(model.address.in_(sorted(spellings(text))), model.address_hash.in_(hashes))
