"""What is found at save, where, and in which words."""

import time
from typing import Any

import pytest

from massmail_plugin.composing.checking import check, faults, warnings
from massmail_plugin.errors import TemplateError

GOOD = """<p>Hello {{ contact.name | default: "friend" }} of {{ contact.company.name }},</p>
{% for item in contact.action_items %}{{ item.level | upcase }} {{ item.due | date: "%d.%m.%Y" }} {{ forloop.index }}
{% endfor %}{{ contact.action_items.size }} {{ contact.action_items[0].level }} {{ contact.action_items.first.due }}
{% assign urgent = contact.action_items | where: "level", "high" %}{% for one in urgent %}{{ one.due }}{% endfor %}
{% assign next = contact.action_items | sort: "due" | first %}{{ next.due }}
{% capture greeting %}Hi{% endcapture %}{{ greeting }} {{ "now" | date: "%Y" }}
{% if contact.company %}{{ sender.name }}{% endif %}{% for n in (1..3) %}{{ n }}{% endfor %}
{{ organisation.name }} {{ mailing.topic }} {{ today | date: "%d" }} <a href="{{ unsubscribe_url }}">x</a>"""


def found(host: Any, source: Any, **texts: str) -> list[tuple[str, int, int, str]]:
    given = {"subject": "", "html": "", "text": "", **texts}
    return [(f.part, f.line, f.column, f.message) for f in faults(host, source, **given)]


def test_a_good_template_has_no_faults(host: Any, source: Any) -> None:
    assert found(host, source, subject="For {{ contact.name }}", html=GOOD, text=GOOD) == []


def test_an_unknown_name_is_placed_and_the_nearest_named(host: Any, source: Any) -> None:
    [fault] = found(host, source, html="<p>\n  {{ contact.naem }}</p>")
    assert fault[:3] == ("html", 2, 6)
    assert fault[3] == "“contact.naem” is not known. Did you mean “contact.name”?"


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("{{ contct.name }}", "contact.name"),
        ("{% for item in contact.action_items %}{{ item.levle }}{% endfor %}", "item.level"),
        ("{% for item in contact.acton_items %}{% endfor %}", "contact.action_items"),
        ("{{ contact.company.nam }}", "contact.company.name"),
        ("{% if contact.cty == 'x' %}{% endif %}", "contact.city"),
        ("{{ 'x' | append: contact.cty }}", "contact.city"),
        ("{{ unsubscribe_link }}", "unsubscribe_url"),
        ("{{ contact.city | upcas }}", "upcase"),
        ("{% assign x = contact.cty %}", "contact.city"),
        ("{% for i in contact.action_items limit: contact.cty %}{% endfor %}", "contact.city"),
    ],
)
def test_the_nearest_name(host: Any, source: Any, text: str, nearest: str) -> None:
    [fault] = found(host, source, text=text)
    assert f"Did you mean “{nearest}”?" in fault[3]


@pytest.mark.parametrize(
    "text",
    [
        "{{ contact.tax_number }}",
        "{{ contact.query }}",
        "{{ contact._sa_instance_state }}",
        "{{ contact.metadata }}",
        "{{ config }}",
        "{{ request.headers }}",
        "{{ self.__init__.__globals__ }}",
        "{{ item.level }}{% for item in contact.action_items %}{% endfor %}",
        "{{ massmail_links[1] }}",
        "{% assign massmail_links = 'x' %}",
        "{% assign unsubscribe_url = 'x' %}",
        "{% for contact in contact.action_items %}{% endfor %}",
        "{% for x in contact.city %}{% endfor %}",
        "{{ contact.company }}",
        "{{ contact.action_items }}",
        "{{ contact.delete() }}",
        "{{ x | massmail_href }}",
        "{% include 'secret.txt' %}",
        "{% for i in (1..999999999) %}{% endfor %}",
        "{% assign s = 'aaaaaaaa' %}{% for a in (1..999) %}{% assign s = s | append: s %}{% endfor %}",
        "a\x00b",
    ],
)
@pytest.mark.parametrize("part", ["subject", "html", "text"])
def test_refused_in_every_part(host: Any, source: Any, part: str, text: str) -> None:
    assert found(host, source, **{part: text})


@pytest.mark.parametrize("hostile", ["\r\nBcc: x", "a\nb", "a\rb", "a\x0bb", "a\x0cb", "a\x85b", "a\u2028b", "a\x00"])
def test_the_subject_is_one_line(host: Any, source: Any, hostile: str) -> None:
    assert found(host, source, subject=hostile)


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "JavaScript:x", "java\tscript:x", " javascript:x", "&#106;avascript:x", "vbscript:x",
     "data:text/html,x", "java\nscript:x", "\x01javascript:x", "javascript&colon;x", "file:///etc/passwd"],
)  # fmt: skip
@pytest.mark.parametrize("tag", ['<a href="{}">x</a>', '<area href="{}">', '<form action="{}">', '<img src="{}">'])
def test_addresses_that_run_scripts(host: Any, source: Any, tag: str, address: str) -> None:
    assert found(host, source, html=tag.format(address))


def test_a_picture_in_the_text_is_left_alone(host: Any, source: Any) -> None:
    assert not found(host, source, html='<img src="data:image/png;base64,AAAA">')


def test_faults_come_in_order_and_all_at_once(host: Any, source: Any) -> None:
    got = found(host, source, subject="{{ a }}", html="{{ b }}\n{{ c }}{{ d }}", text="{% if %}")
    assert [(part, line, column) for part, line, column, _ in got] == [
        ("subject", 1, 4), ("html", 1, 4), ("html", 2, 4), ("html", 2, 11), ("text", 1, got[-1][2]),
    ]  # fmt: skip


def test_check_raises_with_all_faults(host: Any, source: Any) -> None:
    with pytest.raises(TemplateError) as refusal:
        check(host, source, subject="{{ a }}", html="", text="{{ b }}")
    assert len(refusal.value.faults) == 2
    assert "subject, line 1, column 4" in str(refusal.value)


def test_a_slow_template_is_found_in_time(host: Any, source: Any) -> None:
    slow = "{% for a in (1..999) %}{% for b in (1..10) %}{{ a | append: b | upcase }}{% endfor %}{% endfor %}" * 100
    started = time.monotonic()
    [fault] = found(host, source, text=slow)
    assert "too long" in fault[3]
    assert time.monotonic() - started < 3


def test_warnings(host: Any, source: Any) -> None:
    said = warnings(host, source, subject=" ", html='<script></script><a href="page.html">x</a><form>', text="")
    assert len(said) == 5
    assert any("unsubscribe" in words for words in said)
    said = warnings(host, source, subject="x", html="", text="{{ unsubscribe_url }} {{ 1 | divided_by: 0 }}")
    assert len(said) == 1
    assert "cannot be built" in said[0]
    assert warnings(host, source, subject="x", html="{{ preferences_url }}", text="") == []


def test_long_conditions_are_answered(host: Any, source: Any) -> None:
    assert isinstance(found(host, source, text="{% if " + "a or " * 900 + "a %}{% endif %}"), list)


def test_what_keeps_a_template_from_full_speed_is_said(host: Any, source: Any) -> None:
    def slow(text: str) -> list[str]:
        found = warnings(host, source, subject="Hi", html="", text=text + "{{ unsubscribe_url }}")
        return [words for words in found if "slower" in words]

    assert slow("{% for i in contact.action_items %}{{ i.due | date: '%d.%m.' }}{{ forloop.index }}{% endfor %}") == []
    assert slow("{% for i in contact.action_items %}{% cycle 'a', 'b' %}{% endfor %}") == [
        "Mails of this template are put together one by one, which is slower: the tag “cycle” counts while the mail is "
        "made."
    ]
