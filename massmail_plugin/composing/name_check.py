"""Finds the names in a parsed template that nothing stands behind. The checks enter; nothing is committed."""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import takewhile

from liquid import BoundTemplate, Node, Token
from liquid.builtin.expressions import FilteredExpression, LoopExpression, Path
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.echo_tag import EchoNode
from liquid.builtin.tags.for_tag import ForNode
from liquid.expression import Expression

from massmail_plugin.composing.known_names import ANYTHING, FORLOOP, VALUE, Name
from massmail_plugin.composing.template_language import PLAIN, all_expressions, all_nodes, children
from massmail_plugin.errors import nearest

Finding = tuple[Token | None, str]
Scope = Mapping[str, Name]

_SAME_ROWS = {"compact", "reject", "reverse", "sort", "sort_natural", "uniq", "where", "concat", "slice"}
_ONE_ROW = {"first", "last", "find"}


def findings(template: BoundTemplate, known: Mapping[str, Name]) -> list[Finding]:
    """Unknown names and filters, loops over what is no list, groups printed whole; each with its place."""
    return list(_Check(template, known).run())


class _Check:
    """One walk through one template, with the names that assign and capture make on the way."""

    def __init__(self, template: BoundTemplate, known: Mapping[str, Name]) -> None:
        self.template = template
        self.known = known
        self.filters = PLAIN.known_filters()
        counted = Counter(str(name) for node in all_nodes(template) for name in node.template_scope())
        self.once = {name for name, times in counted.items() if times == 1}
        self.made: dict[str, Name] = dict.fromkeys(counted, ANYTHING)

    def run(self) -> Iterator[Finding]:
        for node in self.template.nodes:
            yield from self._node(node, {})

    def _node(self, node: Node, block: Scope) -> Iterator[Finding]:
        yield from self._taken(node)
        for expression in node.expressions():
            yield from self._expression(expression, block)
        if isinstance(node, OutputNode | EchoNode):
            yield from self._printed(node, block)
        if isinstance(node, AssignNode) and str(node.name) in self.once:
            self.made[str(node.name)] = self._result(node.expression, block)
        if isinstance(node, ForNode):
            yield from self._looped(node.expression, block)
            block = {**block, **self._loop_names(node.expression, block)}
        for child in children(node, self.template):
            yield from self._node(child, block)

    def _taken(self, node: Node) -> Iterator[Finding]:
        names = [*node.template_scope(), *(node.block_scope() if isinstance(node, ForNode) else ())]
        for name in names:
            if str(name) in self.known or str(name).startswith("massmail_"):
                yield node.token, f"“{name}” is a name of the system; choose another one here."

    def _expression(self, expression: Expression, block: Scope) -> Iterator[Finding]:
        if isinstance(expression, Path):
            if self._found(expression, block) is None:
                yield expression.token, self._unknown(expression, block)
        elif isinstance(expression, FilteredExpression):
            for one in expression.filters or ():
                if one.name not in self.filters:
                    yield one.token, f"There is no filter “{one.name}”. {nearest(one.name, self.filters)}"
        for child in expression.children():
            yield from self._expression(child, block)

    def _unknown(self, path: Path, block: Scope) -> str:
        names = {**self.known, **self.made, **block}
        root = str(path.path[0])
        if root in names and len(path.path) > 1:
            names = {root: names[root]}
        paths = [found for name, what in names.items() for found, _ in what.leaves(name)]
        return f"“{path}” is not known. {nearest(str(path), paths)}".rstrip()

    def _printed(self, node: OutputNode | EchoNode, block: Scope) -> Iterator[Finding]:
        expression = next(iter(node.expressions()))
        left = getattr(expression, "left", None)
        if not isinstance(left, Path) or getattr(expression, "filters", None):
            return
        found = self._found(left, block)
        if found is not None and not found.printable:
            inner = next(iter((found.row or found).parts), "")
            way = f"loop over it: {{% for item in {left} %}}" if found.row else f"choose one, such as {left}.{inner}"
            yield left.token, f"“{left}” holds several values; {way}."

    def _looped(self, loop: LoopExpression, block: Scope) -> Iterator[Finding]:
        if isinstance(loop.iterable, Path):
            found = self._found(loop.iterable, block)
            if found is not None and found.row is None and not found.anything:
                yield loop.iterable.token, f"“{loop.iterable}” is not a list, so there is nothing to loop over."

    def _loop_names(self, loop: LoopExpression, block: Scope) -> Scope:
        row = VALUE
        if isinstance(loop.iterable, Path):
            rows = self._found(loop.iterable, block)
            row = rows.row if rows is not None and rows.row is not None else ANYTHING
        return {str(loop.identifier): row, "forloop": FORLOOP}

    def _result(self, expression: Expression, block: Scope) -> Name:
        """What an assigned name holds: the same names where only rows were chosen, else anything."""
        left = getattr(expression, "left", None)
        found = self._found(left, block) if isinstance(left, Path) else None
        for one in getattr(expression, "filters", None) or ():
            if found is not None and one.name in _ONE_ROW:
                found = found.row
            elif one.name not in _SAME_ROWS:
                return ANYTHING
        return found or ANYTHING

    def _found(self, path: Path, block: Scope) -> Name | None:
        root, *rest = path.path
        name = {**self.known, **self.made, **block}.get(str(root))
        for segment in rest:
            if name is None or name.anything:
                return name
            name = _below(name, segment)
        return name


def _below(name: Name, segment: object) -> Name | None:
    if segment == "size":
        return name.parts.get("size", VALUE)
    if name.row is not None:
        return name.row if isinstance(segment, int | Path) or segment in ("first", "last") else None
    if isinstance(segment, Path):
        return ANYTHING if name.parts else None
    return name.parts.get(str(segment))


def roots(template: BoundTemplate) -> set[str]:
    """The first parts of all names a template uses."""
    return {str(one.path[0]) for one in all_expressions(template) if isinstance(one, Path)}


def contact_paths(template: BoundTemplate) -> set[str]:
    """What a template asks of the contact, below `contact`; "" stands for all of it."""
    paths = [one for one in all_expressions(template) if isinstance(one, Path)]
    return {_asked(one) for one in paths if one.path[0] == "contact" or isinstance(one.path[0], Path)}


def _asked(path: Path) -> str:
    """The path as far as it is written out; the rest is known only at rendering, or a value's own such as `size`."""
    if path.path[0] != "contact":
        return ""
    return ".".join(str(segment) for segment in takewhile(lambda one: isinstance(one, str), path.path[1:]))
