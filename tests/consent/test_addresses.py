"""The strict check of an address, its normalised form, and that the rough checks in SQL agree with both."""

import pytest
from email_validator import validate_email
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import String, create_engine, literal, select

from massmail_plugin.consent.addresses import (
    _EVERYDAY,
    absent_sql,
    envelope_form,
    fault,
    normalised,
    normalised_sql,
    spellings,
    trimmed_sql,
    unusable_sql,
    usable,
)
from massmail_plugin.contracts import Host

GOOD = (
    "a@b.test",
    "Jane.Doe+news@Example.org",
    "o'brien@example.org",
    "user@bücher.example.org",
    "user@xn--bcher-kva.example.org",
    "x" * 64 + "@example.org",
)
BAD = (
    "",
    "   ",
    "nobody",
    "a@b.test>\r\nRCPT TO:<evil@x>",
    "a@b.test evil@x",
    '"a@good.test" <evil@x>',
    "alice@good.test <evil@x>",
    "a@x.test,b@x.test;c@x.test",
    "g:a@x.test,b@x.test;",
    "=?utf-8?q?a=40b?=@",
    "user@[127.0.0.1]",
    "user@localhost",
    "user@example.org.",
    "y" * 65 + "@example.org",
    "user@xn--a.example.org",
    "us\u202eer@example.org",
    "us\u200der@example.org",
    "a@b.test\n",
    "a@b.test\x00",
    "ünï@example.org",
    '"a b"@example.org',
    "a@b@c.test",
    ".a@b.test",
    "a..b@c.test",
    "a@-b.test",
)


@pytest.mark.parametrize("address", GOOD)
def test_an_address_that_can_be_written_to(address: str) -> None:
    assert fault(address) == ""


@pytest.mark.parametrize("address", BAD)
def test_a_text_that_is_no_address_is_refused_in_words(address: str) -> None:
    assert not usable(address)
    assert fault(address).endswith(".")


def test_normalised() -> None:
    assert normalised("  Jane.DOE@Example.ORG ") == "jane.doe@example.org"
    assert normalised("U@BÜCHER.example") == normalised("u@xn--bcher-kva.example")
    assert normalised("nonsense \x00") == "nonsense \x00"
    assert normalised("a@\u202e.test") == "a@\u202e.test"
    assert envelope_form(" Jane@Bücher.example ") == "Jane@xn--bcher-kva.example"


def test_sql_says_the_same(host: Host) -> None:
    for address in (*GOOD, " Jane@Example.org  "):
        column = literal(address)
        gone, odd, same = host.session.execute(
            select(absent_sql(column), unusable_sql(trimmed_sql(column)), normalised_sql(column))
        ).one()
        assert not gone
        assert not odd
        assert same in spellings(address)
    for address in BAD[3:9]:
        assert host.session.scalar(select(unusable_sql(trimmed_sql(literal(address)))))
    for nothing in ("", "   ", None):
        assert host.session.scalar(select(absent_sql(literal(nothing, String))))


ENGINE = create_engine("sqlite://")


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=40) | st.emails())
def test_sql_never_refuses_what_the_strict_check_accepts(address: str) -> None:
    if usable(address):
        with ENGINE.connect() as connection:
            assert not connection.scalar(select(unusable_sql(trimmed_sql(literal(address)))))


@settings(deadline=None, max_examples=300)
@given(
    st.from_regex(r"[a-z0-9]{1,6}(?:[._+-]{1,2}[a-z0-9]{1,4}){0,2}", fullmatch=True),
    st.from_regex(
        r"[a-z0-9-]{1,6}(?:\.[a-z0-9-]{1,6}){0,2}\.(?:com|de|museum|local|test|arpa|x1|example)", fullmatch=True
    ),
)
def test_what_looks_like_any_address_is_one_for_the_strict_check_too(local: str, domain: str) -> None:
    """The quick look saves the strict check; it must not let anything through that the strict one refuses."""
    address = f"{local}@{domain}"
    if _EVERYDAY.fullmatch(address):
        validate_email(address, allow_smtputf8=False, check_deliverability=False, test_environment=True, strict=True)
