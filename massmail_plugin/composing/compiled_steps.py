"""What compiled templates call: Liquid's own ways of looking up, comparing and printing. Nothing is committed."""

import re
import sys
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from liquid import Markup
from liquid.builtin.expressions import LoopExpression
from liquid.builtin.expressions.logical import _contains, _eq, _le, _lt, is_truthy
from liquid.stringify import to_liquid_string

from massmail_plugin.composing.mail_text import UNFIT, fit, unfit, with_line_feeds
from massmail_plugin.composing.own_expressions import filled
from massmail_plugin.composing.template_language import MAX_KEPT, BoundedContext

contains, eq, le, lt, truthy = _contains, _eq, _le, _lt, is_truthy
"""How Liquid compares, and what counts as true."""


class Doubt(Exception):
    """A bound may have been passed; the ordinary path decides, and finds the words."""


def is_filled(value: object) -> bool:
    """A name as a condition."""
    return is_truthy(filled(value))


def at(value: Any, key: str, missing: object) -> object:
    """One step of a path."""
    try:
        return value[key]
    except (KeyError, TypeError, IndexError):
        return missing


def item(context: BoundedContext) -> Callable[[Any, Any, object], object]:
    """As `at`, for keys with a meaning of their own (size, first, last), numbers, and keys that are values."""

    def step(value: Any, key: Any, missing: object) -> object:
        try:
            return context.get_item(value, key)
        except (KeyError, TypeError, IndexError):
            return missing

    return step


def rows(loop: LoopExpression, context: BoundedContext) -> Callable[[object, object, object], list[Any]]:
    """What a loop goes over, given the value of its list, limit and offset."""
    whole = not (loop.limit or loop.offset or loop.reversed)

    def chosen(value: object, limit: object, offset: object) -> list[Any]:
        if whole and isinstance(value, list):
            return value
        found, length = loop._to_iter(value, context)
        most = loop._to_int(limit, token=loop.token) if loop.limit else None
        skipped = loop._to_int(offset, token=loop.token) if loop.offset else None
        return list(loop._slice(found, length, _NoStops(), limit=most, offset=skipped)[0])  # type: ignore[arg-type]

    return chosen


class _NoStops:
    def stopindex(self, key: str, index: int) -> None:
        """Where a loop stopped matters to `offset: continue` alone, which is never compiled."""


def kept(*values: object) -> int:
    """How large the values kept with assign and capture are, as `RenderContext.get_size_of_locals` counts."""
    return sum(sys.getsizeof(value, 1) for value in values)


def captured(autoescape: bool) -> Callable[[list[str], int], str]:
    """What capture keeps of the texts printed into it."""

    def joined(pieces: list[str], room: int) -> str:
        text = "".join(pieces)
        if len(text) * 4 > min(room, MAX_KEPT):
            raise Doubt
        return Markup(text) if autoescape else text

    return joined


def shown_inside(autoescape: bool) -> Callable[[Any], str]:
    """How a value is printed into a captured one."""

    def show(value: Any) -> str:
        text = to_liquid_string(value, autoescape)
        if not text.isprintable():
            text.encode()  # surrogates are refused, as by the ordinary path
            return with_line_feeds(text)
        return text

    return show


def shown(autoescape: bool) -> Callable[[Any], str]:
    """How a value is printed into the mail."""

    own: Callable[[str], str] = _escaped if autoescape else str

    def show(value: Any) -> str:
        kind = value.__class__
        if kind in _NUMBERS:
            return str(value)
        text = own(value) if kind is str else to_liquid_string(value, autoescape)
        if unfit(text):
            text.encode()  # surrogates are refused, as by the ordinary path
            return fit(with_line_feeds(text))
        return text

    return show


_NUMBERS = frozenset([int, float, Decimal, date])
"""What prints without anything to escape."""

odd = re.compile(f"[&<>\"'{UNFIT}]").search
"""Whether a text is printed into HTML other than just as it is."""


def _escaped(text: str) -> str:
    """As `markupsafe.escape`, which takes three times as long over it."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&#34;").replace("'", "&#39;")
