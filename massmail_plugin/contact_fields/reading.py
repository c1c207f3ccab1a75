"""Reads a ContactSource once and keeps what it says. Rooms enter; nothing is committed."""

from dataclasses import replace
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Mapper, aliased

from massmail_plugin.contact_fields.checks import check_column, column_name, mapper_of, relation_named, wrong
from massmail_plugin.contact_fields.declared import own_fields, related_rows
from massmail_plugin.contact_fields.registered import FieldRegister
from massmail_plugin.contracts import Address, Column, ContactSource, Related, SignUpField


@lru_cache(maxsize=64)
def register(source: ContactSource) -> FieldRegister:
    """The fields of a source. Raises SetupError naming what does not fit, to whom, and the nearest right name."""
    mapper = mapper_of(source)
    for option in ("key", "name", "locale", "time_zone", "active", "status", "tracking"):
        if getattr(source, option) is not None:
            check_column(source, f"{option}=", getattr(source, option), mapper)
    _check_sign_up(source)
    return FieldRegister(
        source=source,
        key_column=_key(source, mapper),
        addresses=_addresses(source, mapper),
        fields=tuple(own_fields(source, mapper)),
        related=tuple(related_rows(source, mapper, r) for r in source.fields if isinstance(r, Related)),
    )


def _check_sign_up(source: ContactSource) -> None:
    seen: set[str] = set()
    for question in source.sign_up:
        if not isinstance(question, SignUpField):
            raise wrong(source, f"sign_up= takes SignUpField(...), not {question!r}.")
        if not question.name.isidentifier() or question.name in seen:
            raise wrong(
                source,
                f"the question “{question.name}” of sign_up= needs a name of its own, "
                "made of letters, digits and underscores.",
            )
        if not question.label:
            raise wrong(source, f"the question “{question.name}” needs a label.")
        seen.add(question.name)


def _key(source: ContactSource, mapper: Mapper[Any]) -> Column:
    if source.key is not None:
        if not hasattr(source.model, str(getattr(source.key, "key", ""))):
            raise wrong(source, f"key= takes an attribute of {source.model.__name__}.")
        return source.key
    if len(mapper.primary_key) != 1:
        raise wrong(source, "the table has no single primary key; say which column with key=.")
    column: Column = mapper.get_property_by_column(mapper.primary_key[0]).class_attribute
    return column


def _addresses(source: ContactSource, mapper: Mapper[Any]) -> tuple[Address, ...]:
    if not source.addresses:
        raise wrong(source, "addresses= is empty; name at least one Email(...).")
    roles: set[str] = set()
    for address in source.addresses:
        if not isinstance(address, Address):
            raise wrong(source, f"addresses= takes Email, Phone or Fax, not {address!r}.")
        if address.role in roles:
            raise wrong(
                source,
                f'two addresses have the role “{address.role}”; give each its own, such as Email(..., role="second").',
            )
        roles.add(address.role)
    return tuple(_address(source, mapper, address) for address in source.addresses)


def _address(source: ContactSource, mapper: Mapper[Any], address: Address) -> Address:
    """The address of somebody else becomes an expression over the contact, so that nobody need know of the relation."""
    where = f"the address “{address.role}”"
    if address.via is None:
        check_column(source, where, address.column, mapper)
        return address
    relation = relation_named(source, mapper, address.via, to_many=False)
    target = mapper.relationships[relation].mapper
    check_column(source, where, address.column, target)
    name = column_name(address.column)
    if not hasattr(target.class_, name):
        raise wrong(source, f"{where} takes an attribute of {target.class_.__name__}.")
    party = aliased(target.class_)
    towards = getattr(source.model, relation).of_type(party)
    found = select(getattr(party, name)).where(towards.expression).correlate(source.model).limit(1)
    return replace(address, column=found.scalar_subquery())
