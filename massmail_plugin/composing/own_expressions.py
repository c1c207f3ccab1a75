"""Two expressions of our own that take the place of Liquid's in a parsed template: bounded ranges, and "is filled"."""

from collections.abc import Iterable

from liquid import RenderContext
from liquid.builtin.expressions import BooleanExpression, Path
from liquid.builtin.expressions.logical import LogicalAndExpression, LogicalOrExpression
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.exceptions import LoopIterationLimitError
from liquid.expression import Expression

MAX_RANGE = 1_000


def adapt(expressions: Iterable[Expression]) -> None:
    """Put our own expressions into the places where authors need them; run once on a freshly parsed template."""
    for one in list(expressions):
        if isinstance(one, RangeLiteral):
            one.stop = BoundedEnd(one.start, one.stop)
        elif isinstance(one, BooleanExpression):
            one.expression = _filled(one.expression)
        elif isinstance(one, LogicalAndExpression | LogicalOrExpression):
            one.left, one.right = _filled(one.left), _filled(one.right)


def _filled(expression: Expression) -> Expression:
    return Filled(expression) if isinstance(expression, Path) else expression


class BoundedEnd(Expression):
    """The end of a range such as `(1..5)`, refused where the range is too long to be meant."""

    __slots__ = ("end", "start")

    def __init__(self, start: Expression, end: Expression) -> None:
        super().__init__(end.token)
        self.start = start
        self.end = end

    def evaluate(self, context: RenderContext) -> object:
        return self.checked(self.start.evaluate(context), self.end.evaluate(context))

    def checked(self, start: object, end: object) -> int:
        """The end as a number. Raises LoopIterationLimitError where it is too far from the start."""
        first, last = _number(start), _number(end)
        if last - first > MAX_RANGE:
            raise LoopIterationLimitError(f"A range may hold {MAX_RANGE:,} numbers at the most.", token=self.token)
        return last

    def children(self) -> list[Expression]:
        return [self.end]


class Filled(Expression):
    """A name as a condition: `{% if contact.city %}` is false for an empty text or list, as authors expect."""

    __slots__ = ("path",)

    def __init__(self, path: Path) -> None:
        super().__init__(path.token)
        self.path = path

    def evaluate(self, context: RenderContext) -> object:
        return filled(self.path.evaluate(context))

    def children(self) -> list[Expression]:
        return [self.path]


def filled(value: object) -> object:
    """`value`, or None where it is an empty text or list."""
    empty = not value.strip() if isinstance(value, str) else isinstance(value, list | dict | tuple) and not value
    return None if empty else value


def _number(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        return 0
