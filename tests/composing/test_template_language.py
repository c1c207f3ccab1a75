"""Liquid as authors may use it: what works, what is not there, and what is stopped in time."""

import contextlib
import datetime
import random
import resource
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from liquid.exceptions import LiquidError

from massmail_plugin.composing.template_language import HTML, PLAIN, parse, rendered
from massmail_plugin.errors import RenderError


def printed(source: str, *, language: Any = PLAIN, seconds: float = 2.0, **values: Any) -> str:
    deadline = time.thread_time() + seconds
    return rendered(parse(language, source), values, deadline=deadline, max_bytes=1_000_000)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ name | default: 'friend' }}", "friend"),
        ("{{ contact.nick.name | default: 'friend' }}", "friend"),
        ("{% if a == 1 %}x{% else %}y{% endif %}", "y"),
        ("{% for i in (1..3) %}{{ i }}{% endfor %}", "123"),
        ("{% for i in (1..3) reversed %}{{ i }}{% endfor %}", "321"),
        ("{% assign x = 'a,b' | split: ',' %}{{ x | join: '-' }}", "a-b"),
        ("{{ 'a b' | url_encode }}", "a+b"),
        ("{% comment %}{{ x }}{% endcomment %}z", "z"),
        ("{{ 'aXa' | replace: 'X', 'bb' }}", "abba"),
        ("{{ '<b>x</b>' | strip_html }}", "x"),
    ],
)
def test_what_authors_write(source: str, expected: str) -> None:
    assert printed(source) == expected


@pytest.mark.parametrize("empty", ["", " ", None, [], {}, False])
def test_what_is_empty_is_false(empty: Any) -> None:
    assert printed("{% if a %}x{% elsif a or b %}y{% else %}z{% endif %}", a=empty, b=empty) == "z"
    assert printed("{% unless a and b %}x{% endunless %}", a="1", b=empty) == "x"
    assert printed("{% if a == '' %}x{% endif %}{% if b %}y{% endif %}", a="", b=0) == "xy"


BOMBS = {
    "range": "{% for i in (1..999999999) %}x{% endfor %}",
    "range backwards": "{% for i in (1..999999999) reversed %}x{% endfor %}",
    "range as a list": "{{ (1..999999999) | join: ',' }}",
    "range by a value": "{% assign n = 999999999 %}{{ (1..n) | reverse }}",
    "loops in loops": "{% for a in (1..999) %}" * 4 + "x" + "{% endfor %}" * 4,
    "many loops": "{% for a in (1..999) %}{% for b in (1..10) %}{{ a | plus: b }}{% endfor %}{% endfor %}" * 400,
    "append": "{% assign s = 'aaaaaaaa' %}{% for a in (1..999) %}{% assign s = s | append: s %}{% endfor %}{{ s }}",
    "prepend": "{% assign s = 'aaaaaaaa' %}{% for a in (1..999) %}{% assign s = s | prepend: s %}{% endfor %}{{ s }}",
    "capture": "{% assign s = 'aaaaaaaa' %}{% for a in (1..999) %}"
    "{% capture s %}{{ s }}{{ s }}{% endcapture %}{% endfor %}",
    "times": "{% assign n = 9 %}{% for a in (1..999) %}{% assign n = n | times: n %}{% endfor %}{{ n }}",
    "replace": "{% assign s = 'aaaaaaaaaaaaaaaaaaaa' %}" + "{% assign s = s | replace: 'a', s %}" * 9,
    "replace nothing": "{% assign s = 'aaaaaaaaaaaaaaaaaaaa' %}" + "{% assign s = s | replace: '', s %}" * 9,
    "concat": "{% assign l = 'a,b' | split: ',' %}{% for a in (1..999) %}{% assign l = l | concat: l %}{% endfor %}",
    "join": "{% assign s = 'a' %}{% for i in (1..18) %}{% assign s = s | append: s %}{% endfor %}"
    "{{ (1..900) | join: s }}",
    "lists of long texts": "{% assign s = 'a' %}{% for i in (1..18) %}{% assign s = s | append: s %}{% endfor %}"
    "{% assign l = s | split: ',' %}{% for i in (1..99) %}{% assign l = l | concat: l %}{% endfor %}{{ l }}",
    "printing": "{% assign s = 'a' %}{% for i in (1..18) %}{% assign s = s | append: s %}{% endfor %}"
    "{% for i in (1..999) %}{{ s }}{% endfor %}",
    "date": "{{ 'now' | date: '" + "%999999999d" * 20 + "' }}",
}


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("language", [HTML, PLAIN])
def test_bombs_are_refused_quickly(bomb: str, language: Any) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    with pytest.raises(RenderError) as refusal:
        printed(BOMBS[bomb], language=language, seconds=1.0)
    assert time.process_time() - started < 1.5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
    assert str(refusal.value).endswith(".")


UNREADABLE = [
    "{{" * 30_000,
    "{%" * 30_000,
    "{% raw %}" * 10_000,
    "{{ a" + " " * 4_000 + "}}",
    "{{ " + "a[" * 900 + "a" + "]" * 900 + " }}",
    "{% if " + "a and " * 2_000 + "a %}{% endif %}",
    "{% if a %}" * 200 + "{% endif %}" * 200,
    "{% for i in (1..2) %}",
    "{% if a %}",
    "{% endif %}",
    "{{ a | }}",
    "x" * 1_000_001,
]


@pytest.mark.parametrize("source", UNREADABLE, ids=lambda source: str(source)[:12])
def test_unreadable_texts_are_refused_quickly(source: str) -> None:
    started = time.monotonic()
    with pytest.raises(LiquidError):
        parse(HTML, source)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    "tag", ["include 'x'", "render 'x'", "raw", "liquid", "macro x()", "import 'x'", "autoescape false"]
)
def test_tags_that_are_not_there(tag: str) -> None:
    with pytest.raises(LiquidError):
        parse(HTML, f"{{% {tag} %}}")


@pytest.mark.parametrize("name", ["safe", "escapejs", "base64_decode", "xmlattr", "center", "format", "attr"])
def test_filters_that_are_not_there(name: str) -> None:
    with pytest.raises(RenderError):
        printed(f"{{{{ x | {name} }}}}", x="<b>")


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ x.__class__ }}",
        "{{ x.__init__.__globals__ }}",
        "{{ lipsum.__globals__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ self.__init__.__globals__ }}",
        "{{ config }}{{ request }}{{ g }}{{ session }}{{ url_for.__globals__ }}",
        "{{ x['__class__'] }}",
        "{{ x | map: '__class__' }}",
    ],
)
def test_no_way_to_python(source: str) -> None:
    with contextlib.suppress(RenderError, LiquidError):
        assert printed(source, x={"a": "b"}) == ""


NO_ARGUMENT = sorted(
    HTML.known_filters()
    & {
        "escape", "escape_once", "strip_html", "newline_to_br", "url_encode", "url_decode", "upcase", "downcase",
        "capitalize", "squish", "strip", "lstrip", "rstrip", "strip_newlines", "size", "first", "last", "reverse",
    }
)  # fmt: skip
WITH_ARGUMENT = ["append: '!'", "prepend: '?'", "split: 'b'", "split: ''", "join: '&'", "truncate: 9",
                 "slice: 0, 9", "default: 'x'", "replace: 'b', 'q'", "remove: 'q'", "truncatewords: 3",
                 "concat: rows", "date: '%d'"]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(NO_ARGUMENT + WITH_ARGUMENT), max_size=5), st.sampled_from(["x", "rows"]))
def test_no_chain_of_filters_lets_a_value_through_unescaped(chain: list[str], name: str) -> None:
    evil = '<script>alert("1")</script>'
    try:
        out = printed("{{ " + " | ".join([name, *chain]) + " }}", language=HTML, x=evil, rows=[evil, evil])
    except RenderError:
        return
    assert "<" not in out


def test_the_day_of_the_mail_is_not_the_clock_of_the_machine() -> None:
    assert printed("{{ 'now' | date: '%Y' }}", today=datetime.date(1999, 1, 1)) == "1999"


@settings(max_examples=200, deadline=None)
@given(st.integers())
def test_garbage_is_refused_or_printed_but_never_breaks(seed: int) -> None:
    pieces = ["{{", "}}", "{%", "%}", "x", " ", "|", "if", "for", "in", "endif", "endfor", "'", '"', ".", "[", "]", "("]
    source = "".join(random.Random(seed).choices(pieces, k=20))
    with contextlib.suppress(RenderError, LiquidError):
        printed(source, x="1")
