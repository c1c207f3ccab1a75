"""The filters authors may use in templates, each bounded so that no value can grow beyond measure."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache, wraps
from typing import Any

from liquid import Environment, Markup, RenderContext
from liquid.builtin.filters.array import join
from liquid.builtin.filters.misc import date as written_date
from liquid.builtin.filters.string import replace
from liquid.exceptions import FilterError
from liquid.filter import string_filter, with_context, with_environment

Filter = Callable[..., Any]

MAX_TEXT = 500_000
"""Longest text, in characters, that a filter takes or gives."""
MAX_ITEMS = 2_000
"""Most items of a list that a filter takes or gives."""
MAX_NUMBER = 10**30

WITHDRAWN = (
    "safe",
    "escapejs",
    "base64_decode",
    "base64_encode",
    "base64_url_safe_decode",
    "base64_url_safe_encode",
)
"""Built-in filters with no use in mail; `safe` would let a contact's values through unescaped."""

OF_NUMBERS = (
    "abs", "at_least", "at_most", "ceil", "divided_by", "floor", "minus", "modulo", "plus", "round", "times",
)  # fmt: skip
"""Filters that reckon."""

HREF_FILTER = "massmail_href"
"""Put into prepared templates where a link begins with a value; not for authors."""

_TAG = re.compile(r"<[^<>]*>")
_SAFE_SCHEMES = ("http:", "https:", "mailto:", "tel:", "sms:")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_BLANKS = re.compile(r"[\x00-\x20\x7f-\xa0]+")


_SMALL = frozenset([bool, date, datetime, Decimal, float, type(None)])


class TooLarge(FilterError):
    """A filter would make, or was given, more than a mail can hold."""


def install(environment: Environment) -> None:
    """Replace the filters of `environment` by bounded ones."""
    own = {"date": _date, "join": _join, "replace": _replace, "strip_html": _strip_html, HREF_FILTER: _href}
    for name in WITHDRAWN:
        environment.filters.pop(name)
    environment.filters.update(own)
    for name in OF_NUMBERS:
        environment.filters[name] = _with_numbers(environment.filters[name])
    for name, function in environment.filters.items():
        environment.filters[name] = _bounded(function)


def _with_numbers(function: Filter) -> Filter:
    """A column of money comes as Decimal, which Liquid's filters of numbers would take for 0."""

    @wraps(function)
    def run(*given: Any, **options: Any) -> Any:
        return function(*(str(value) if isinstance(value, Decimal) else value for value in given), **options)

    return run


def _bounded(function: Filter) -> Filter:
    @wraps(function)
    def run(*given: Any, **options: Any) -> Any:
        for value in given:
            if value.__class__ not in _SMALL:
                _refuse_large(value)
        result = function(*given, **options)
        if result.__class__ not in _SMALL:
            _refuse_large(result)
        return result

    return run


def _refuse_large(value: Any) -> None:
    # Asked for every value of every filter, and nearly all are short texts.
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            _refuse_beyond(len(value))
    elif isinstance(value, (list, tuple, range)):
        if len(value) > MAX_ITEMS:
            raise TooLarge(f"A list of more than {MAX_ITEMS:,} items is too long for a filter.", token=None)
        if not isinstance(value, range):
            _refuse_beyond(_weight(value))
    elif isinstance(value, int) and abs(value) > MAX_NUMBER:
        raise TooLarge("A number grows too large.", token=None)


def _weight(value: Any) -> int:
    """Roughly how many characters `value` prints as."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return sum(map(_weight, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(_weight, value))
    return 8


def _refuse_beyond(length: int) -> None:
    if length > MAX_TEXT:
        raise TooLarge(f"A text grows beyond {MAX_TEXT:,} characters.", token=None)


@with_environment
def _join(items: Any, separator: Any = " ", *, environment: Environment) -> Any:
    if isinstance(items, list | tuple | range):
        _refuse_beyond(len(items) * len(str(separator)))
    return join(items, separator, environment=environment)


@string_filter
def _replace(value: str, old: Any, new: Any = "") -> Any:
    _refuse_beyond(len(value) + value.count(str(old)) * len(str(new)))
    return replace(value, old, new)


@string_filter
def _strip_html(value: str) -> str:
    stripped = _TAG.sub("", value)
    return Markup(stripped) if isinstance(value, Markup) else stripped


@with_context
def _date(value: Any, form: Any = "%d.%m.%Y", *, context: RenderContext) -> Any:
    """As in Liquid, but "now" and "today" mean the day of the mail, not the clock of the machine."""
    if value in ("now", "today"):
        value = context.resolve("today")
    if len(str(form)) > 100:
        raise FilterError("A date format may have 100 characters at the most.", token=None)
    if isinstance(value, str) and len(value) > 40:
        return value
    if value.__class__ is date and isinstance(form, str):
        written = _written_day(value, form, context.env)
        return Markup(written) if context.env.autoescape and isinstance(form, Markup) else written
    return written_date(value, form, environment=context.env)


@lru_cache(maxsize=4096)
def _written_day(value: date, form: str, environment: Environment) -> str:
    """Plain text: the same days are written in many mails."""
    return str(written_date(value, str(form), environment=environment))


def _href(value: Any) -> str:
    """The address if it is one a mail may lead to, else "#": a contact's value must not become a script."""
    address = str(value).strip()
    scheme = _SCHEME.match(_BLANKS.sub("", address))
    if scheme and not scheme.group().lower().startswith(_SAFE_SCHEMES):
        return Markup("#")
    return Markup(address) if isinstance(value, Markup) else address
