"""What is done once: styles, links, way out, pixel; and that the author's HTML stays as it is elsewhere."""

import re
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from massmail_plugin.composing.html_source import replaced, start_tags
from massmail_plugin.composing.inline_styles import with_inline_styles
from massmail_plugin.contracts import Host
from massmail_plugin.errors import TemplateError

OUT = '<a href="{{ unsubscribe_url }}">out</a>'
HIDDEN = "{{ massmail_hidden_link }}"


def targets(made: Any) -> list[tuple[int, str, str]]:
    return [(link.number, link.target, link.label) for link in made.links]


def test_links_get_numbers_in_place(prepared: Any) -> None:
    html = (
        f"<!doctype html>\n<P CLASS=x>Hi <a  class='b'   href='https://a.example/?x=1&amp;y=2' >One\n <b>two</b></a>"
        f'<AREA HREF=https://b.example alt="Map">{OUT}</P>'
    )
    made = prepared(html)
    assert targets(made) == [(1, "https://a.example/?x=1&y=2", "One two"), (2, "https://b.example", "Map")]
    numbered = html.replace("'https://a.example/?x=1&amp;y=2'", '"{{ massmail_links[1] }}"')
    assert made.html == numbered.replace("HREF=https://b.example", 'HREF="{{ massmail_links[2] }}"') + HIDDEN


def test_one_number_for_one_target(prepared: Any) -> None:
    made = prepared(f'<a href="https://a.example/">A</a><a href=" https://a.example/ ">B</a>{OUT}')
    assert targets(made) == [(1, "https://a.example/", "A")]


@pytest.mark.parametrize(
    "address",
    ["mailto:a@b.example", "tel:+41", "sms:1", "#top", "", "{{ unsubscribe_url }}", "{{- preferences_url }}", "/page"],
)
def test_links_that_are_left_alone(prepared: Any, address: str) -> None:
    html = f'<a href="{address}">x</a>{OUT}'
    made = prepared(html)
    assert made.html == html
    assert made.links == ()


def test_links_with_values(prepared: Any) -> None:
    made = prepared(
        '<a href="https://a.example/{{ contact.name | url_encode }}?a=1&amp;b={{ contact.city }}">x</a>' + OUT
    )
    assert targets(made) == [(1, "https://a.example/{{ contact.name | url_encode }}?a=1&b={{ contact.city }}", "x")]
    assert "contact" not in made.html


def test_links_whose_host_is_a_value_are_not_counted(prepared: Any) -> None:
    html = '<a href="https://{{ contact.city }}.example/">x</a><a href="https://a.example{{ contact.city }}">y</a>'
    assert prepared(html + OUT).links == ()


def test_no_counting_where_it_is_switched_off(prepared: Any) -> None:
    html = f'<a href="https://a.example/">A</a>{OUT}'
    made = prepared(html, clicks=False)
    assert (made.html, made.links) == (html, ())
    assert "https://a.example/" in made.text


def test_links_that_only_outlook_sees(prepared: Any) -> None:
    html = f'<!--[if mso]><v:roundrect href="https://a.example/"></v:roundrect><![endif]-->{OUT}'
    html += '<!-- <a href="https://no.example/"> -->'
    made = prepared(html)
    assert [target for _, target, _ in targets(made)] == ["https://a.example/"]


def test_table_rows_in_a_loop_stay_where_they_are(prepared: Any) -> None:
    html = (
        "<style>td{color:red}</style><table>{% for item in contact.action_items %}<tr>"
        "<td>{{ item.level }}</td></tr>{% endfor %}</table>" + OUT
    )
    assert prepared(html).html == html.replace("<td>", '<td style="color: red;">')


def test_text_and_html_share_the_numbers(prepared: Any) -> None:
    made = prepared(
        f'<a href="https://a.example/">A</a>{OUT}',
        text="See https://a.example/, (https://b.example/x_(y)) and https://c.example/{{ contact.name }}.\n"
        "{{ unsubscribe_url }}",
    )
    assert [target for _, target, _ in targets(made)] == [
        "https://a.example/",
        "https://b.example/x_(y)",
        "https://c.example/{{ contact.name }}",
    ]
    assert made.text == (
        "See {{ massmail_links[1] }}, ({{ massmail_links[2] }}) and {{ massmail_links[3] }}.\n{{ unsubscribe_url }}\n"
    )


def test_derived_text_has_the_same_numbers(prepared: Any) -> None:
    address = "https://a.example/?a={% if contact.city %}1{% endif %}&amp;b={{ contact.name }}"
    made = prepared(f'<a href="{address}">A</a>{OUT}')
    assert len(made.links) == 1
    assert "A <{{ massmail_links[1] }}>" in made.text


def test_a_tag_behind_an_address_is_not_swallowed(prepared: Any) -> None:
    made = prepared(text="{% if contact.city %}https://a.example/{% endif %}{{ unsubscribe_url }}")
    assert made.text == "{% if contact.city %}{{ massmail_links[1] }}{% endif %}{{ unsubscribe_url }}\n"


def test_a_way_out_is_put_in_where_there_is_none(prepared: Any) -> None:
    made = prepared("<html><body><p>Hi</p></BODY></html>", text="Hi")
    assert re.search(r'<a href="\{\{ unsubscribe_url \}\}".*</p>\s*</BODY></html>\Z', made.html)
    assert made.text.endswith("Unsubscribe: {{ unsubscribe_url }}\n")
    assert made.text.startswith("Hi\n")
    assert prepared(text="x {{ preferences_url }}").text == "x {{ preferences_url }}\n"


def test_a_way_out_is_in_the_first_of_the_hosts_languages(host: Host, prepared: Any) -> None:
    french = replace(host, config=replace(host.config, languages=("fr", "en")))
    made = prepared("<p>Salut</p>", host=french)
    assert ">Se désabonner</a>" in made.html
    assert "Se désabonner <{{ unsubscribe_url }}>" in made.text


def test_the_pixel_stands_at_the_end(prepared: Any) -> None:
    assert prepared(f"<body>{OUT}</body>", opens=True).html == f"<body>{OUT}{{{{ massmail_pixel }}}}</body>"
    assert not prepared(text="x", opens=True).tracks_opens


def test_a_hidden_link_stands_where_links_are_counted(prepared: Any, host: Host) -> None:
    html = f'<body><a href="https://a.example/">A</a>{OUT}</body>'
    made = prepared(html, opens=True)
    assert made.html.endswith(f"{OUT}{HIDDEN}{{{{ massmail_pixel }}}}</body>")
    assert "hidden" not in made.text
    for without in (
        prepared(html, clicks=False),
        prepared(f"<body>{OUT}</body>", opens=True),
        prepared(text="https://a.example/"),
        prepared(html, host=replace(host, config=replace(host.config, hidden_link=False))),
    ):
        assert "hidden" not in without.html + without.text


def test_an_unreadable_text_names_its_place(prepared: Any) -> None:
    with pytest.raises(TemplateError, match="html, line 2, column 4"):
        prepared("x\n{% nonsense %}")


def test_nothing_is_fetched(prepared: Any) -> None:
    html = (
        '<link rel="stylesheet" href="file:///etc/passwd"><link rel=stylesheet href="http://127.0.0.1:9/x.css">'
        f"<style>@import url(http://127.0.0.1:9/y.css); p{{color:red}}</style><p>x</p>{OUT}"
    )
    made = prepared(html)
    assert 'style="color: red;"' in made.html
    assert "root:" not in made.html


def test_liquid_inside_styles_and_tags() -> None:
    html = (
        '<style>p.a{color:{{ contact.city }};font-family:"A B"} @media print{p{margin:0}}</style>'
        '<p class=a {% if x %}id="1"{% else %}id="2"{% endif %} title=\'a "b"\'>x</p>'
        '<p class="a" style="{% if x %}margin:0{% endif %}">y</p>'
    )
    made = with_inline_styles(html)
    assert """<p style="color: {{ contact.city }};font-family: 'A B';" class=a {% if x %}""" in made
    assert """style="color: {{ contact.city }};font-family: 'A B'; {% if x %}margin:0{% endif %}\"""" in made
    assert made.startswith(html[: html.index("<p class=a")])


def test_without_styles_nothing_is_touched() -> None:
    html = "<p>a<br>b <i>c</p> & {{ x }} <td>lost"
    assert with_inline_styles(html) is html


PIECES = ["<p>", "<a href=", "'", '"', ">", "<", "/", "=", "{{ a }}", "{% if a %}", "{{", "<!--", "-->", "<style>",
          "</style>", " ", "x", "href", "<![endif]-->", "<!--[if mso]>", "<title>", "https://a.example/",
          "</a>"]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_text_can_be_scanned(source: str) -> None:
    at = 0
    for tag in start_tags(source):
        assert at <= tag.start < tag.end <= len(source)
        for one in tag.attributes:
            assert tag.start < one.start <= one.end <= tag.end
            assert one.written in source[one.start : one.end]
        at = tag.end
    assert replaced(source, []) == source
    with_inline_styles(source)


def test_scanning_takes_linear_time() -> None:
    started = time.monotonic()
    for piece in ("<a href='", "<a ", '<a href="', "<!--", "<![", "<!--[if", "<style>", "<a b=c ", "<a b='c\""):
        list(start_tags(piece * 20_000))
    assert time.monotonic() - started < 5
