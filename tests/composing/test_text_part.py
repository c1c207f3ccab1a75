"""The derived text part: what a person reads who sees no HTML."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from liquid import BoundTemplate

from massmail_plugin.composing.template_language import PLAIN, parse
from massmail_plugin.composing.text_part import text_from_html

# Lines of the text are as long as the author's paragraphs.
MAIL = """<!doctype html>
{% assign n = contact.name %}
<html><head><title>{{ mailing.name }}</title><style>.pre { display: none } h1 { color: {{ x }} }</style></head>
<body bgcolor="#fff">
<span class="pre">Preview line {{ contact.name }} &zwnj;&nbsp;&zwnj;</span>
<table width="600"><tr><td><img src="logo.png" alt="Example Ltd"></td></tr>
<tr><td>
  <h1>Hello {{ n | default: "friend" }} &amp; all</h1>
  {% if contact.city -%}
  <p>How is <b>{{ contact.city }}</b>? <a href="https://a.example/?x={{ n }}">Read</a>.</p>
  {%- endif %}
  <table>{% for item in contact.action_items %}
    <tr><td>{{ item.level }}</td><td>{{ item.due | date: "%d.%m." }}</td></tr>
  {% endfor %}</table>
  <table><tr><td><p>Left</p></td><td><p>Right</p></td></tr></table>
  <ul><li>one</li><li>two</li></ul>
  <p><a href="https://b.example/"><img src="b.png" alt="Shop now"></a></p>
  <p><a href="https://c.example">c.example</a> <a href="mailto:a@b.example">a@b.example</a> <a href="#top">up</a></p>
</td></tr></table>
<script>alert(1)</script>
<p><a href="{{ unsubscribe_url }}">Unsubscribe</a></p>
</body></html>
"""

TEXT = """{%- assign n = contact.name %}

Example Ltd

Hello {{ n | default: "friend" }} & all{%- if contact.city %}

How is {{ contact.city }}? Read <https://a.example/?x={{ n }}>.{%- endif %}{%- for item in contact.action_items %}
{{ item.level }} | {{ item.due | date: "%d.%m." }}{% endfor %}

Left

Right

- one
- two

Shop now <https://b.example/>

c.example a@b.example up

Unsubscribe <{{ unsubscribe_url }}>
"""


def test_a_whole_mail() -> None:
    assert text_from_html(MAIL) == TEXT


def read(source: str, values: Any) -> str:
    template: BoundTemplate = parse(PLAIN, source)
    return template.render(**values)


def test_what_the_reader_gets(values: Any) -> None:
    got = read(text_from_html(MAIL), values())
    assert "Hello Anna & all\n\nHow is Bern?" in got
    assert "\nhigh | 20.03.\nlow | 01.04.\n" in got
    assert "\n\n\n" not in got
    without = read(text_from_html(MAIL), values(city="", action_items=[]))
    assert "Hello Anna & all\n\nLeft" in without


def test_paragraphs_in_a_loop(values: Any) -> None:
    html = "<p>a</p>{% for item in contact.action_items %}<p>{{ item.level }}</p>{% endfor %}<p>z</p>"
    assert read(text_from_html(html), values()) == "a\n\nhigh\n\nlow\n\nz\n"


def test_list_in_a_loop(values: Any) -> None:
    html = "<ul>{% for item in contact.action_items %}<li>{{ item.level }}</li>{% endfor %}</ul>"
    assert read(text_from_html(html), values()).split() == ["-", "high", "-", "low"]


def test_empty() -> None:
    assert text_from_html("") == "\n"


PIECES = ["<p>", "</p>", "<table>", "<tr>", "<td>", "</td>", "</tr>", "</table>", "{{ a }}", "{% if a %}b{% endif %}",
          "<a href='https://a.example/{{ a }}'>", "</a>", "text ", "<ul>", "<li>", "<br>", "</body>", "<html>",
          "<!-- c -->", "<h1>", "</h1>", "<img alt='{{ a }}'>", "<style>", "</style>",
          "<div hidden>", "&amp;"]  # fmt: skip


def test_broken_html_gives_its_words_with_liquid_in_order() -> None:
    got = text_from_html("<p>Dear {{ a }}<a href='https://a.example/{{ a }}'><table>{% if a %}b &amp; c{% endif %}")
    assert got == "Dear {{ a }}\n{% if a %}b & c{% endif %}\n"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_liquid_survives_any_html(html: str) -> None:
    got = text_from_html(html)
    parse(PLAIN, got)
    assert "\ue000" not in got
