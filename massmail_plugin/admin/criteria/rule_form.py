"""The criteria builder as a form: its lines of text fields, and what its buttons do to them.

Works without a script: every button posts the whole form, and the page comes back with its lines changed. Names in a
form are only looked up among what the host registered; nothing of it becomes SQL here. Views enter; nothing is
committed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from werkzeug.datastructures import MultiDict

from massmail_plugin.audience.criteria.rules import GROUP_KINDS, MAX_DEPTH, MAX_RULES

ROOT = "rule"
MOST_LINES = MAX_RULES
"""No fewer than a stored rule may have, which would else lose some when it is edited."""


@dataclass
class Line:
    """One line of the builder, all in text as a form holds it.

    `what` is "group", "field:<path>", "related:<name>", "condition:<name>", "list", "opt_out", "history", "criterion",
    or "" where nothing is chosen yet. Groups and related rows have `lines` of their own, joined by `glue`.
    """

    what: str = ""
    op: str = ""
    values: list[str] = field(default_factory=list)
    glue: str = "all"
    lines: list["Line"] = field(default_factory=list)
    error: str = ""

    @property
    def kind(self) -> str:
        return self.what.partition(":")[0]

    @property
    def name(self) -> str:
        return self.what.partition(":")[2]

    def value(self, place: int = 0) -> str:
        """One of its values; empty where there is none."""
        return self.values[place] if place < len(self.values) else ""


def new_root() -> Line:
    """A builder with one empty line."""
    return Line("group", lines=[Line()])


def walk(line: Line, at: str = ROOT) -> Iterator[tuple[str, Line]]:
    """The line and all below it, each with its id in the form."""
    yield at, line
    for number, inner in enumerate(line.lines):
        yield from walk(inner, f"{at}-{number}")


# --- Form to lines ----------------------------------------------------------------------------------------------


def read(form: MultiDict[str, str]) -> Line:
    """The lines a form posted. Never raises: what is missing is empty, what is too much is left out."""
    numbers = _numbers_below(form)
    root = _read(form, numbers, ROOT, [MOST_LINES])
    root.what = "group"
    return root


def _numbers_below(form: MultiDict[str, str]) -> dict[str, list[int]]:
    """id of a line -> the numbers of the lines in it, in order."""
    below: dict[str, list[int]] = {}
    for name in form:
        parent, _, number = name.removesuffix("-what").rpartition("-")
        if name.startswith(ROOT) and name.endswith("-what") and number.isascii() and number.isdigit():
            below.setdefault(parent, []).append(int(number[:6]))
    return {parent: sorted(set(numbers)) for parent, numbers in below.items()}


def _read(form: MultiDict[str, str], below: Mapping[str, list[int]], at: str, left: list[int]) -> Line:
    glue, what = form.get(f"{at}-glue", "all"), form.get(f"{at}-what", "")
    if form.get(f"{at}-was", what) != what:
        return Line(what)
    line = Line(
        what=what,
        op=form.get(f"{at}-op", ""),
        values=_values(form, at),
        glue=glue if glue in GROUP_KINDS else "all",
    )
    if at == ROOT or line.kind == "related" or (line.what == "group" and depth(at) <= MAX_DEPTH):
        for number in below.get(at, []):
            if left[0] > 0 and depth(at) <= MAX_DEPTH + 1:
                left[0] -= 1
                line.lines.append(_read(form, below, f"{at}-{number}", left))
    return line


def _values(form: MultiDict[str, str], at: str) -> list[str]:
    """What stands after the operator: one box, two, several ticks, or a text with one value in each line or column."""
    if f"{at}-many" in form:
        pasted = form[f"{at}-many"].replace("\t", "\n")
        return list(dict.fromkeys(one.strip() for one in pasted.splitlines() if one.strip()))
    return [one.strip() for one in form.getlist(f"{at}-value")]


# --- Buttons ----------------------------------------------------------------------------------------------------


def press(root: Line, button: str) -> str:
    """Do what a button says: row:<id>, group:<id> or remove:<id>. Gives the id that should get the focus, or ""."""
    act, _, at = button.partition(":")
    lines = dict(walk(root))
    if act == "remove" and at != ROOT and at in lines:
        above, _, number = at.rpartition("-")
        del lines[above].lines[int(number)]
        return f"{above}-add"
    if act not in ("row", "group") or at not in lines:
        return ""
    target, full = lines[at], len(lines) > MOST_LINES
    if full or not (may_hold_row(target, at) if act == "row" else may_hold_group(target, at)):
        return ""
    target.lines.append(Line() if act == "row" else Line("group", glue="any", lines=[Line()]))
    return f"{at}-{len(target.lines) - 1}-" + ("what" if act == "row" else "glue")


def depth(at: str) -> int:
    """How deep a line stands: 1 is the outermost group."""
    return at.count("-") + 1


def may_hold_group(line: Line, at: str) -> bool:
    """Whether a group may be added in this line."""
    return line.what == "group" and depth(at) < MAX_DEPTH


def may_hold_row(line: Line, at: str) -> bool:
    """Whether a row may be added in this line; related rows deep inside take a single one, which needs no group."""
    return line.what == "group" or (line.kind == "related" and (not line.lines or depth(at) < MAX_DEPTH))
