"""Templates, and the values of a contact, at random: every kind of tag, filter and value, in any order and nesting."""

from datetime import UTC

from hypothesis import strategies as st
from liquid import Markup

ODD = st.sampled_from([
    "", " ", ".", "..", "a\n.b", ".\r\n.", "\r\nBcc: x@evil.example", "<b>&\"'", "a\x00b\x0b", "\x85\u2028", "\ud800",
    "=", "=3D", "x" * 80, "word " * 40, "é" * 70, "日本語のテキスト", "tab\t\n", "blank \n", "{{ contact.a }}", "https://a.example/?x=1&y=2",
    "javascript:alert(1)", "12", "3.5", "2026-03-01", "=?utf-8?q?a?=", "\xa0", "a, b",
])  # fmt: skip
TEXTS = ODD | st.text(max_size=30)
SCALARS = (
    TEXTS
    | st.none()
    | st.booleans()
    | st.integers(-5, 200)
    | st.floats(allow_nan=False, width=16)
    | st.decimals(-9, 9, places=2)
    | st.dates()
    | st.datetimes(timezones=st.just(UTC))
    | TEXTS.map(Markup)
)
ROWS = st.lists(st.fixed_dictionaries({"a": SCALARS, "b": SCALARS}), max_size=4)
VALUES = SCALARS | st.lists(SCALARS, max_size=3)
CONTACTS = st.fixed_dictionaries(
    {}, optional={"a": VALUES, "b": VALUES, "c": SCALARS, "rows": ROWS, "group": st.fixed_dictionaries({"a": SCALARS})}
)

PATHS = [
    "contact.a", "contact.b", "contact.c", "contact.group.a", "contact.none", "contact.a.size", "contact.rows.first.a",
    "contact.rows[1].b", "contact.rows.size", "contact['a']", "contact.rows", "contact.group[contact.c]", "row",
    "row.a", "row.b", "row[0]", "forloop.index", "forloop.last", "forloop.parentloop.index", "kept", "held",
    "unknown.x", "organisation.name", "organisation.none", "sender.name", "mailing.topic", "today", "unsubscribe_url",
    "'lit <&>'", '"it\'s"', "7", "2.5", "true", "nil", "empty", "blank",
]  # fmt: skip
FILTERS = [
    "upcase", "downcase", "capitalize", "default: 'friend & co'", "default: contact.b", "append: contact.b",
    "prepend: '<'", "date: '%d.%m.%Y'", "date: '%A %H:%M'", "truncate: 5", "truncatewords: 2, '…'", "escape",
    "replace: 'a', '<'", "escape_once", "newline_to_br", "strip", "split: ','", "join: ' & '", "first", "last",
    "size", "plus: 2", "times: 1.5", "divided_by: contact.c", "round", "url_encode", "strip_html", "sort",
    "map: 'a'", "where: 'a', contact.a", "slice: 0, 2", "default: 'x', allow_false: true",
]  # fmt: skip
NAMES = st.sampled_from(PATHS)
EXPRESSIONS = st.builds(
    lambda path, filters: " | ".join([path, *filters]),
    NAMES,
    st.lists(st.sampled_from(FILTERS), max_size=2),
)
OPERATORS = st.sampled_from(["==", "!=", "<>", "<", ">", "<=", ">=", "contains"])
COMPARISONS = NAMES | st.builds(
    lambda left, operator, right: f"{left} {operator} {right}",
    NAMES,
    OPERATORS,
    NAMES,
)
CONDITIONS = COMPARISONS | st.builds(
    lambda left, word, right: f"{left} {word} {right}", COMPARISONS, st.sampled_from(["and", "or"]), COMPARISONS
)
LISTS = st.sampled_from(
    ["contact.rows", "contact.a", "contact.none", "(1..3)", "(2..contact.c)", "row", "kept", "contact.group"]
)
OPTIONS = st.sampled_from(
    ["", "", " limit: 2", " offset: 1", " reversed", " limit: contact.c", " offset: contact.a reversed"]
)
LITERALS = st.sampled_from([
    "\n", "\n\n", " ", ".", "\n.", "<p>", "</p>\n", "plain words ", "<td style=\"color:red\">" * 6, "trailing \n",
    "=", "ünï",
    "x" * 75, "A sentence that is long enough to be broken softly somewhere, with dots... and more. " * 2 + "\n",
    "<a href=\"https://a.example/x?y=1&amp;z=2\">go</a>", "<a href=\"{{ contact.a }}\">v</a>",
    "<a href=\"{{ unsubscribe_url }}\">out</a>", "https://b.example/path.\n", "\r\n", "\x0c",
    "<a href=\"https://c.example/{{ contact.b }}\">c</a>\n",
]) | st.text(st.characters(exclude_characters="{}", exclude_categories=("Cs",)), max_size=40)  # fmt: skip
STOPS = st.sampled_from(["", "", "{% break %}", "{% if row.a %}{% continue %}{% endif %}"])
TRIM = st.sampled_from(["", "", "", "-"])


Texts = st.SearchStrategy[str]


def tag(words: str, left: str = "", right: str = "") -> str:
    return f"{{%{left} {words} {right}%}}"


def condition(inner: Texts) -> Texts:
    return st.builds(
        lambda word, trim, test, a, other, b, c: (
            f"{tag(f'{word} {test}', trim)}{a}{tag(f'elsif {other}')}{b}{tag('else')}{c}{tag(f'end{word}', '', trim)}"
        ),
        st.sampled_from(["if", "unless"]), TRIM, CONDITIONS, inner, CONDITIONS, inner, inner,
    )  # fmt: skip


def condition_alone(inner: Texts) -> Texts:
    return st.builds(
        lambda trim, test, a: f"{tag('if ' + test, '', trim)}{a}{tag('endif', trim)}", TRIM, CONDITIONS, inner
    )


def choice(inner: Texts) -> Texts:
    return st.builds(
        lambda left, one, a, two, three, b, c: (
            f"{tag(f'case {left}')}{tag(f'when {one}')}{a}{tag(f'when {two} or {three}')}{b}{tag('else')}{c}"
            f"{tag('endcase')}"
        ),
        NAMES, NAMES, inner, st.sampled_from(["'a'", "''", "12", "3.5"]), st.sampled_from(["'b'", "7"]), inner, inner,
    )  # fmt: skip


def loop(inner: Texts) -> Texts:
    return st.builds(
        lambda rows, options, trim, a, stop, b, c: (
            f"{tag(f'for row in {rows}{options}', '', trim)}{a}{stop}{b}{tag('else')}{c}{tag('endfor')}"
        ),
        LISTS, OPTIONS, TRIM, inner, STOPS, inner, inner,
    )  # fmt: skip


def kept(inner: Texts) -> Texts:
    return inner.map(lambda text: f"{tag('capture held')}{text}{tag('endcapture')}")


LEAVES = (
    LITERALS
    | st.builds(lambda left, e, right: f"{{{{{left} {e} {right}}}}}", TRIM, EXPRESSIONS, TRIM)
    | st.builds(lambda name, e: tag(f"assign {name} = {e}"), st.sampled_from(["kept", "held", "row"]), EXPRESSIONS)
    | st.sampled_from(["{% comment %}x{% endcomment %}", "{% # note %}", "{% echo contact.a %}"])
)
TEMPLATES = st.recursive(
    st.lists(LEAVES, max_size=4).map("".join),
    lambda inner: st.lists(
        LEAVES | condition(inner) | condition_alone(inner) | choice(inner) | loop(inner) | kept(inner),
        min_size=1,
        max_size=5,
    ).map("".join),
    max_leaves=12,
)
