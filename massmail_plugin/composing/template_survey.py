"""What has to be known of a template before it is compiled. The compiler enters."""

from liquid import BoundTemplate, Node
from liquid.builtin.expressions.primitive import Literal
from liquid.builtin.tags.for_tag import ForNode
from liquid.expression import Expression

from massmail_plugin.composing.compiled_steps import eq
from massmail_plugin.composing.expression_code import Known, roots_of
from massmail_plugin.composing.generated_code import CannotCompile
from massmail_plugin.composing.template_language import all_nodes, children

MAX_NODES = 5_000


def assigned_names(template: BoundTemplate, known: Known) -> list[str]:
    """Names that assign and capture make. Raises CannotCompile where one takes the place of a name of the system."""
    nodes = list(all_nodes(template))
    if len(nodes) > MAX_NODES:
        raise CannotCompile("it is very long")
    assigned = {str(name): None for node in nodes for name in node.template_scope()}
    looped = [str(node.expression.identifier) for node in nodes if isinstance(node, ForNode)]
    taken = {*assigned, *looped} & {*known.names(), "now", "today", "forloop"}
    if taken:
        raise CannotCompile(f"it gives the name “{min(taken)}” another meaning")
    return list(assigned)


def distinct(expressions: list[Expression]) -> bool:
    """Whether at most one of them can equal any value."""
    if len(expressions) == 1:
        return True
    values = [one.value for one in expressions if isinstance(one, Literal)]
    alike = any(eq(one, other) for number, one in enumerate(values) for other in values[:number])
    return len(values) == len(expressions) and not alike


def uses_numbers(node: Node, template: BoundTemplate) -> bool:
    """Whether `forloop` stands anywhere in a loop, or in one inside it."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if any("forloop" in roots_of(expression) for expression in one.expressions()):
            return True
        waiting.extend(children(one, template))
    return False
