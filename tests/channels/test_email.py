"""The bytes of a mail: checked as bytes, and read back with the standard library."""

import re
from datetime import datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from massmail_plugin.channels.email import EmailParts, build
from massmail_plugin.errors import RenderError

LETTERS = st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"))
NAMES = st.text(LETTERS, max_size=200)
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=600)
HOSTILE = ["\r\nBcc: x@evil.example", "a\nb", "a\rb", "a\x00b", "a\x0bb", "a\x0cb", "a\x85b", "a\u2028b", "a\u2029b"]


def read(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def assert_fit_for_the_wire(content: bytes) -> None:
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", content), "bare CR or LF"
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert content.isascii()
    assert not re.search(rb"\x00", content)
    for word in re.findall(rb"=\?[^?\s]+\?.\?[^?\s]*\?=", content.partition(b"\r\n\r\n")[0]):
        assert len(word) <= 75


def lines(text: str) -> list[str]:
    return re.split(r"\r\n|\r|\n", text.rstrip("\r\n"))


def one_blank(name: str) -> str:
    """Runs of blanks in a name are read as one."""
    return re.sub(r"\s+", " ", name).strip()


def name_of(content: bytes, header: str) -> str:
    """The display name, read word by word; the newer reader puts blanks between words that belong together."""
    raw = message_from_bytes(content)[header]
    name, _ = parseaddr(re.sub(r"\r?\n", "", raw))
    return one_blank(str(make_header(decode_header(name))))


def test_ordinary_mail(mail: Any) -> None:
    content = build(mail(list_unsubscribe_address="leave@crm.example.org"))
    assert_fit_for_the_wire(content)
    head = content.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert b"From: Example Ltd <news@crm.example.org>" in head
    assert b"To: Anna Berg <anna@example.net>" in head
    assert b"Subject: Spring news" in head
    assert b"Date: Sat, 14 Mar 2026 09:30:00 +0000" in head
    assert b"Message-ID: <17.abcdef@crm.example.org>" in head
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in head
    assert b"List-Unsubscribe: <https://crm.example.org/m/u/" + b"x" * 34 + b">," in head
    assert b" <mailto:leave@crm.example.org?subject=unsubscribe>" in head
    assert b"List-Id: News <list-3.crm.example.org>" in head
    assert b"Precedence: bulk" in head
    assert b"Auto-Submitted: auto-generated" in head
    names = [line.split(b":")[0].lower() for line in head if not line.startswith(b" ")]
    assert len(names) == len(set(names))
    assert b"bcc" not in names


def test_list_id_without_or_with_an_odd_title(mail: Any) -> None:
    assert b"List-Id: <list-3.crm.example.org>\r\n" in build(mail(list_id=("", "list-3.crm.example.org")))
    content = build(mail(list_id=("Neuigkeiten für\r\nBcc: x", "list-3.crm.example.org")))
    assert_fit_for_the_wire(content)
    assert read(content)["Bcc"] is None


def test_text_stands_before_html(mail: Any) -> None:
    message = read(build(mail()))
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert [part.get_content_charset() for part in message.iter_parts()] == ["utf-8", "utf-8"]
    assert read(build(mail(html=None))).get_content_type() == "text/plain"


def test_same_parts_give_same_bytes(mail: Any) -> None:
    assert build(mail()) == build(mail())


def test_transactional_mail_has_no_bulk_headers(mail: Any) -> None:
    content = build(mail(bulk=False, list_unsubscribe_url=None, list_id=None))
    assert not re.search(rb"(?i)precedence|auto-submitted|list-", content)


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("field", ["subject", "from_name"])
def test_a_value_cannot_become_a_header(mail: Any, field: str, hostile: str) -> None:
    with pytest.raises(RenderError):
        build(mail(**{field: hostile}))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_headers_and_addresses_refuse_control_characters(mail: Any, hostile: str) -> None:
    for changed in (
        {"headers": {"X-Note": hostile}},
        {"headers": {hostile: "x"}},
        {"to_address": f"anna@example.net{hostile}"},
        {"from_address": f"news{hostile}@example.net"},
        {"reply_to": f"{hostile}@example.net"},
        {"message_id": f"1{hostile}@example.net"},
        {"list_unsubscribe_url": f"https://crm.example.org/{hostile}"},
        {"list_id": ("News", f"{hostile}.example.org")},
    ):
        with pytest.raises(RenderError):
            build(mail(**changed))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_line_breaks_in_a_contacts_name_become_blanks(mail: Any, hostile: str) -> None:
    content = build(mail(to_name=hostile))
    assert_fit_for_the_wire(content)
    message = read(content)
    assert message["Bcc"] is None
    assert len(message["To"].addresses) == 1


@pytest.mark.parametrize(
    "address",
    [
        "a@x.example,b@x.example", "a@x.example b@x.example", '"a" <b@x.example>', "g:a@x.example;", "anna",
        "@x.example",
        "a@", "a@@x.example", "a b@x.example", "a@x..example", "a@-x.example", "ä@x.example", f"{'a' * 65}@x.example",
        "=?utf-8?q?a?=@x.example>", "a@x.example>\r\nRCPT TO:<evil@x.example>", "a@[127.0.0.1]", ".a@x.example",
    ],
)  # fmt: skip
def test_only_one_plain_address(mail: Any, address: str) -> None:
    with pytest.raises(RenderError):
        build(mail(to_address=address))


def test_domains_in_other_scripts_go_out_as_ascii(mail: Any) -> None:
    assert b"<anna@xn--bcher-kva.example>" in build(mail(to_address="anna@bücher.example"))
    assert b"<anna@xn--strae-oqa.example>" in build(mail(to_address="anna@straße.example"))


@pytest.mark.parametrize("name", ["Bcc", "From", "RECEIVED", "Return-Path", "DKIM-Signature", "X Y", "X:", "Ü", ""])
def test_forbidden_header_names(mail: Any, name: str) -> None:
    with pytest.raises(RenderError):
        build(mail(headers={name: "x"}))


@pytest.mark.parametrize("url", ["ftp://x.example", "javascript:alert(1)", "https://x.example/a,b", "https://x/ y", ""])
def test_odd_ways_out_are_refused(mail: Any, url: str) -> None:
    with pytest.raises(RenderError):
        build(mail(list_unsubscribe_url=url))


def test_a_naive_date_is_refused(mail: Any) -> None:
    with pytest.raises(RenderError):
        build(mail(date=datetime(2026, 3, 14)))


def test_long_way_out_stays_plain(mail: Any) -> None:
    url = "https://crm.example.org/m/u/" + "a" * 700
    content = build(mail(list_unsubscribe_url=url, list_unsubscribe_address="leave+" + "b" * 50 + "@crm.example.org"))
    assert f"List-Unsubscribe: <{url}>,\r\n <mailto:leave+".encode() in content
    assert_fit_for_the_wire(content)


@pytest.mark.parametrize("ending", ["\n.\n", "\r.\r", "\n.\r\n", "\r.\n", "\r\n.\r\r\n", "\r\n\x00.\r\n", "\n..\nx"])
def test_no_end_of_data_inside(mail: Any, ending: str) -> None:
    content = build(mail(text=f"a{ending}MAIL FROM:<x>", html=f"a{ending}MAIL FROM:<x>"))
    assert_fit_for_the_wire(content)
    assert b"\r\n.\r\n" not in content


@settings(max_examples=100, deadline=None)
@given(subject=NAMES, from_name=NAMES, to_name=NAMES, text=TEXTS, html=TEXTS)
def test_what_goes_in_can_be_read_back(
    mail: Any, subject: str, from_name: str, to_name: str, text: str, html: str
) -> None:
    parts: EmailParts = mail(subject=subject, from_name=from_name, to_name=to_name, text=text, html=html)
    content = build(parts)
    assert_fit_for_the_wire(content)
    message = read(content)
    assert message["Subject"] == subject
    assert [str(a.addr_spec) for a in message["To"].addresses] == ["anna@example.net"]
    assert name_of(content, "To") == one_blank(to_name)
    assert name_of(content, "From") == one_blank(from_name)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    plain, rich = message.iter_parts()
    assert lines(plain.get_content()) == lines(text)
    assert lines(rich.get_content()) == lines(html)


@settings(max_examples=60, deadline=None)
@given(word=st.text(st.sampled_from("ab=?_.,;<>@\"'\\() "), max_size=300))
def test_punctuation_in_names_and_subjects(mail: Any, word: str) -> None:
    content = build(mail(subject=word, to_name=word))
    assert_fit_for_the_wire(content)
    message = read(content)
    assert message["Subject"] == word
    assert name_of(content, "To") == one_blank(word)
    assert message["To"].addresses[0].addr_spec == "anna@example.net"
