"""RFC 3461: a later report about a message names our row and the address it was sent to."""

import re

from hypothesis import given
from hypothesis import strategies as st

from massmail_plugin.providers.smtp import SmtpProvider
from massmail_plugin.providers.smtp.envelope import xtext
from massmail_plugin.vocabulary import MessageState
from tests.providers.conftest import Journal, account, message, send
from tests.providers.scripted_server import ScriptedServer

DSN = "250-hi\r\n250-DSN\r\n250-SMTPUTF8\r\n250-8BITMIME\r\n250 PIPELINING"
WITH = [
    b"MAIL FROM:<news@shop.example> RET=HDRS ENVID=41",
    b"RCPT TO:<a+b=c@example.org> NOTIFY=FAILURE,DELAY ORCPT=rfc822;a+2Bb+3Dc@example.org",
]
WITHOUT = [b"MAIL FROM:<news@shop.example>", b"RCPT TO:<a+b=c@example.org>"]


def envelopes(server: ScriptedServer) -> list[bytes]:
    return [command for command in server.commands if command.startswith((b"MAIL", b"RCPT"))]


def test_reports_are_asked_for_where_offered(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer({"ehlo": DSN}) as server:
        send(provider, account(server.port), journal, message(41, rcpt_to="a+b=c@example.org"))
    assert envelopes(server) == WITH


def test_no_report_is_asked_for_where_not_offered(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer({"ehlo": "250-hi\r\n250 PIPELINING"}) as server:
        send(provider, account(server.port), journal, message(41, rcpt_to="a+b=c@example.org"))
    assert envelopes(server) == WITHOUT


def test_server_that_refuses_what_it_offers_gets_the_message_without(provider: SmtpProvider, journal: Journal) -> None:
    for step in ("mail", "rcpt"):
        answers = {step: ["555 5.5.4 unsupported option", *["250 ok"] * 5]}
        taken = Journal()
        with ScriptedServer({"ehlo": DSN, **answers}) as server:
            two = [message(number, rcpt_to="a+b=c@example.org") for number in (41, 42)]
            send(provider, account(server.port), taken, *two)
        assert taken.states == [MessageState.SENT] * 2
        assert envelopes(server)[2:] == WITHOUT * 2


def test_address_that_is_refused_either_way_costs_the_others_nothing(provider: SmtpProvider, journal: Journal) -> None:
    answers = ["501 5.1.3 bad address", "501 5.1.3 bad address", "250 ok"]
    with ScriptedServer({"ehlo": DSN, "rcpt": answers}) as server:
        send(provider, account(server.port), journal, message(1), message(2))
    assert journal.states == [MessageState.REFUSED, MessageState.SENT]
    assert b"ENVID=2" in envelopes(server)[-2]


def test_letters_outside_ascii_are_in_no_original_recipient(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer({"ehlo": DSN}) as server:
        send(provider, account(server.port), journal, message(1, rcpt_to="почта@example.org"))
    assert journal.states == [MessageState.SENT]
    assert not any(b"ORCPT" in command for command in server.commands)


@given(st.text(st.characters(max_codepoint=255)))
def test_xtext_is_printable_and_can_be_read_back(text: str) -> None:
    coded = xtext(text)
    assert re.fullmatch(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*", coded)
    assert re.sub(r"\+([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), coded) == text
