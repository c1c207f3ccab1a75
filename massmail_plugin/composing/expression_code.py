"""Liquid's expressions as Python expressions that mean the same. The compiler of templates enters."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from liquid import BoundTemplate, Markup
from liquid.builtin.expressions import (
    Filter,
    FilteredExpression,
    KeywordArgument,
    LoopExpression,
    Path,
    PositionalArgument,
    StringLiteral,
)
from liquid.builtin.expressions.logical import (
    BooleanExpression,
    ContainsExpression,
    EqExpression,
    GeExpression,
    GtExpression,
    LeExpression,
    LogicalAndExpression,
    LogicalOrExpression,
    LtExpression,
    NeExpression,
)
from liquid.builtin.expressions.primitive import Blank, Empty, Literal, Nil, RangeLiteral
from liquid.exceptions import UnknownFilterError
from liquid.expression import Expression

from massmail_plugin.composing.compiled_steps import at, contains, eq, is_filled, item, le, lt, rows, truthy
from massmail_plugin.composing.generated_code import CannotCompile, GeneratedCode
from massmail_plugin.composing.own_expressions import BoundedEnd, Filled
from massmail_plugin.composing.template_language import BoundedContext

MAX_DEPTH = 40
_OWN_MEANING = ("size", "first", "last")
_COMPARED = {
    EqExpression: "eq({left}, {right})",
    NeExpression: "(not eq({left}, {right}))",
    LeExpression: "le({left}, {right})",
    GeExpression: "le({right}, {left})",
    LtExpression: "lt(None, {left}, {right})",
    GtExpression: "lt(None, {right}, {left})",
    ContainsExpression: "contains(None, {left}, {right})",
}


class Scope:
    """Which Python name stands for which name of the template, at the place being compiled."""

    def __init__(self, assigned: Mapping[str, str]) -> None:
        self.loops: list[dict[str, str]] = []
        self._assigned = assigned

    def variable(self, name: str) -> str | None:
        """The variable of a loop or of an assign; None for everything else."""
        found = (loop[name] for loop in reversed(self.loops) if name in loop)
        return next(found, None) or self._assigned.get(name)


@dataclass(frozen=True)
class Known:
    """What is known before any recipient: values the same for all, and addresses around a placeholder of the token."""

    fixed: Mapping[str, Any]
    addresses: Mapping[str, Any]
    placeholder: str

    def names(self) -> set[str]:
        return {"contact", *self.fixed, *self.addresses}


class ExpressionCode:
    """Expressions of one template as source, with the constants it names put into `code`."""

    def __init__(self, code: GeneratedCode, template: BoundTemplate, scope: Scope, known: Known) -> None:
        self.addresses: dict[str, str] = {}
        """Variables for addresses that are more than printed."""
        self._code = code
        self._template = template
        self._scope = scope
        self._known = known
        self._context = BoundedContext(template, globals={**known.fixed, **known.addresses})
        self._context.deadline = float("inf")
        self._depth = 0
        code.known |= {"at": at, "contains": contains, "eq": eq, "filled": is_filled, "item": item(self._context)}
        code.known |= {"le": le, "lt": lt, "truthy": truthy}

    def value(self, expression: Expression) -> str:
        """Source whose value is what the expression evaluates to. Raises CannotCompile."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise CannotCompile("a value or condition in it is very long")
        made = self._value(expression)
        self._depth -= 1
        return made

    def truth(self, expression: Expression) -> str:
        """Source that is true where the expression counts as true."""
        if isinstance(expression, BooleanExpression):
            return self.truth(expression.expression)
        if isinstance(expression, Filled):
            return f"filled({self.value(expression.path)})"
        if isinstance(expression, LogicalAndExpression | LogicalOrExpression) or type(expression) in _COMPARED:
            return self.value(expression)
        return f"truthy({self.value(expression)})"

    def known(self, expression: Expression, *, printed: bool = False) -> tuple[bool, Any]:
        """Whether the value is the same for all, and the value; addresses count as known where they are `printed`."""
        names = {*self._known.fixed, *(self._known.addresses if printed else ())}
        if not all(isinstance(root, str) and root in names for root in roots_of(expression)):
            return False, None
        try:
            return True, expression.evaluate(self._context)
        except Exception:
            # It will fail for each mail, which then has the words.
            return False, None

    def loop(self, loop: LoopExpression) -> str:
        """Source of the list a loop goes over."""
        if isinstance(loop.offset, StringLiteral) and loop.offset.value == "continue":
            raise CannotCompile("a loop goes on where another one stopped")
        chosen = self._code.constant(rows(loop, self._context))
        options = [self.value(option) if option else "None" for option in (loop.limit, loop.offset)]
        return f"{chosen}({self.value(loop.iterable)}, {', '.join(options)})"

    def _value(self, expression: Expression) -> str:
        match expression:
            case Path():
                return self._path(expression)
            case Literal() | Nil() | Empty() | Blank():
                return self._code.constant(expression.evaluate(self._context))
            case FilteredExpression():
                return self._filtered(expression)
            case RangeLiteral(start=start, stop=BoundedEnd(end=end) as stop):
                first, last = self.value(start), self.value(end)
                made, checked = self._code.constant(expression._make_range), self._code.constant(stop.checked)
                return f"{made}({first}, {checked}({first}, {last}))"
            case BooleanExpression():
                return self.truth(expression)
            case LogicalAndExpression(left=left, right=right):
                return f"({self.truth(left)} and {self.truth(right)})"
            case LogicalOrExpression(left=left, right=right):
                return f"({self.truth(left)} or {self.truth(right)})"
        return self._compared(expression)

    def _compared(self, expression: Any) -> str:
        form = _COMPARED.get(type(expression))
        if form is None:
            raise CannotCompile(f"“{expression}” is of a rare kind")
        return form.format(left=self.value(expression.left), right=self.value(expression.right))

    def _filtered(self, expression: FilteredExpression) -> str:
        source = self.value(expression.left)
        if len(expression.filters or ()) > MAX_DEPTH:
            raise CannotCompile("a value goes through very many filters")
        for one in expression.filters or ():
            source = f"{self._filter(one)}({', '.join([source, *map(self._argument, one.args)])})"
        return source

    def _filter(self, one: Filter) -> str:
        try:
            return self._code.constant(self._context.filter(one.name, one.token))
        except UnknownFilterError as error:
            raise CannotCompile(f"there is no filter “{one.name}”") from error

    def _argument(self, argument: KeywordArgument | PositionalArgument) -> str:
        value = self.value(argument.value)
        name = argument.name if isinstance(argument, KeywordArgument) else None
        return value if name is None else f"**{{{self._code.constant(name)}: {value}}}"

    def _path(self, path: Path) -> str:
        root, *segments = path.path
        if not isinstance(root, str):
            raise CannotCompile("it works out a name while the mail is made")
        known, value = self.known(path)
        if known:
            return self._code.constant(value)
        missing = self._code.constant(self._template.env.undefined(root, token=path.token))
        source = self._root(root, missing)
        for segment in segments:
            source = self._step(source, segment, missing)
        return source

    def _step(self, source: str, segment: str | int | Path, missing: str) -> str:
        if isinstance(segment, Path):
            return f"item({source}, {self.value(segment)}, {missing})"
        key = self._code.constant(segment)
        if isinstance(segment, int) or segment in _OWN_MEANING:
            return f"item({source}, {key}, {missing})"
        return f"get({key}, {missing})" if source == "contact" else f"at({source}, {key}, {missing})"

    def _root(self, root: str, missing: str) -> str:
        variable = self._scope.variable(root)
        if variable is not None:
            return variable
        if root in self._known.fixed:
            return self._code.constant(self._known.fixed[root])
        if root in self._known.addresses:
            return self._address(root)
        if root in ("now", "today"):
            raise CannotCompile("it asks for the time of the machine")
        return "contact" if root == "contact" else missing

    def _address(self, name: str) -> str:
        if not isinstance(self._known.addresses[name], str) or isinstance(self._known.addresses[name], Markup):
            raise CannotCompile("it uses a name of the system")
        return self.addresses.setdefault(name, self._code.variable())


def roots_of(expression: Expression) -> Iterator[object]:
    """The first parts of all paths in an expression."""
    if isinstance(expression, Path):
        yield expression.path[0]
    for child in expression.children():
        yield from roots_of(child)
