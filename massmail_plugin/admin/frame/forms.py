"""The form base of the admin screens and the checks they share. Views enter; nothing is committed here.

Tokens against forged posts are the frame's matter (`guard.own_post`), so forms carry none.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from flask import request
from wtforms import Field, Form, SelectField, StringField, ValidationError
from wtforms.validators import DataRequired, Length, Optional

from massmail_plugin.consent import addresses

F = TypeVar("F", bound="ScreenForm")

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def written(value: str | None) -> str:
    """A text as it was written; nothing posted is an empty one."""
    return value or ""


def strip(value: str | None) -> str:
    """What people leave around a value does not count."""
    return (value or "").strip()


class ScreenForm(Form):
    """A form of ours: `name = text("Name", required="Give it a name.")` and so on."""

    class Meta:
        csrf = False
        locales = ("en",)

    def refuse(self, field: str, message: str) -> None:
        """Put a message at a field after the form has been checked."""
        self[field].errors = [*self[field].errors, message]

    @property
    def wrong(self) -> list[tuple[str, str, str]]:
        """(id of the field, its label, message) for the summary on top."""
        return [(f.id, f.label.text, m) for f in self for m in _flat(f.errors)]


def _flat(errors: Iterable[Any]) -> list[str]:
    return [str(m) for e in errors for m in ([e] if isinstance(e, str) else _flat(e))]


def filled(form: type[F], row: Any = None, **defaults: Any) -> F:
    """`form` with what was posted and nothing else; before that with the values of `row` and `defaults`."""
    if request.method == "POST":
        return form(request.form)
    return form(obj=row, data=defaults or None)


def text(label: str, *, required: str = "", longest: int = 200, help: str = "", **more: Any) -> Any:
    """A one-line text; `required` is the message for an empty one."""
    return StringField(label, _checks(required, longest), filters=[strip], description=help, **more)


def address(label: str, *, required: str = "", help: str = "") -> Any:
    """One e-mail address, checked by the rules of consent."""
    return StringField(label, [*_checks(required, 254), usable_address], filters=[strip], description=help)


def choice(label: str, choices: Sequence[tuple[str, str]] | None = None, *, help: str = "", **more: Any) -> Any:
    """A choice of one; `choices` are (value, label) and may be set later on the form."""
    return SelectField(label, choices=choices, description=help, **more)


def _checks(required: str, longest: int) -> list[Callable[..., Any]]:
    first = DataRequired(required) if required else Optional()
    return [first, Length(max=longest, message=f"At most {longest} characters fit here."), one_line]


def one_line(form: Any, field: Field) -> None:
    """A validator: what may come to stand in a mail's header cannot hold a line break or its kind."""
    if isinstance(field.data, str) and _CONTROL.search(field.data):
        raise ValidationError("This holds a line break or another control character. Write it anew.")


def usable_address(form: Any, field: Field) -> None:
    """A validator: the value must be one plain e-mail address."""
    if field.data and (fault := addresses.fault(field.data)):
        raise ValidationError(fault)


def number_or_none(value: Any) -> int | None:
    """Coerces the value of a choice of rows: "" means none. Raises ValueError for what is no number of a row."""
    return int(value) if value not in (None, "", "None") else None
