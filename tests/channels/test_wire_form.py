"""The mails of a mailing, compiled: byte for byte what rendering and building one by one gives."""

import re
import time
from binascii import a2b_qp
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from massmail_plugin import composing
from massmail_plugin.channels.mail_form import Letterhead, MailForm
from massmail_plugin.config import Config
from massmail_plugin.errors import RenderError, TemplateError
from massmail_plugin.signed_links import PREVIEW_TOKEN, OptOutAddresses, Sealer
from tests.channels.random_templates import CONTACTS, LEAVES, TEMPLATES, TEXTS

CONFIG = Config(
    base_url="https://crm.example.org",
    secret_keys=("k" * 40,),
    organisation="Example & Söhne",
    postal_address="1 High Street",
    render_seconds=30,
)
HOST = cast(Any, SimpleNamespace(config=CONFIG, clock=lambda: datetime(2026, 3, 14, 9, 30, tzinfo=UTC)))
FIXED = composing.values_for(
    HOST, contact={}, sender_name="Eva", sender_address="eva@example.org", mailing_name="Spring", topic=""
)
WHO = Letterhead("Example Ltd", "news@crm.example.org", "office@crm.example.org", ("News", "list-3.crm.example.org"))
SEALER = Sealer(CONFIG, "crm.example.org", 3)
TOKEN, MESSAGE_ID = SEALER.token(17), SEALER.message_id(17)
NOW = datetime(2026, 3, 14, 9, 30, 5, 250, tzinfo=UTC)
MAILS = Path(__file__).parents[2] / "sample_host" / "mails"


def both(
    html: str, text: str, subject: str = "Hi", who: Letterhead = WHO, *, tracked: bool = True, **config: Any
) -> tuple[MailForm, MailForm]:
    """The form compiled, and the ordinary one it is held against."""
    prepared = composing.prepare(
        HOST,
        version_subject=subject,
        html=html,
        text=text,
        format="html" if html else "text",
        track_opens=tracked,
        track_clicks=tracked,
    )
    used = replace(CONFIG, **config)
    return MailForm(used, prepared, FIXED, who), MailForm(used, prepared, FIXED, who, ordinary=True)


def written(form: MailForm, contact: dict[str, Any], *, token: str = TOKEN, name: str = "Anna Berg") -> bytes | str:
    """The mail, or the words why there is none."""
    try:
        return form.write(MESSAGE_ID, token, "anna@example.net", name, contact, NOW)
    except RenderError as error:
        return str(error)


def compiled_alone(form: MailForm, contact: dict[str, Any]) -> bytes:
    """What the compiled functions write, with no ordinary way to fall back to."""
    assert form._compiled is not None, form.why_ordinary
    return form._compiled.write(MESSAGE_ID, TOKEN, "anna@example.net", "Anna Berg", contact, NOW)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(subject=LEAVES, html=TEMPLATES, text=TEMPLATES, contact=CONTACTS, name=TEXTS, tracked=st.booleans())
def test_both_ways_give_the_same_bytes(
    subject: str, html: str, text: str, contact: dict[str, Any], name: str, tracked: bool
) -> None:
    try:
        compiled, ordinary = both(html, text, subject, tracked=tracked)
    except TemplateError:
        return
    expected = written(ordinary, contact, name=name)
    assert written(compiled, contact, name=name) == expected
    if not compiled.why_ordinary and isinstance(expected, bytes):
        alone = written(ordinary, contact)
        assert compiled_alone(compiled, contact) == alone
        assert_fit_for_the_wire(expected)


def assert_fit_for_the_wire(content: bytes) -> None:
    lines = content.split(b"\r\n")
    assert b"\n" not in b"".join(lines)
    assert b"\r" not in b"".join(lines)
    assert not any(line.startswith(b".") for line in lines)
    assert max(map(len, content.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 76
    assert content.isascii()


def test_lines_in_base64_too() -> None:
    text = "{% for row in contact.rows %}Здравствуйте, {{ row.a | upcase }}! {{ contact.a }}\n{% endfor %}"
    text += "До свидания, до новой встречи весной.\n" * 20
    compiled, ordinary = both("", text, "Весенние новости для {{ contact.a }}")
    contact = {"a": "Анна\r\n.", "rows": [{"a": "да"}, {"a": "no"}]}
    assert b"Content-Transfer-Encoding: base64\r\n" in compiled_alone(compiled, contact)
    assert compiled_alone(compiled, contact) == written(ordinary, contact)


def test_the_encoding_is_one_for_the_whole_mailing() -> None:
    compiled, _ = both("", "Dear {{ contact.a }}\n")
    for name in ("Anna", "日本語のテキスト" * 100):
        assert b"Content-Transfer-Encoding: quoted-printable\r\n" in compiled_alone(compiled, {"a": name})


# --- What is compiled, and what is not ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["autumn_catalogue.html", "workshop_hours.txt"])
def test_ordinary_templates_are_compiled(name: str) -> None:
    source = (MAILS / name).read_text()
    html, text = (source, "") if name.endswith("html") else ("", source)
    compiled, ordinary = both(html, text, "{{ contact.name }}: {{ mailing.name }}")
    assert compiled.why_ordinary == ""
    assert compiled_alone(compiled, {"name": "Zoë"}) == written(ordinary, {"name": "Zoë"})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{% for r in contact.rows %}{% cycle 'a', 'b' %}{% endfor %}", "the tag “cycle” counts"),
        ("{% increment n %}", "the tag “increment” counts"),
        ("{% for r in contact.rows offset: continue %}{{ r.a }}{% endfor %}", "goes on where another one stopped"),
        ("{% case contact.a %}{% when 'a', contact.b %}x{% endcase %}", "may be the same"),
        ("{% assign today = 'x' %}{{ today }}", "the name “today”"),
        ("{% for contact in contact.rows %}{{ contact.a }}{% endfor %}", "the name “contact”"),
        ("{{ now | date: '%Y' }}", "time of the machine"),
        ("{{ [contact.a].b }}", "works out a name"),
        ("{% if contact.a %}" * 25 + "x" + "{% endif %}" * 25, "nested very deep"),
        ("{{ contact.a " + "| upcase " * 50 + "}}", "very many filters"),
        ("{% if contact.a" + " or contact.a" * 60 + " %}x{% endif %}", "very long"),
        ("{{ contact.a }}" * 6000, "very long"),
    ],
)  # fmt: skip
def test_what_is_not_compiled_is_said_and_written_all_the_same(text: str, why: str) -> None:
    compiled, ordinary = both("", text)
    contact = {"a": "a", "b": "a", "rows": [{"a": 1}, {"a": 2}]}
    assert why in compiled.why_ordinary
    assert written(compiled, contact) == written(ordinary, contact)
    assert isinstance(written(compiled, contact), bytes)


def test_copies_and_previews_lead_nowhere() -> None:
    html = '<a href="https://a.example/">A</a> {{ contact.a }}<a href="{{ unsubscribe_url }}">out</a>'
    compiled, ordinary = both(html, "")
    copy = written(compiled, {"a": "Anna"}, token=PREVIEW_TOKEN)
    assert copy == written(ordinary, {"a": "Anna"}, token=PREVIEW_TOKEN)
    assert isinstance(copy, bytes)
    assert b"/m/" not in copy
    assert b"<img" not in copy
    assert b"display:none" not in copy.replace(b"=3D", b"=").replace(b"=\r\n", b"")
    assert b"List-Unsubscribe" not in copy


def test_without_tracking_links_are_plain_and_the_way_out_stays() -> None:
    html = '<a href="https://a.example/?c={{ contact.a }}">A</a> <a href="{{ unsubscribe_url }}">out</a>'
    compiled, ordinary = both(html, "See https://b.example/{{ contact.a }}\n", tracked=False)
    mail = compiled_alone(compiled, {"a": "Anna"})
    assert mail == written(ordinary, {"a": "Anna"})
    words = a2b_qp(mail)
    assert b'href="https://a.example/?c=Anna"' in words
    assert b"See https://b.example/Anna\r\n" in words
    assert set(re.findall(rb"/m/(.)/", words)) == {b"u"}
    assert b"<img" not in words
    assert b"List-Unsubscribe-Post: " in mail


def test_what_the_texts_ask_of_the_contact() -> None:
    html = '<a href="https://a.example/{{ contact.link }}">A</a>{% for r in contact.rows %}{{ r.a }}{% endfor %}'
    text = "{% if contact.group.a == contact['b c'] %}{{ contact.name.size | plus: contact.n }}{% endif %}"
    compiled, ordinary = both(html, text, "{{ contact.a }}")
    assert compiled.contact_paths == {"rows", "group.a", "b c", "name.size", "n", "a"}
    assert compiled.contact_paths == ordinary.contact_paths
    for whole in ("{{ contact[mailing.name] }}", "{% assign c = contact %}{{ c.a }}", "{{ [sender.name].a }}"):
        assert "" in both("", whole)[0].contact_paths


# --- Bounds and attacks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{% for a in (1..900) %}{% for b in (1..900) %}x{% endfor %}{% endfor %}", "iteration limit"),
        ("{% for a in (1..2000) %}x{% endfor %}", "at the most"),
        ("{% for a in (1..1000) %}{% for b in (1..9) %}" + "x" * 500 + "{% endfor %}{% endfor %}", "too large"),
        ("{{ contact.a | append: contact.a }}" * 300, "too large for a mail"),
        ("{% assign k = 'x' %}{% for a in (1..40) %}{% assign k = k | append: k %}{% endfor %}{{ k }}", "grows beyond"),
        ("".join(f"{{% assign k{n} = contact.a | append: {n} %}}" for n in range(400)), "kept with assign"),
        ("{% capture k %}{% for a in (1..1000) %}{{ contact.a }}{% endfor %}{% endcapture %}", "too large for a mail"),
        ("{{ contact.n | divided_by: 0 }}", "divide"),
        ("{% if contact.n < contact.a %}x{% endif %}", "not supported"),
        ("{% break %}", "nexpected"),
        ("{% for a in contact.rows limit: contact.z %}{{ a }}{% endfor %}", "xpected an integer"),
    ],
)  # fmt: skip
def test_both_ways_refuse_with_the_same_words(text: str, words: str) -> None:
    compiled, ordinary = both("", text, max_message_bytes=2_000_000)
    assert compiled.why_ordinary == ""
    contact = {"a": "A" * 7000, "n": 3, "rows": [1], "z": None}
    refused = written(ordinary, contact)
    assert isinstance(refused, str)
    assert words in refused
    assert written(compiled, contact) == refused


def test_a_long_subject_is_refused() -> None:
    compiled, ordinary = both("", "x", "{{ contact.a }}")
    for length in (100, 600, 1999, 2000, 2001):
        assert written(compiled, {"a": "x" * length}) == written(ordinary, {"a": "x" * length})


def test_loops_end_in_time() -> None:
    slow = "{% for a in (1..900) %}{% for b in (1..11) %}{% assign k = contact.a | upcase %}{% endfor %}{% endfor %}"
    compiled, _ = both("", slow, render_seconds=0.05)
    started = time.monotonic()
    assert "takes too long" in str(written(compiled, {"a": "x" * 50_000}))
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "value",
    ["\r\nBcc: x@evil.example", "a\n.\nMAIL FROM:<x>", "\r.\r", "\x00.", "{{ 7 | times: 7 }}{% raw %}",
     "</p><script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "P" * 32, "\u2028\u2029\x85",
     "k1 token_bytes __import__('os')"],
)  # fmt: skip
def test_a_value_stays_a_value(value: str) -> None:
    html = '<p title="{{ contact.a }}">{{ contact.a }}</p>\n{{ contact.a }}\n<a href="{{ contact.a }}">x</a>'
    compiled, ordinary = both(html, "{{ contact.a }}\n{{ contact.a }}", "Dear {{ contact.a }}")
    content = compiled_alone(compiled, {"a": value})
    assert content == written(ordinary, {"a": value})
    assert_fit_for_the_wire(content)
    assert written(compiled, {"a": value}, name=value) == written(ordinary, {"a": value}, name=value)
    assert b"<script" not in content.partition(b"text/html")[2]
    assert not re.search(rb"(?m)^Bcc:", content.partition(b"\r\n\r\n")[0])


@pytest.mark.parametrize(
    "text",
    ["'''\"\"\"\\n\n", "k1\n", "{{ contact['\"); raise SystemExit #'] }}\n", "{% assign class = 1 %}{{ class }}\n"],
)
def test_no_text_of_an_author_becomes_code(text: str) -> None:
    compiled, ordinary = both(text, text, text.strip())
    assert compiled_alone(compiled, {}) == written(ordinary, {})


@pytest.mark.parametrize("address", ["anna", "a@b@c", "a@x.example\r\nBcc: x", "ä@x.example", "a,b@x.example", ""])
def test_a_bad_address_has_the_same_words(address: str) -> None:
    compiled, ordinary = both("", "x")
    words = []
    for form in (compiled, ordinary):
        with pytest.raises(RenderError) as refused:
            form.write(MESSAGE_ID, TOKEN, address, "", {}, NOW)
        words.append(str(refused.value))
    assert words[0] == words[1]


def test_a_sender_nobody_can_write_from_is_refused_for_each_mail() -> None:
    compiled, ordinary = both("", "x", who=Letterhead("", "nobody"))
    assert written(compiled, {}) == written(ordinary, {}) == "“nobody” is not one e-mail address."


def test_every_mail_has_its_own_address_to_opt_out_by_mail() -> None:
    addresses = OptOutAddresses(CONFIG, "leave@mail.example.org")
    compiled, ordinary = both("", "x", who=replace(WHO, opt_out_address=addresses.of(3)))
    for message_id in (17, 2**40):
        given = (MESSAGE_ID, TOKEN, "anna@example.net", "", {}, NOW, addresses.of(message_id))
        mail = compiled.write(*given)
        assert mail == ordinary.write(*given)
        assert f"<mailto:{addresses.of(message_id)}?subject=unsubscribe>".encode() in mail
        assert mail.count(b"mailto:") == 1
    inert = (MESSAGE_ID, PREVIEW_TOKEN, "anna@example.net", "", {}, NOW)
    assert b"mailto:" not in compiled.write(*inert)
    assert b"mailto:" not in ordinary.write(*inert)


def test_the_date_changes_with_the_second_and_the_zone() -> None:
    compiled, ordinary = both("", "x")
    for moment in (
        NOW,
        NOW.replace(second=6),
        NOW.replace(second=6, microsecond=9),
        NOW,
        NOW.astimezone().replace(year=2027),
    ):
        given = (MESSAGE_ID, TOKEN, "anna@example.net", "", {}, moment)
        assert compiled.write(*given) == ordinary.write(*given)
    with pytest.raises(RenderError):
        compiled.write(MESSAGE_ID, TOKEN, "anna@example.net", "", {}, datetime(2026, 3, 14))


@pytest.mark.parametrize("column", range(40))
def test_links_may_be_broken_anywhere(column: int) -> None:
    html = f"<p>{'x' * column}<a href=\"https://a.example/\">a</a> <a href='https://b.example/'>b</a></p>\n"
    compiled, ordinary = both(html, "")
    assert compiled_alone(compiled, {}) == written(ordinary, {})
