"""The SMTP carriage against servers that behave, and against every way not to."""

from collections.abc import Callable

import pytest

from massmail_plugin.contracts import Hand, Outgoing
from massmail_plugin.errors import CannotConnect
from massmail_plugin.providers.smtp import SmtpProvider
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import MessageState
from tests.providers.conftest import Journal, account, message, send
from tests.providers.scripted_server import DROP, POLITE, SILENT, ScriptedServer

SENT, DEFERRED = MessageState.SENT, MessageState.DEFERRED
REFUSED, UNCERTAIN = MessageState.REFUSED, MessageState.UNCERTAIN


@pytest.fixture(autouse=True, params=["lock-step", "pipelining"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every server that says nothing else is met twice: with and without PIPELINING."""
    if request.param == "pipelining":
        monkeypatch.setitem(POLITE, "ehlo", POLITE["ehlo"].replace("250 HELP", "250 PIPELINING"))


def carry(provider: SmtpProvider, server: ScriptedServer, journal: Journal, *messages: Outgoing) -> None:
    send(provider, account(server.port), journal, *messages)


def stop(*numbers: int) -> Callable[[Outgoing], Hand]:
    return lambda message: Hand.STOP if message.message_id in numbers else Hand.GO


def test_many_messages_go_over_one_connection(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer() as server:
        carry(provider, server, journal, *(message(n) for n in range(1, 21)))
    assert journal.states == [SENT] * 20
    assert journal.happened[:4] == [("hand", 1), ("sent", 1), ("hand", 2), ("sent", 2)]
    assert len(server.conversations) == 1
    assert server.contents[0] == b"Subject: 1\r\n\r\nHello\r\n"
    assert server.commands[0].startswith(b"EHLO [127.0.0.1]")
    assert server.commands[-1].upper() == b"QUIT"
    assert journal.answers[1].reply is not None
    assert journal.answers[1].reply.text == "2.0.0 queued"


def test_nothing_to_carry_means_no_connection(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer() as server:
        carry(provider, server, journal)
    assert server.conversations == []


def test_mark_is_set_after_rcpt_and_before_content(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer() as server:
        seen: list[tuple[list[bytes], list[bytes]]] = []

        def leave(_: Outgoing) -> Hand:
            seen.append(([c[:4].upper() for c in server.commands], list(server.contents)))
            return Hand.GO

        journal.verdict = leave
        carry(provider, server, journal, message())
    assert seen == [([b"EHLO", b"MAIL", b"RCPT", b"DATA"], [])]


def test_message_that_must_not_go_is_not_sent_and_the_next_one_is(provider: SmtpProvider, journal: Journal) -> None:
    journal.verdict = stop(1)
    with ScriptedServer() as server:
        carry(provider, server, journal, message(1), message(2))
    assert 1 not in journal.answers
    assert journal.states == [SENT]
    assert server.contents == [b"Subject: 2\r\n\r\nHello\r\n"]


def test_mark_that_cannot_be_set_sends_nothing(provider: SmtpProvider, journal: Journal) -> None:
    def fail(_: Outgoing) -> Hand:
        raise RuntimeError("database is down")

    journal.verdict = fail
    with ScriptedServer() as server, pytest.raises(RuntimeError):
        carry(provider, server, journal, message())
    assert server.contents == []


# --- Lost connections -------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
def test_connection_lost_before_content_is_made_again(provider: SmtpProvider, journal: Journal, step: str) -> None:
    with ScriptedServer({step: DROP}, {}) as server:
        carry(provider, server, journal, message(1), message(2))
    assert journal.states == [SENT, SENT]
    assert journal.handed == [1, 2]
    assert len(server.contents) == 2


@pytest.mark.parametrize("step", ["banner", "ehlo", "mail", "rcpt", "data"])
def test_connection_lost_again_is_the_senders_trouble(provider: SmtpProvider, journal: Journal, step: str) -> None:
    with ScriptedServer({step: DROP}) as server, pytest.raises(CannotConnect) as caught:
        carry(provider, server, journal, message(1), message(2))
    assert caught.value.stage == ("greeting" if step in ("banner", "ehlo") else step)
    assert not caught.value.lasting
    assert journal.happened == []


def test_kept_connection_dropped_while_idle_is_not_noticed(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer({"mail": ["250 ok", DROP]}, {}) as server:
        carry(provider, server, journal, message(1), message(2))
    assert journal.states == [SENT, SENT]
    assert len(server.conversations) == 2


@pytest.mark.parametrize("fault", [DROP, SILENT])
def test_no_answer_after_the_final_dot_is_uncertain(provider: SmtpProvider, journal: Journal, fault: str) -> None:
    with ScriptedServer({"dot": fault}, {}) as server:
        carry(provider, server, journal, message(1), message(2))
    assert journal.states == [UNCERTAIN, SENT]
    assert "No answer" in journal.answers[1].note
    assert len(server.contents) == 2


def test_nonsense_after_the_final_dot_is_uncertain(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer({"dot": "hello there"}, {}) as server:
        carry(provider, server, journal, message(1), message(2))
    assert journal.states == [UNCERTAIN, SENT]


def test_hanging_up_in_the_middle_of_a_message_defers_it(provider: SmtpProvider, journal: Journal) -> None:
    big = message(1, content=b"Subject: big\r\n\r\n" + b"x" * 70 + b"\r\n" * 4_000_000)
    with ScriptedServer({"ehlo": "250 hi"}) as server:

        def leave(m: Outgoing) -> Hand:
            if m.message_id == 1:
                server.hang_up()
            return Hand.GO

        journal.verdict = leave
        carry(provider, server, journal, big, message(2))
    assert journal.states == [DEFERRED, SENT]
    assert "before the message was complete" in journal.answers[1].note


def test_refusal_before_the_dot_is_the_answer(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer({"data": "354 go\r\n552 5.3.4 too big after all"}, {}) as server:
        carry(provider, server, journal, message(1), message(2))
    assert journal.states == [REFUSED, SENT]
    assert len(server.contents) == 1


# --- 421: the server wants to end the conversation --------------------------------------------------------


@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
def test_421_reopens_the_connection(provider: SmtpProvider, journal: Journal, step: str) -> None:
    enough = "421 4.7.0 enough for this connection"
    good = {"mail": "250 ok", "rcpt": "250 ok", "data": "354 go"}[step]
    with ScriptedServer({step: [good, good, enough]}, {}) as server:
        carry(provider, server, journal, *(message(n) for n in range(1, 6)))
    assert journal.states == [SENT] * 5
    assert len(server.conversations) == 2
    assert len(server.contents) == 5


def test_421_after_the_dot_defers_and_reopens(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer({"dot": "421 4.3.2 shutting down"}, {}) as server:
        carry(provider, server, journal, message(1), message(2))
    assert journal.states == [DEFERRED, SENT]


def test_421_to_every_recipient_defers_each(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer({"rcpt": "421 4.7.1 later"}) as server:
        carry(provider, server, journal, message(1), message(2))
    assert journal.states == [DEFERRED, DEFERRED]
    assert journal.handed == []


@pytest.mark.parametrize("step", ["banner", "mail"])
def test_421_to_the_sender_stops_without_touching_the_message(
    provider: SmtpProvider, journal: Journal, step: str
) -> None:
    with ScriptedServer({step: "421 4.7.0 try later"}) as server, pytest.raises(CannotConnect) as caught:
        carry(provider, server, journal, message())
    assert "421" in str(caught.value)
    assert not caught.value.lasting
    assert journal.happened == []


def test_421_to_quit_disturbs_nobody(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer({"quit": "421 4.3.2 whatever"}) as server:
        carry(provider, server, journal, message())
    assert journal.states == [SENT]


# --- Refusals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "answer", "state"),
    [
        ("mail", "451 4.3.0 busy", DEFERRED),
        ("rcpt", "450 4.2.0 greylisted", DEFERRED),
        ("rcpt", "452 4.2.2 mailbox full", DEFERRED),
        ("rcpt", "550 5.1.1 nobody here", REFUSED),
        ("rcpt", "550 5.7.1 not from you", REFUSED),
        ("rcpt", "550 4.1.1 codes disagree", DEFERRED),
        ("data", "451 4.3.5 later", DEFERRED),
        ("data", "554 5.5.1 no valid recipients", REFUSED),
        ("dot", "451 4.7.1 greylisted", DEFERRED),
        ("dot", "554 5.6.0 content rejected", REFUSED),
        ("mail", "552 5.3.4 too big", REFUSED),
    ],
)
def test_refusal_of_one_message_leaves_its_neighbours_alone(
    provider: SmtpProvider, journal: Journal, step: str, answer: str, state: MessageState
) -> None:
    good = {"mail": "250 ok", "rcpt": "250 ok", "data": "354 go", "dot": "250 ok"}[step]
    with ScriptedServer({step: [good, answer, good]}) as server:
        carry(provider, server, journal, message(1), message(2), message(3))
    assert journal.states == [SENT, state, SENT]
    assert len(server.conversations) == 1
    reply = journal.answers[2].reply
    assert reply is not None
    assert f"{reply.code} {reply.text}" == answer


@pytest.mark.parametrize(
    ("step", "answer", "lasting"),
    [
        ("mail", "550 5.7.26 not authenticated", True),
        ("mail", "421 4.7.28 rate", False),
        ("mail", "450 4.7.28 rate", False),
        ("mail", "530 5.7.0 log in first", True),
        ("rcpt", "550 5.7.26 not authenticated", True),
        ("rcpt", "450 4.7.28 rate", False),
        ("data", "550 5.7.515 not authenticated", True),
    ],
)
def test_fault_of_the_sender_touches_no_recipient(
    provider: SmtpProvider, journal: Journal, step: str, answer: str, lasting: bool
) -> None:
    with ScriptedServer({step: answer}) as server, pytest.raises(CannotConnect) as caught:
        carry(provider, server, journal, message(1), message(2))
    assert caught.value.stage == step
    assert caught.value.lasting is lasting
    assert journal.happened == []
    assert answer[4:] in str(caught.value)


def test_sender_address_the_server_does_not_want_is_the_senders_fault(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer({"mail": "553 5.7.1 not your address"}) as server, pytest.raises(CannotConnect) as caught:
        carry(provider, server, journal, message())
    assert caught.value.lasting


def test_fault_of_the_sender_after_the_dot_defers_and_stops(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer({"dot": "550 5.7.26 not authenticated"}) as server, pytest.raises(CannotConnect) as caught:
        carry(provider, server, journal, message(1), message(2))
    assert caught.value.lasting
    assert journal.states == [DEFERRED]


# --- Extensions -------------------------------------------------------------------------------------------


def test_size_is_declared_and_a_message_over_it_is_refused_alone(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer({"ehlo": "250-hi\r\n250 SIZE 1000"}) as server:
        carry(provider, server, journal, message(1), message(2, content=b"x" * 1001), message(3))
    assert journal.states == [SENT, REFUSED, SENT]
    reply = journal.answers[2].reply
    assert reply is not None
    assert reply.meaning is Meaning.MESSAGE
    assert b"MAIL FROM:<news@shop.example> SIZE=21" in [c[:41] for c in server.commands]


def test_size_zero_means_no_limit(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer({"ehlo": "250-hi\r\n250 SIZE 0"}) as server:
        carry(provider, server, journal, message())
    assert journal.states == [SENT]


def test_extension_offered_and_then_refused_is_done_without(provider: SmtpProvider, journal: Journal) -> None:
    refuse_once = ["555 5.5.4 unknown parameter", "250 ok", "250 ok"]
    with ScriptedServer({"mail": refuse_once}) as server:
        carry(provider, server, journal, message(1), message(2))
    assert journal.states == [SENT, SENT]
    assert [c for c in server.commands if c.startswith(b"MAIL")][1:] == [b"MAIL FROM:<news@shop.example>"] * 2


def test_letters_outside_ascii_before_the_at_need_smtputf8(provider: SmtpProvider, journal: Journal) -> None:
    cyrillic = message(1, rcpt_to="почта@example.org")
    with ScriptedServer({"ehlo": "250 hi"}) as server:
        carry(provider, server, journal, cyrillic, message(2))
    assert journal.states == [REFUSED, SENT]
    reply = journal.answers[1].reply
    assert reply is not None
    assert reply.meaning is Meaning.MESSAGE


def test_smtputf8_is_used_where_offered(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer() as server:
        carry(provider, server, journal, message(1, rcpt_to="почта@почта.example"))
    assert journal.states == [SENT]
    assert any(c.endswith(b"BODY=8BITMIME SMTPUTF8") for c in server.commands)
    assert "RCPT TO:<почта@xn--80a1acny.example>".encode() in server.commands


def test_smtputf8_offered_and_refused_refuses_that_row_alone(provider: SmtpProvider, journal: Journal) -> None:
    no = "555 5.5.4 no such parameter"
    answers = [no, no, "250 ok"]
    with ScriptedServer({"mail": answers}) as server:
        carry(provider, server, journal, message(1, rcpt_to="почта@example.org"), message(2))
    assert journal.states == [REFUSED, SENT]


def test_eight_bit_text_needs_8bitmime(provider: SmtpProvider, journal: Journal) -> None:
    raw = "Subject: x\r\n\r\nGrüße\r\n".encode()
    with ScriptedServer({"ehlo": "250 hi"}) as server:
        carry(provider, server, journal, message(1, content=raw))
    assert journal.states == [REFUSED]
    other = Journal()
    with ScriptedServer() as server:
        carry(provider, server, other, message(1, content=raw))
    assert other.states == [SENT]
    assert server.contents == [raw]


# --- Bytes ------------------------------------------------------------------------------------------------

SMUGGLING = [
    b"\n.\n",
    b"\n.\r",
    b"\r.\n",
    b"\r.\r",
    b"\n.\r\n",
    b"\r.\r\n",
    b"\r\n.\r\n",
    b"\r\n.\n",
    b"\r\n\x00.\r\n",
    b"\r\n.\r\r\n",
]


@pytest.mark.parametrize("end", SMUGGLING, ids=[end.hex() for end in SMUGGLING])
def test_no_body_can_smuggle_a_second_message(provider: SmtpProvider, journal: Journal, end: bytes) -> None:
    inner = b"MAIL FROM:<evil@x.example>\r\nRCPT TO:<victim@x.example>\r\nDATA\r\nSubject: two\r\n\r\nboo"
    with ScriptedServer() as server:
        carry(provider, server, journal, message(1, content=b"Subject: one\r\n\r\nhi" + end + inner), message(2))
    assert journal.states == [SENT, SENT]
    assert len(server.contents) == 2
    assert sum(c.startswith(b"RCPT") for c in server.commands) == 2
    wire = server.contents[0]
    assert b"\n" not in wire.replace(b"\r\n", b"")
    assert b"\r" not in wire.replace(b"\r\n", b"")


@pytest.mark.parametrize("body", [b".", b"..", b".\r\n.\r\n..\r\n.a", b"a\r\n.", b"\r\n\r\n."])
def test_dots_arrive_as_they_left(provider: SmtpProvider, journal: Journal, body: bytes) -> None:
    content = b"Subject: dots\r\n\r\n" + body + b"\r\n"
    with ScriptedServer() as server:
        carry(provider, server, journal, message(1, content=content))
    arrived = b"\r\n".join(line[1:] if line.startswith(b".") else line for line in server.contents[0].split(b"\r\n"))
    assert arrived == content


def test_first_line_may_begin_with_a_dot(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer() as server:
        carry(provider, server, journal, message(1, content=b".\r\nMAIL FROM:<evil@x>\r\n"))
    assert server.contents == [b"..\r\nMAIL FROM:<evil@x>\r\n"]


@pytest.mark.parametrize(
    "address",
    [
        "a@b.test>\r\nRCPT TO:<evil@x.test",
        "a@b.test> SIZE=1",
        "a b@c.test",
        "Alice <a@b.test>",
        "a@b.test,c@d.test",
        "nobody",
        "",
        "a@",
        "@b.test",
        "a\x00@b.test",
        "a@b\u2028.test",
        "x" * 65 + "@b.test",
        "a@" + "b" * 260,
        "a@-b.test",
    ],
)
def test_address_that_is_none_refuses_its_row_alone(provider: SmtpProvider, journal: Journal, address: str) -> None:
    with ScriptedServer() as server:
        carry(provider, server, journal, message(1, rcpt_to=address), message(2))
    assert journal.states == [REFUSED, SENT]
    assert len([c for c in server.commands if c.startswith(b"RCPT")]) == 1


def test_quoted_local_part_and_domain_literal_are_addresses(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer() as server:
        carry(provider, server, journal, message(1, rcpt_to='"a b"@c.test'), message(2, rcpt_to="a@[127.0.0.1]"))
    assert journal.states == [SENT, SENT]


def test_sender_address_that_is_none_is_the_senders_fault(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer() as server, pytest.raises(CannotConnect) as caught:
        carry(provider, server, journal, message(1, mail_from="Shop <news@shop.example>"))
    assert (caught.value.stage, caught.value.lasting) == ("mail", True)


# --- Servers that are not there ---------------------------------------------------------------------------


def test_nobody_listens(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer() as server:
        port = server.port
    with pytest.raises(CannotConnect, match="refuses connections") as caught:
        send(provider, account(port), journal, message())
    assert (caught.value.stage, caught.value.lasting) == ("connect", False)


def test_no_such_host(provider: SmtpProvider, journal: Journal) -> None:
    with pytest.raises(CannotConnect, match="no server by the name") as caught:
        send(provider, account(25, host="no-such-host.invalid"), journal, message())
    assert caught.value.stage == "resolve"


def test_not_a_mail_server(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer({"banner": "SSH-2.0-OpenSSH_9.6"}) as server, pytest.raises(CannotConnect) as caught:
        carry(provider, server, journal, message())
    assert "2.0-OpenSSH" in str(caught.value)
    assert caught.value.stage == "greeting"


def test_silent_server_is_left_after_the_wait(journal: Journal) -> None:
    with ScriptedServer({"banner": SILENT}) as server, pytest.raises(CannotConnect, match="silent for too long"):
        carry(SmtpProvider(command_seconds=0.3), server, journal, message())


def test_old_server_that_knows_only_helo(provider: SmtpProvider, journal: Journal) -> None:
    with ScriptedServer({"ehlo": "502 5.5.1 unknown"}) as server:
        carry(provider, server, journal, message())
    assert journal.states == [SENT]
    assert b"MAIL FROM:<news@shop.example>" in server.commands
