"""The language authors write: Liquid without files, bounded in time and memory."""

import re
from collections.abc import Iterator, Mapping
from io import StringIO
from time import thread_time
from typing import Any, TextIO

from liquid import BoundTemplate, Environment, Node, RenderContext, Token
from liquid.exceptions import (
    BlockNestingError,
    LiquidError,
    LiquidSyntaxError,
    LocalNamespaceLimitError,
    OutputStreamLimitError,
    ResourceLimitError,
)
from liquid.expression import Expression
from liquid.output import LimitedStringIO
from liquid.token import TOKEN_EOF

from massmail_plugin.composing.own_expressions import adapt
from massmail_plugin.composing.template_filters import HREF_FILTER, install
from massmail_plugin.errors import RenderError

CONSTRUCT = r"(?:\{\{(?:(?!\}\}).)*+\}\}|\{%(?:(?!%\}).)*+%\})"
"""One piece of Liquid, as the source of a regular expression; needs re.DOTALL."""

TAGS = (
    "content", "output", "illegal", "#", "assign", "break", "capture", "case", "comment", "continue", "cycle",
    "decrement", "echo", "for", "if", "ifchanged", "increment", "unless",
)  # fmt: skip
"""Tags of the language. No include and no render: a template can reach no other text."""

MAX_SOURCE = 1_000_000
MAX_CONSTRUCT = 5_000
MAX_BRACKETS = 20
MAX_LOOPS = 10_000
MAX_KEPT = 2_000_000

_OPENING = re.compile(r"\{\{|\{%")
_NOT_HERE = re.compile(r"\{%-?\s*(raw|doc|include|render|liquid|tablerow)\b")
_LONG_BLANK = re.compile(r"\s{200}")


class TooSlow(ResourceLimitError):
    """Rendering passed its deadline."""


class BoundedContext(RenderContext):
    """A render context that looks at the clock at every step a template can take."""

    __slots__ = ("deadline", "room")

    deadline: float
    room: int

    def get(self, *given: Any, **options: Any) -> object:
        self._on_time()
        return super().get(*given, **options)

    def filter(self, *given: Any, **options: Any) -> Any:
        self._on_time()
        return super().filter(*given, **options)

    def extend(self, *given: Any, **options: Any) -> Any:
        self._on_time()
        return super().extend(*given, **options)

    def assign(self, key: str, val: Any) -> None:
        self._on_time()
        super().assign(key, val)

    def get_buffer(self, buf: TextIO | None = None) -> StringIO:
        return LimitedStringIO(limit=min(self.room, MAX_KEPT))

    def _on_time(self) -> None:
        if thread_time() > self.deadline:
            raise TooSlow("It takes too long.", token=None)


class MailLanguage(Environment):
    """Liquid as authors may use it; `autoescape` for the HTML part, without for subject and text part."""

    loop_iteration_limit = MAX_LOOPS
    local_namespace_limit = MAX_KEPT

    def __init__(self, *, autoescape: bool) -> None:
        super().__init__(autoescape=autoescape)
        self.tags = {name: tag for name, tag in self.tags.items() if name in TAGS}
        install(self)

    def known_filters(self) -> set[str]:
        """Names of the filters authors may use."""
        return set(self.filters) - {HREF_FILTER}


HTML = MailLanguage(autoescape=True)
PLAIN = MailLanguage(autoescape=False)


def parse(language: MailLanguage, source: str) -> BoundTemplate:
    """Parse an author's text. Raises LiquidError, with a token where the place is known."""
    _refuse_unreadable(source)
    template = language.from_string(source)
    adapt(all_expressions(template))
    return template


def render(template: BoundTemplate, values: Mapping[str, Any], *, deadline: float, max_bytes: int) -> str:
    """Print a parsed template before `deadline`, in CPU time of this thread (`time.thread_time`).

    That the machine is busy with other things is no fault of a template.
    Raises LiquidError, also for time and size, and whatever else a filter trips over.
    """
    context = BoundedContext(template, globals=values)
    context.deadline = deadline
    context.room = max_bytes
    buffer = LimitedStringIO(limit=max_bytes)
    template.render_with_context(context, buffer)
    return buffer.getvalue()


def rendered(template: BoundTemplate, values: Mapping[str, Any], *, deadline: float, max_bytes: int) -> str:
    """As `render`, but every failure is a RenderError in words."""
    try:
        return render(template, values, deadline=deadline, max_bytes=max_bytes)
    except Exception as error:
        # Filters meet values nobody foresaw; whatever they raise concerns this one message only.
        raise RenderError(explained(error)) from error


def explained(error: Exception) -> str:
    """What went wrong, for the author."""
    for kind, words in _WORDS.items():
        if isinstance(error, kind):
            return words
    if isinstance(error, LiquidError) and error.message:
        text = str(error.message)
        return text[:1].upper() + text[1:].rstrip(".") + "."
    if isinstance(error, RecursionError):
        return "It is nested too deeply."
    return "A filter could not work with a value here."


_WORDS: dict[type[Exception], str] = {
    TooSlow: "The template takes too long: look for loops inside loops.",
    OutputStreamLimitError: "The text grows too large for a mail.",
    LocalNamespaceLimitError: "The values kept with assign or capture grow too large.",
    BlockNestingError: "Blocks are nested too deeply.",
}


def position(token: Token | None) -> int | None:
    """Where in the source an error or a name stands, or None where that is not known."""
    return None if token is None or token.start_index < 0 else token.start_index


def children(node: Node, template: BoundTemplate) -> Iterator[Node]:
    """The nodes inside `node`."""
    yield from node.children(RenderContext(template), include_partials=False)


def all_nodes(template: BoundTemplate) -> Iterator[Node]:
    """Every node of a template, in no order."""
    waiting = list(template.nodes)
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(children(node, template))


def all_expressions(template: BoundTemplate) -> Iterator[Expression]:
    """Every expression of a template, in no order."""
    for node in all_nodes(template):
        waiting = list(node.expressions())
        while waiting:
            expression = waiting.pop()
            yield expression
            waiting.extend(expression.children())


def _refuse_unreadable(source: str) -> None:
    """Refuse what the parser would take very long over, and tags it would read in spite of our list."""
    if len(source) > MAX_SOURCE:
        raise LiquidSyntaxError(f"The text has more than {MAX_SOURCE:,} characters.", token=None)
    if withdrawn := _NOT_HERE.search(source):
        words = f"The tag “{withdrawn[1]}” is not available."
        raise LiquidSyntaxError(words, token=_token(source, withdrawn.start()))
    at = 0
    while opening := _OPENING.search(source, at):
        at = _end_of_construct(source, opening.start(), "}}" if opening.group() == "{{" else "%}")


def _end_of_construct(source: str, start: int, closing: str) -> int:
    end = source.find(closing, start + 2)
    if end < 0:
        words = f"“{source[start : start + 2]}” is opened but never closed with “{closing}”."
        raise LiquidSyntaxError(words, token=_token(source, start))
    brackets = source.count("[", start, end)
    if end - start > MAX_CONSTRUCT or brackets > MAX_BRACKETS or _LONG_BLANK.search(source, start, end):
        raise LiquidSyntaxError(
            f"“{source[start : start + 20].strip()}…” is too long or too deep.", token=_token(source, start)
        )
    return end + 2


def _token(source: str, start: int) -> Token:
    return Token(TOKEN_EOF, source[start : start + 10], start, source)
