"""What a host declares of its contacts: where they are, what may be asked and printed of them. Nothing is read here."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.elements import ColumnElement

from massmail_plugin.sign_up_field import SignUpField
from massmail_plugin.vocabulary import Channel, FieldKind

Column = InstrumentedAttribute[Any] | ColumnElement[Any] | Any
"""A mapped attribute, a hybrid, or an SQL expression over the contact's class."""


@dataclass(frozen=True, eq=False)
class Address:
    """Where a contact can be reached: a text column of the contact's class, under a role name.

    `via` is the to-one relation of the contact that leads to the column's class, where the address is that of somebody
    else: `Email(Company.email, role="employer", via=Contact.company)`.
    """

    column: Column
    role: str = "main"
    label: str | None = None
    channel: Channel = Channel.EMAIL
    via: Any = None


class Email(Address):
    """An e-mail address of the contact."""


@dataclass(frozen=True, eq=False)
class Phone(Address):
    """A number that takes text messages."""

    role: str = "mobile"
    channel: Channel = Channel.SMS


@dataclass(frozen=True, eq=False)
class Fax(Address):
    """A number that takes faxes."""

    role: str = "fax"
    channel: Channel = Channel.FAX


@dataclass(frozen=True, eq=False)
class Field:
    """A column that templates may print and criteria may ask for.

    `via` is the to-one relation of the contact that leads to the column's class; the template then says
    `contact.<relation>.<name>`. `choices` offers values in the criteria screen (a sequence, or a function without
    arguments; an Enum column brings its own). `sensitive` keeps the field out of templates. `kind` says what the field
    holds where its SQL type does not; `example` is a value as people know it. `changed` is a column beside it with the
    time of the field's last change: criteria may then ask for that.
    """

    column: Column
    label: str | None = None
    name: str | None = None
    via: Any = None
    choices: Sequence[str] | Callable[[], Iterable[str]] | None = None
    sensitive: bool = False
    kind: FieldKind | None = None
    example: Any = None
    changed: Column | None = None


@dataclass(frozen=True, eq=False)
class Related:
    """Rows that belong to a contact (orders, action items): loops in templates, "has a row where" in criteria.

    `fields` are columns of the model, or Field(...) where a label or choices are wanted. `latest` is the column by
    which the latest row of a contact is told: the greatest value, of equal ones the greatest primary key.
    """

    model: type[Any]
    via: Any
    fields: Sequence[Column | Field]
    name: str | None = None
    label: str | None = None
    latest: Column | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class _SourceOptions:
    addresses: Sequence[Address]
    name: Column | None = None
    locale: Column | None = None
    time_zone: Column | None = None
    active: Column | None = None
    status: Column | None = None
    tracking: Column | None = None
    fields: Sequence[Field | Related] = ()
    key: Column | None = None
    source: str | None = None
    label: str | None = None
    url: Callable[[str], str] | None = None
    limit: Callable[[Any], ColumnElement[bool] | bool | None] | None = None
    sign_up: Sequence[SignUpField] = ()


@dataclass(frozen=True, eq=False)
class ContactSource(_SourceOptions):
    """One mapped class of the host whose rows are contacts. Nothing is copied from it.

    `key` defaults to the class's single primary key column; as text it is our `contact_key`. `source` names the
    source in our tables (default: the table's name) and must never change. `tracking` says whether opens and clicks of
    a contact may be seen: where it is true, and nowhere else, the mail holds a pixel and counted links; without the
    option it holds them for everybody. `url(key)` gives the address of the
    contact's page in the host, for links. `limit(user)` gives an SQL clause over the class: which contacts a user sees
    and finds in our screens (True or None: all, False: none); who gets a mailing does not depend on it.
    `sign_up` are further questions of the public sign-up forms; whoever signs up and is no contact yet becomes one of
    the first source that has some, else of the first source.
    """

    model: type[Any]

    @property
    def source_name(self) -> str:
        return self.source or str(self.model.__table__.name)
