"""One recipient's texts: escaping, addresses, bounds, previews, and where a click leads."""

import re
import time
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from massmail_plugin.composing.preparing import Prepared
from massmail_plugin.composing.rendering import Renderer, render_target
from massmail_plugin.errors import RenderError
from massmail_plugin.signed_links import PREVIEW_TOKEN

TOKEN = "t" * 32
ROOT = "https://crm.example.org/m"
EVIL = "\"><svg onload='alert(1)'> & {{ contact.city }}"
OUT = '<a href="{{ unsubscribe_url }}">out</a>'
ANY = st.text(max_size=60)


class Reader(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_values_are_escaped_in_html_and_literal_elsewhere(rendered: Any) -> None:
    made = rendered(
        f'<p title="{{{{ contact.name }}}}">{{{{ contact.name }}}}</p>{OUT}',
        subject="For {{ contact.name }}",
        text="{{ contact.name }} {{ unsubscribe_url }}",
        contact={"name": EVIL},
    )
    assert made.subject == f"For {EVIL}"
    assert made.text == f"{EVIL} {ROOT}/u/{TOKEN}\n"
    read = Reader(made.html)
    assert [tag for tag, _ in read.tags] == ["p", "a"]
    assert read.tags[0][1] == {"title": EVIL}
    assert read.text.startswith(EVIL)


@pytest.mark.parametrize(
    "breaks", ["\r\nBcc: x@evil.example", "\n", "\r", "\x00", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"]
)
def test_the_subject_is_one_line_whatever_the_value(rendered: Any, breaks: str) -> None:
    made = rendered(text="x", subject="Dear {{ contact.name }}!", contact={"name": f"A{breaks}B"})
    assert re.fullmatch(r"Dear A ?(Bcc: x@evil\.example)?B!", made.subject)


def test_what_has_no_value_prints_nothing(rendered: Any) -> None:
    text = "[{{ contact.nothing }}{{ contact.city.x }}{{ contact.none }}] {{ contact.none | default: 'friend' }} "
    text += "{{ preferences_url }}"
    assert rendered(text=text, contact={"none": None}).text == f"[] friend {ROOT}/p/{TOKEN}\n"


def test_own_addresses(rendered: Any) -> None:
    made = rendered(f'<body><a href="https://a.example/">A</a>{OUT}</body>', opens=True)
    assert f'href="{ROOT}/c/{TOKEN}/1"' in made.html
    assert f'href="{ROOT}/u/{TOKEN}"' in made.html
    assert f'<img src="{ROOT}/o/{TOKEN}.gif" width="1" height="1" alt="" style="display:block"></body>' in made.html
    assert f"A <{ROOT}/c/{TOKEN}/1>" in made.text


def test_a_preview_leads_nowhere_and_counts_nothing(rendered: Any) -> None:
    made = rendered(f'<body><a href="https://a.example/">A</a>{OUT}</body>', opens=True, token=PREVIEW_TOKEN)
    assert {attributes["href"] for tag, attributes in Reader(made.html).tags if tag == "a"} == {"#"}
    assert "img" not in made.html
    assert "crm.example.org" not in made.html + made.text


def test_the_hidden_link_is_for_programs_alone(rendered: Any) -> None:
    html = f'<body><a href="https://a.example/">A</a>{OUT}</body>'
    (hidden,) = (have for tag, have in Reader(rendered(html).html).tags if have.get("href", "").endswith("/0"))
    assert hidden == {
        "href": f"{ROOT}/c/{TOKEN}/0",
        "style": "display:none",
        "tabindex": "-1",
        "aria-hidden": "true",
    }
    assert re.search(r"/0\"[^>]*></a>", rendered(html).html), "it has no words"
    assert "/0" not in rendered(html).text
    assert "aria-hidden" not in rendered(html, token=PREVIEW_TOKEN).html


def test_a_way_out_of_our_own(rendered: Any) -> None:
    made = rendered("<p>Hi</p>")
    assert f'<a href="{ROOT}/u/{TOKEN}"' in made.html
    assert "Example Ltd, 1 High Street" in made.html
    assert f"Unsubscribe <{ROOT}/u/{TOKEN}>" in made.text
    assert made.text.count(TOKEN) == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://b.example/?a=1&b=2", "https://b.example/?a=1&b=2"),
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("javascript:alert(1)", "#"),
        ("JAVA\tscript:alert(1)", "#"),
        (" \x01javascript:alert(1)", "#"),
        ("data:text/html,x", "#"),
        ("vbscript:x", "#"),
    ],
)
def test_a_link_made_of_a_value_cannot_run_a_script(rendered: Any, value: str, expected: str) -> None:
    for address in ("{{ contact.city }}", "{% if contact.city %}{{ contact.city }}{% endif %}"):
        made = rendered(f'<a href="{address}">x</a>{OUT}', contact={"city": value})
        assert Reader(made.html).tags[0][1]["href"] == expected


@settings(max_examples=150, deadline=None)
@given(name=ANY, city=ANY, level=ANY)
def test_random_values_change_nothing_but_text(rendered: Any, name: str, city: str, level: str) -> None:
    html = (
        '<table>{% for i in contact.action_items %}<tr><td title="{{ i.level }}">{{ i.level }}</td></tr>{% endfor %}'
        "</table>"
        '<a href="https://a.example/{{ contact.city }}">{{ contact.name }}</a><a href="https://b.example">b</a>' + OUT
    )
    made = rendered(
        html, subject="{{ contact.name }}", contact={"name": name, "city": city, "action_items": [{"level": level}] * 2}
    )
    tags = Reader(made.html).tags
    assert [tag for tag, _ in tags] == ["table", "tr", "td", "tr", "td", "a", "a", "a", "a"]
    assert [attributes["href"] for tag, attributes in tags if tag == "a"] == [
        f"{ROOT}/c/{TOKEN}/1",
        f"{ROOT}/c/{TOKEN}/2",
        f"{ROOT}/u/{TOKEN}",
        f"{ROOT}/c/{TOKEN}/0",
    ]
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", made.subject)


def test_time_is_shared_by_the_parts_and_bounded(values: Any, config: Any) -> None:
    slow = "{% for a in (1..999) %}{% for b in (1..10) %}{{ a | append: b | upcase }}{% endfor %}{% endfor %}" * 50
    renderer = Renderer(Prepared(slow[:0], slow, slow, (), False), config)
    started = time.monotonic()
    with pytest.raises(RenderError, match="too long"):
        renderer.render(values(), token=TOKEN)
    assert time.monotonic() - started < 1.5
    assert renderer is not None


def test_a_value_that_does_not_fit_concerns_one_message(rendered: Any) -> None:
    with pytest.raises(RenderError, match="divide"):
        rendered(text="{{ 1 | divided_by: contact.balance }}", contact={"balance": 0})
    assert rendered(text="{{ 12 | divided_by: contact.balance }} {{ unsubscribe_url }}").text.startswith("1 ")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("https://a.example/?q={{ contact.name }}", "https://a.example/?q=M%C3%BCller%20%22x%22%0D%0ASet-Cookie:%20a"),
        (
            "https://a.example/?q={{ contact.name | url_encode }}",
            "https://a.example/?q=M%C3%BCller+%22x%22%0D%0ASet-Cookie%3A+a",
        ),
        ("https://a.example/%20x?a=1&b=2#c", "https://a.example/%20x?a=1&b=2#c"),
        ("http://a.example/{{ contact.nothing }}", "http://a.example/"),
    ],
)
def test_where_a_click_leads(values: Any, target: str, expected: str) -> None:
    got = render_target(target, values(name='Müller "x"\r\nSet-Cookie: a'))
    assert got.replace("%0D", "").replace("%0A", "") == expected.replace("%0D", "").replace("%0A", "")
    assert got.isascii()
    assert "\n" not in got


@pytest.mark.parametrize(
    "target", ["javascript:alert(1)", "//evil.example", "/x", "{{ contact.city }}", "data:x", "https://"]
)
def test_a_click_leads_to_the_web_or_nowhere(values: Any, target: str) -> None:
    with pytest.raises(RenderError):
        render_target(target, values(city="javascript:alert(1)"))


@pytest.mark.parametrize("printed", ["{{ contact.total | round: 1 }}", "{{ contact.total | times: 2 | round: 1 }}"])
def test_money_of_the_host_is_a_number_to_filters(printed, config):
    """Numeric columns come as Decimal."""
    found = Renderer(Prepared(subject="s", html="", text=printed, links=(), tracks_opens=False), config)
    text = found.render({"contact": {"total": Decimal("12.25")}}, token=TOKEN).text
    assert text.strip() in ("12.2", "12.3", "24.5")
