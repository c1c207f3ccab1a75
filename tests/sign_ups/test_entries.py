"""What visitors fill in: slips of the hand are found, nothing odd is stored, and a silent DNS stops nobody."""

import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace

import dns.exception
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from massmail_plugin import sign_ups
from massmail_plugin.sign_ups import Entry
from massmail_plugin.sign_ups.mail_domains import BIG, likely_meant, one_slip, takes_no_mail
from massmail_plugin.translations import words_in
from tests.sign_ups.conftest import World

LETTERS = st.text("abc.", max_size=6)


def filled(world: World, given: Mapping[str, str], *, meant: bool = False) -> Entry:
    words = words_in(["en"], world.host.config)
    return sign_ups.fill_in(world.host, world.form(), given, words, address_is_meant=meant)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("anna@gmial.com", "anna@gmail.com"),
        ("anna@gmail.con", "anna@gmail.com"),
        ("anna@gmail.co", "anna@gmail.com"),
        ("anna@hotmial.com", "anna@hotmail.com"),
        ("anna@Yahooo.com", "anna@yahoo.com"),
        ("anna@libero.il", "anna@libero.it"),
        ("anna@wanado.fr", "anna@wanadoo.fr"),
        ("anna@gmail.com", ""),
        ("anna@mail.com", ""),
        ("anna@line.com", ""),
        ("anna@example.org", ""),
        ("no address", ""),
    ],
)
def test_a_slip_in_a_big_domain_is_seen(typed: str, meant: str) -> None:
    assert likely_meant(typed) == meant


@pytest.mark.parametrize("domain", sorted(BIG))
def test_no_big_domain_is_a_slip(domain: str) -> None:
    assert likely_meant(f"anna@{domain}") == ""


def steps(text: str) -> set[str]:
    """Every text one slip away, by doing each slip."""
    cuts = [(text[:at], text[at:]) for at in range(len(text) + 1)]
    near = {a + b[1:] for a, b in cuts if b} | {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    near |= {a + c + b for a, b in cuts for c in "abc."} | {a + c + b[1:] for a, b in cuts for c in "abc." if b}
    return near - {text}


@given(LETTERS, LETTERS)
def test_one_slip_is_just_what_one_slip_makes(one: str, other: str) -> None:
    assert one_slip(one, other) == (other in steps(one))


def test_the_visitor_is_asked_and_may_keep_what_they_typed(world: World) -> None:
    assert filled(world, {"email": "anna@gmial.com"}).suggestion == "anna@gmail.com"
    assert filled(world, {"email": "anna@gmial.com"}, meant=True).suggestion == ""


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({}, {"email"}),
        ({"email": "anna"}, {"email"}),
        ({"email": "anna@example.org\r\nBcc: all@example.org"}, {"email"}),
        ({"email": "anna@example.org, ben@example.org"}, {"email"}),
        ({"email": f"{'a' * 250}@example.org"}, {"email"}),
        ({"email": "anna@example.org", "field-city": "Atlantis"}, {"field-city"}),
        ({"email": "anna@example.org", "field-first": "x" * 201}, {"field-first"}),
        ({"email": "anna@example.org", "field-first": "A\x00\u202en\nna", "field-other": "x"}, set()),
    ],
)
def test_each_fault_is_said_at_its_field(world: World, given: dict[str, str], wrong: set[str]) -> None:
    entry = filled(world, given)
    assert set(entry.faults) == wrong
    assert set(entry.answers) == {"first", "city"}
    assert all(answer.isprintable() for answer in entry.answers.values())


# --- The DNS --------------------------------------------------------------------------------------------------

ZONES = {
    ("good.example", "MX"): ["10 mail.good.example."],
    ("null.example", "MX"): ["0 ."],
    ("bare.example", "A"): ["192.0.2.1"],
    ("six.example", "AAAA"): ["2001:db8::1"],
    ("empty.example", "TXT"): ['"nothing here"'],
}


class NameServer:
    """A name server on loopback that knows ZONES; it answers nothing at all while `silent`."""

    def __init__(self) -> None:
        self.silent = False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    def resolver(self) -> dns.resolver.Resolver:
        asked = dns.resolver.Resolver(configure=False)
        asked.nameservers, asked.port = ["127.0.0.1"], self._socket.getsockname()[1]
        return asked

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                packet, client = self._socket.recvfrom(4096)
            except OSError:
                return
            if not self.silent:
                self._socket.sendto(self._answer(dns.message.from_wire(packet)).to_wire(), client)

    def _answer(self, asked: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(asked)
        (question,) = asked.question
        name, kind = question.name.to_text(omit_final_dot=True), question.rdtype.name
        if name == "broken.example":
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif not any(zone == name for zone, _ in ZONES):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif found := ZONES.get((name, kind)):
            answer.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, found))
        return answer


@pytest.fixture
def names() -> Iterator[NameServer]:
    server = NameServer()
    yield server
    server.close()


@pytest.mark.parametrize(
    ("domain", "takes_none"),
    [
        ("good.example", False),
        ("bare.example", False),
        ("six.example", False),
        ("null.example", True),
        ("empty.example", True),
        ("missing.example", True),
        ("broken.example", False),
    ],
)
def test_a_domain_without_mail_is_known_by_its_records(names: NameServer, domain: str, takes_none: bool) -> None:
    assert takes_no_mail(domain, names.resolver()) is takes_none


def test_the_dns_is_asked_where_the_settings_say_so(
    world: World, names: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dns.resolver, "default_resolver", names.resolver())
    typed = {"email": "anna@missing.example"}
    assert filled(world, typed).faults == {}
    world.host = replace(world.host, config=replace(world.host.config, check_mx=True))
    assert "No mail can be sent to “missing.example”" in filled(world, typed).faults["email"]
    assert filled(world, {"email": "anna@good.example"}).faults == {}


def test_a_dns_that_does_not_answer_stops_nobody(names: NameServer) -> None:
    names.silent = True
    assert takes_no_mail("missing.example", names.resolver()) is False
