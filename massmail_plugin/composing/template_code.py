"""Compiles a parsed template into one Python function that prints the same. Mail forms enter, once per mailing."""

from collections.abc import Callable, Mapping
from functools import partial
from time import thread_time
from typing import Any

from liquid import BoundTemplate, Node
from liquid.ast import BlockNode
from liquid.builtin.content import ContentNode
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.capture_tag import CaptureNode
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.comment_tag import CommentNode
from liquid.builtin.tags.for_tag import BreakNode, ContinueNode, ForLoop, ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.expression import Expression
from liquid.stringify import to_liquid_string

from massmail_plugin.composing.compiled_steps import Doubt, captured, kept, odd, shown, shown_inside
from massmail_plugin.composing.expression_code import ExpressionCode, Known, Scope
from massmail_plugin.composing.generated_code import CannotCompile, GeneratedCode
from massmail_plugin.composing.mail_text import fit, with_line_feeds
from massmail_plugin.composing.sheet import LineEncoder, Sheet
from massmail_plugin.composing.template_language import MAX_KEPT, MAX_LOOPS, TooSlow
from massmail_plugin.composing.template_survey import assigned_names, distinct, uses_numbers

CompiledText = Callable[[Mapping[str, Any], str, bytes, float, int], str]
"""Called with contact, token (twice: as text and as bytes), deadline (of `time.thread_time`) and most characters."""
CompiledLines = Callable[[Mapping[str, Any], str, bytes, float, int], list[bytes]]
"""As CompiledText; gives encoded lines, or pieces of them."""


def compiled_text(template: BoundTemplate, known: Known) -> CompiledText:
    """A function that gives what the template prints, without what mail cannot carry. Raises CannotCompile.

    The function raises TooSlow, Doubt, and whatever a filter trips over; then the ordinary path must be asked.
    """
    made: CompiledText = _TemplateCode(template, known, None).function()
    return made


def compiled_lines(template: BoundTemplate, known: Known, encoder: LineEncoder) -> CompiledLines:
    """As `compiled_text`, encoded line by line; the last line gets a line end if it has none."""
    made: CompiledLines = _TemplateCode(template, known, encoder).function()
    return made


class _TemplateCode:
    """One walk through one template."""

    def __init__(self, template: BoundTemplate, known: Known, encoder: LineEncoder | None) -> None:
        self._template = template
        self._known = known
        self._encoder = encoder
        self._autoescape = template.env.autoescape
        self._code = GeneratedCode(**_steps(self._autoescape), encode=encoder and encoder.encode)
        self._assigned = {name: self._code.variable() for name in assigned_names(template, known)}
        self._scope = Scope(self._assigned)
        self._expressions = ExpressionCode(self._code, template, self._scope, known)
        self._sheet = Sheet(self._code, "text", known.placeholder, encoder)
        self._inside = False
        self._silent = False
        self._products: list[str] = []

    def function(self) -> Any:
        for node in self._template.nodes:
            self._node(node)
        if self._encoder is None:
            self._sheet.settle()
            self._code.add('return "".join(text)')
        else:
            self._sheet.finish()
            self._code.add("return out")
        return self._code.function("\n ".join(self._head()))

    def _head(self) -> list[str]:
        head = ["def write(contact, token, token_bytes, deadline, room):"]
        head += ["get = contact.get", "text, out, size = [], [], 0"]
        for name, variable in self._assigned.items():
            head.append(f"{variable} = {self._code.constant(self._template.env.undefined(name, token=None))}")
        placeholder = self._code.constant(self._known.placeholder)
        for name, variable in self._expressions.addresses.items():
            address = self._code.constant(self._known.addresses[name])
            head.append(f"{variable} = {address}.replace({placeholder}, token)")
        return head

    def _node(self, node: Node) -> None:
        match node:
            case ContentNode():
                self._print(node.text)
            case OutputNode():
                self._output(node.expression)
            case AssignNode():
                self._assign(node)
            case CaptureNode():
                self._capture(node)
            case IfNode():
                self._choice(node, self._test(node.condition))
            case UnlessNode():
                self._choice(node, _opposite(self._test(node.condition)))
            case CaseNode():
                self._case(node)
            case ForNode():
                self._for(node)
            case BreakNode() | ContinueNode():
                self._interrupt("break" if isinstance(node, BreakNode) else "continue")
            case CommentNode():
                pass
            case _:
                raise CannotCompile(f"the tag “{node.token.value}” counts while the mail is made")

    def _print(self, text: str) -> None:
        if not self._silent:
            text = with_line_feeds(text)
            self._sheet.print_text(text if self._inside else fit(text))

    def _output(self, expression: Any) -> None:
        known, value = self._expressions.known(expression, printed=not expression.filters)
        if known:
            self._print(to_liquid_string(value, self._autoescape))
            return
        name = self._code.variable()
        self._code.add(f"{name} = {self._expressions.value(expression)}")
        if self._inside:
            self._code.add(f"{name} = shown_inside({name})")
        else:
            odd = f"odd({name})" if self._autoescape else f"not {name}.isprintable()"
            self._code.add(f"if {name}.__class__ is not str or {odd}: {name} = shown({name})")
        self._sheet.print_variable(name)
        self._look(expression)

    def _look(self, expression: Any) -> None:
        """Filters may take long; so may loops, which look for themselves."""
        if expression.filters:
            self._code.add("if clock() > deadline: raise late()")

    def _assign(self, node: AssignNode) -> None:
        self._code.add(f"{self._assigned[node.name]} = {self._expressions.value(node.expression)}")
        self._look(node.expression)
        self._weigh()

    def _weigh(self) -> None:
        self._code.add(f"if kept({', '.join(self._assigned.values())}) > {MAX_KEPT}: raise Doubt")

    def _capture(self, node: CaptureNode) -> None:
        if self._scope.loops:
            self._sheet.settle()
        outer = self._sheet, self._inside, self._silent
        target = self._code.variable()
        self._code.add(f"{target} = []")
        self._sheet = Sheet(self._code, target, self._known.placeholder, loops=len(self._scope.loops))
        self._inside, self._silent = True, False
        self._block(node.block)
        self._sheet.settle()
        self._sheet, self._inside, self._silent = outer
        self._code.add(f"{self._assigned[node.name]} = captured({target}, room)")
        self._weigh()

    def _block(self, block: BlockNode) -> None:
        silent = self._silent
        self._silent = silent or block.blank
        for node in block.nodes:
            self._node(node)
        self._silent = silent

    def _test(self, condition: Expression) -> str | bool:
        known, value = self._expressions.known(condition)
        return bool(value) if known else self._expressions.truth(condition)

    def _choice(self, node: IfNode | UnlessNode, test: str | bool) -> None:
        branches = [(test, node.consequence)]
        branches += [(self._test(one.expression), one.block) for one in node.alternatives]
        branches += [(True, node.default)] if node.default else []
        branches = [(test, block) for test, block in branches if test is not False]
        until = next((number for number, (test, _) in enumerate(branches) if test is True), len(branches))
        self._branches(branches[: until + 1])

    def _branches(self, branches: list[tuple[str | bool, BlockNode]]) -> None:
        if branches and branches[0][0] is True:
            self._block(branches[0][1])
            return
        self._sheet.settle()
        before = self._sheet.loose
        ends = [before] if all(test is not True for test, _ in branches) else []
        word = "if"
        for test, block in branches:
            with self._code.block("else:" if test is True else f"{word} {test}:"):
                self._sheet.loose = before
                self._block(block)
                self._sheet.settle()
            ends.append(self._sheet.loose)
            word = "elif"
        self._sheet.loose = any(ends)

    def _case(self, node: CaseNode) -> None:
        """Each `when` that fits prints its block; `else` prints where none before it did."""
        found = self._code.variable()
        self._code.add(f"{found} = False")
        for block in node.blocks:
            if isinstance(block, MultiExpressionBlockNode):
                self._when(block, found)
            else:
                self._branches([(f"not {found}", block)])

    def _when(self, when: MultiExpressionBlockNode, found: str) -> None:
        expression: Any = when.expression
        if not distinct(expression.expressions):
            raise CannotCompile("a “when” has several values that may be the same")
        left = self._expressions.value(expression.left)
        fits = [f"eq({left}, {self._expressions.value(one)})" for one in expression.expressions]
        self._code.add(f"{found}_now = {' or '.join(fits)}")
        self._code.add(f"{found} = {found} or {found}_now")
        self._branches([(f"{found}_now", when.block)])

    def _for(self, node: ForNode) -> None:
        self._sheet.settle()
        rows = self._code.variable()
        self._code.add(f"{rows} = {self._expressions.loop(node.expression)}")
        before = self._sheet.loose
        with self._code.block(f"if {rows}:"):
            self._loop(node, rows)
        if node.default:
            with self._code.block("else:"):
                self._sheet.loose = before
                self._block(node.default)
                self._sheet.settle()
        self._sheet.loose = True

    def _loop(self, node: ForNode, rows: str) -> None:
        product, row = self._code.variable(), self._code.variable()
        self._code.add(f"{product} = {' * '.join([f'len({rows})', *self._products[-1:]])}")
        self._code.add(f"if {product} > {MAX_LOOPS}: raise Doubt")
        names = {"forloop": self._numbers(node, rows)} if uses_numbers(node, self._template) else {}
        self._products.append(product)
        self._scope.loops.append({**names, node.expression.identifier: row})
        self._sheet.loops += 1
        with self._code.block(f"for {row} in {names.get('forloop', rows)}:"):
            self._code.add("if size > room: raise Doubt")
            self._code.add("if clock() > deadline: raise late()")
            self._sheet.loose = True
            self._block(node.block)
            self._sheet.settle()
        self._sheet.loops -= 1
        self._scope.loops.pop()
        self._products.pop()

    def _numbers(self, node: ForNode, rows: str) -> str:
        """A variable with the `forloop` of the loop."""
        none = self._code.constant(self._template.env.undefined("parentloop", token=None))
        outer = self._scope.variable("forloop") or none
        name = self._code.constant(f"{node.expression.identifier}-{node.expression.iterable}")
        made = self._code.variable()
        self._code.add(f"{made} = ForLoop({name}, iter({rows}), len({rows}), {outer})")
        return made

    def _interrupt(self, word: str) -> None:
        self._sheet.settle()
        self._code.add(word if self._scope.loops else "raise Doubt")


def _steps(autoescape: bool) -> dict[str, Any]:
    return {
        "Doubt": Doubt,
        "ForLoop": ForLoop,
        "captured": captured(autoescape),
        "clock": thread_time,
        "kept": kept,
        "late": partial(TooSlow, "It takes too long.", token=None),
        "odd": odd,
        "shown": shown(autoescape),
        "shown_inside": shown_inside(autoescape),
        "soft_break": b"=\r\n",
    }


def _opposite(test: str | bool) -> str | bool:
    return not test if isinstance(test, bool) else f"not {test}"
