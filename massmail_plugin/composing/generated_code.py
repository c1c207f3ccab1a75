"""Python source in the making, with the values it names; no text of an author ever becomes part of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from types import FunctionType
from typing import Any

MAX_NESTING = 15
"""How deep blocks may be nested; Python itself takes 20."""


class CannotCompile(Exception):
    """The template has something that is worked out for each mail anew; the message says what, for its author."""


class GeneratedCode:
    """Lines of one function. Names beginning with `k` are constants, the others its variables."""

    def __init__(self, **known: Any) -> None:
        self.known = known
        self._lines: list[str] = []
        self._depth = 1
        self._numbers = count(1)

    def add(self, line: str) -> None:
        self._lines.append(" " * self._depth + line)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """What is added inside stands under `head`. Raises CannotCompile beyond MAX_NESTING."""
        if self._depth > MAX_NESTING:
            raise CannotCompile("its blocks are nested very deep")
        self.add(head)
        self._depth += 1
        before = len(self._lines)
        yield
        if len(self._lines) == before:
            self.add("pass")
        self._depth -= 1

    def constant(self, value: Any) -> str:
        """A name for `value`."""
        name = f"k{next(self._numbers)}"
        self.known[name] = value
        return name

    def variable(self) -> str:
        """A name not used yet."""
        return f"v{next(self._numbers)}"

    def function(self, head: str) -> Callable[..., Any]:
        """The finished function, `head` being its first line. Raises CannotCompile where Python cannot take it."""
        source = "\n".join([head, *self._lines])
        try:
            code = compile(source, "<mail>", "exec")
        except (SyntaxError, RecursionError, MemoryError) as error:
            raise CannotCompile("it is too large or nested too deep") from error
        namespace = dict(self.known)
        exec(code, namespace)
        made = namespace["write"]
        assert isinstance(made, FunctionType)
        return made
