"""How many of a contact's related rows fit, as SQL over the contact. Commits nothing."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, inspect, not_, or_, select, true
from sqlalchemy.orm import MANYTOONE, RelationshipProperty, aliased
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression

from massmail_plugin.audience.criteria.rules import RelatedRule, Rows
from massmail_plugin.contact_fields import RelatedRows, register
from massmail_plugin.contracts import ContactSource

Clause = ColumnElement[bool]
Fits = Callable[[bool], Clause]
"""Whether a row fits, or with False whether it does not, as a clause over the rows' class."""


def related(source: ContactSource, rows: RelatedRows, rule: RelatedRule, fits: Fits) -> Clause:
    """True or false for each contact, never NULL."""
    relation = getattr(source.model, rows.relation)
    if rule.rows is Rows.ANY:
        some: Clause = relation.any(fits(True))
        return some
    if rule.rows is Rows.NONE:
        none: Clause = not_(relation.any(fits(True)))
        return none
    if rule.rows is Rows.ALL:
        return and_(relation.any(), not_(relation.any(fits(False))))
    return _counted(source, rows, rule, fits) if rule.rows is Rows.COUNT else _latest(source, rows, fits)


def _counted(source: ContactSource, rows: RelatedRows, rule: RelatedRule, fits: Fits) -> Clause:
    """Contacts without rows are in no group: where none is enough, those with too many are left out instead."""
    if rule.minimum == 0 and rule.maximum is None:
        return true()
    of = _Owners(source, rows)
    number = func.count()
    if rule.minimum == 0:
        return not_(of.among(of.rows(fits(True)).group_by(of.owner).having(number > rule.maximum)))
    groups = of.rows(fits(True)).group_by(of.owner).having(number >= rule.minimum)
    return of.among(groups if rule.maximum is None else groups.having(number <= rule.maximum))


def _latest(source: ContactSource, rows: RelatedRows, fits: Fits) -> Clause:
    of = _Owners(source, rows)
    other = aliased(rows.model)
    return of.among(of.rows(and_(fits(True), not_(of.has(other, _newer(rows, other))))))


def _newer(rows: RelatedRows, other: Any) -> Clause:
    """Whether the other row is later: rows without a value are the earliest, the primary key decides between equals."""
    mine: Any = rows.latest
    theirs = getattr(other, str(mine.key))
    keys = [rows.model.__mapper__.get_property_by_column(one).key for one in inspect(rows.model).primary_key]
    later: Clause = theirs > mine
    same: Clause = or_(theirs == mine, and_(theirs.is_(None), mine.is_(None)))
    return or_(later, and_(theirs.is_not(None), mine.is_(None)), and_(same, _greater(rows.model, other, keys)))


def _greater(model: type[Any], other: Any, keys: list[str]) -> Clause:
    first, *rest = keys
    mine, theirs = getattr(model, first), getattr(other, first)
    greater: Clause = theirs > mine
    return or_(greater, and_(theirs == mine, _greater(model, other, rest))) if rest else greater


class _Owners:
    """Related rows with what tells their contact, and contacts found by it.

    Where the rows themselves hold it (an ordinary foreign key), the contacts need not be read a second time.
    """

    def __init__(self, source: ContactSource, rows: RelatedRows) -> None:
        self._model, self._relation = rows.model, rows.relation
        relation = inspect(source.model).relationships[rows.relation]
        plain = _plain_columns(relation)
        self._again: Any = None
        """The contacts read a second time, where that is needed."""
        if plain is None:
            self.contact = register(source).key_column
            self._again = aliased(source.model)
            self.owner = getattr(self._again, str(self.contact.key))
        else:
            local, remote = plain
            self.contact = relation.parent.get_property_by_column(local).class_attribute
            self.owner = relation.mapper.get_property_by_column(remote).class_attribute

    def rows(self, fits: Clause) -> Select[Any]:
        """The owners of the rows that fit, once for each row."""
        owners = select(self.owner.label("owner"))
        if self._again is None:
            return owners.select_from(self._model).where(self.owner.is_not(None), fits)
        return owners.select_from(self._again).join(getattr(self._again, self._relation)).where(fits)

    def has(self, other: Any, test: Clause) -> Clause:
        """Whether the contact of a row of `rows` has another row for which the test is true."""
        if self._again is None:
            return exists().where(getattr(other, self.owner.key) == self.owner, test)
        there: Clause = getattr(self._again, self._relation).of_type(other).any(test)
        return there

    def among(self, owners: Select[Any]) -> Clause:
        """Whether a contact is one of them. A subquery of its own, since rows may be of the contact's own class."""
        found = owners.subquery()
        return exists().where(found.c.owner == self.contact)


def _plain_columns(relation: RelationshipProperty[Any]) -> tuple[Any, Any] | None:
    """The columns of contact and row that are equal, where the relation is nothing but that."""
    join, pairs = relation.primaryjoin, relation.local_remote_pairs or []
    if relation.secondary is not None or relation.direction is MANYTOONE or len(pairs) != 1:
        return None
    local, remote = pairs[0]
    alone = isinstance(join, BinaryExpression) and join.operator is operators.eq
    return (local, remote) if alone and {local, remote} == _sides(join) else None


def _sides(join: Any) -> set[Any]:
    """The columns of a join, without what the relation notes on them."""
    return {getattr(side, "_deannotate", lambda side=side: side)() for side in (join.left, join.right)}
