"""Whatever comes in, the reader does not stumble, and takes neither long nor much memory."""

import io
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from massmail_plugin.feedback.reports import ReportKind, read_report
from tests.cpu_time import best_of

DAEMON = b"From: MAILER-DAEMON@mx.example\nSubject: failure notice\n"
REPORT = (
    DAEMON + b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
    b"--b\nContent-Type: message/rfc822\n\nFrom: news@crm.example\nTo: anna@shop.example\n\n"
)
STATUS = (
    b"\n--b\nContent-Type: message/delivery-status\n\n"
    b"Final-Recipient: rfc822; anna@shop.example\nAction: failed\nStatus: 5.1.1\n\n--b--\n"
)

# Words mails are made of, so that arbitrary mails reach every corner of the reader.
PIECES = [
    *(DAEMON, b"\n", b"\n\n", b"\r", b"\0", b"--b\n", b"--b--\n", b"Content-Type: multipart/mixed; boundary=b\n"),
    *(
        b"Content-Type: message/delivery-status\n\n",
        b"Content-Type: message/rfc822\n\n",
        b"Content-Type: text/html\n\n",
    ),
    *(b"Content-Type: message/feedback-report\n\nFeedback-Type: abuse\n", b"Content-Transfer-Encoding: base64\n"),
    *(b"Content-Transfer-Encoding: quoted-printable\n", b"Content-Type: text/plain; charset=", b"iso-2022-jp\n\n"),
    *(b"Final-Recipient: rfc822; ", b"Action: failed\n", b"Status: 5.1.1\n", b"a@b.example", b"<a@b.example>: 550 "),
    *(
        b"=?utf-8?q?=",
        b"=?=",
        b"could not be delivered to ",
        b"Received: from x for <a@b.example>\n",
        b"<style",
        b"<!--",
    ),
    *(b'{"notificationType":"Bounce","bounce":', b"{}", b"[", b"X-Failed-Recipients: ", b"(generated from ", b"\x1b$B"),
]
pieces = st.sampled_from(PIECES)
mails = st.lists(st.one_of(pieces, st.binary(max_size=40)), max_size=60).map(b"".join)


@given(st.binary(max_size=2000))
def test_any_bytes_are_read(raw):
    read_report(raw)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(mails)
def test_any_mail_is_read_alike_from_bytes_and_from_a_stream(raw):
    assert read_report(raw) == read_report(io.BytesIO(raw))


BOMBS = {
    "fields": b"A: b\n" * 200_000,
    "one-field": b"Subject: " + b"x " * 500_000 + b"\n\nhi",
    "folded-field": b"Subject: a\n" + b" y\n" * 300_000 + b"\nhi",
    "encoded-words": b"Subject: " + b"=?utf-8?b?/////?= " * 5_000 + b"\n\nhi",
    "references": b"References: " + b"<a@b> " * 100_000 + b"\n\nhi",
    "parameters": b"Content-Type: multipart/mixed; " + b"a=" * 100_000 + b"\n\nhi",
    "multiparts-in-multiparts": b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (number, number) for number in range(500)
    ),
    "one-boundary-for-all": DAEMON
    + b"Content-Type: multipart/mixed; boundary=b\n\n"
    + b"--b\nContent-Type: multipart/mixed; boundary=b\n\n" * 5_000,
    "mails-in-mails": b"Content-Type: message/rfc822\n\n" * 500,
    "parts": DAEMON + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 50_000,
    "at-signs": DAEMON + b"\n" + b"@" * 200_000,
    "addresses": DAEMON + b"\n" + b"a@b.example " * 20_000,
    "address-without-end": DAEMON + b"\nfailed a@" + b"a." * 100_000,
    "quotes": DAEMON + b'\nfailed "' + b"\\a" * 100_000,
    "recipients": DAEMON + b"Content-Type: message/delivery-status\n\n" + STATUS.partition(b"status\n\n")[2] * 5_000,
    "tags": DAEMON + b"Content-Type: text/html\n\n" + b"<style><!-- <a " * 15_000,
    "open-tags": DAEMON + b"Content-Type: text/html\n\n" + b"<" * 200_000,
    "json": DAEMON + b'\n{"notificationType":' + b"[" * 200_000,
    "json-of-another-shape": DAEMON + b'\n{"notificationType":"Bounce","bounce":[1],"mail":{"headers":[1,{}]}}',
    "nul": b"\0" * 300_000,
    "carriage-returns": b"\r" * 300_000,
    "quotations": DAEMON + b"\n" + b"> a@b.example failed\n" * 5_000,
    "spaces": DAEMON + b"\nfailed " + b" " * 200_000 + b"a@b.example",
    "return-path": b"To: " + b"a+" * 3_000 + b"=b.example@crm.example\n" + DAEMON + b"\nnot delivered",
    "aliases": DAEMON + b"\n" + b"(generated from " * 2_000 + b"a@b.example\n",
    "pleas": DAEMON + b"\n" + (b"please send " * 160 + b"a@b.example\n") * 700,
}


@pytest.mark.parametrize("raw", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_takes_a_moment(raw):
    assert best_of(3, 1, lambda: read_report(raw))[0] < 1


@pytest.mark.parametrize(
    "charset", ["x-nothing", "zlib_codec", "idna", "punycode", "utf-16", "unicode_escape", "\xff", ""]
)
@pytest.mark.parametrize("body", [b"\xff\xfe\x80 <anna@shop.example>: 550 user unknown", b"x" * 500 + b"-", b"\\N{"])
def test_an_unknown_or_wrong_charset_does_no_harm(charset, body):
    report = read_report(DAEMON + f"Content-Type: text/plain; charset={charset}\n\n".encode("latin-1") + body)
    assert report.kind in (ReportKind.BOUNCE, ReportKind.NONE)


@pytest.mark.parametrize("charset", ["x-nothing", "iso-8859-1", "us-ascii", "gb2312", "unknown-8bit"])
def test_the_address_is_found_whatever_the_charset_claims(charset):
    body = b"<anna@shop.example>:\n550 5.1.1 unbekannt \xfc\xe4\n"
    report = read_report(DAEMON + b"Content-Type: text/plain; charset=" + charset.encode() + b"\n\n" + body)
    assert [one.address for one in report.recipients] == ["anna@shop.example"]


@pytest.mark.parametrize(
    "raw",
    [
        REPORT.replace(b"boundary=b", b"boundary=other") + STATUS,
        REPORT.replace(b"boundary=b", b'boundary="b') + STATUS,
        REPORT.replace(b"; boundary=b", b"") + STATUS,
        (REPORT + STATUS).replace(b"--b--", b""),
        (REPORT + STATUS).replace(b"multipart/report", b"MULTIPART/Report"),
        (REPORT + STATUS).replace(b"\n", b"\r"),
        b"   \n\n" + REPORT + STATUS,
    ],
    ids=["other boundary", "open quote", "no boundary", "no end", "capitals", "old line ends", "leading space"],
)
def test_a_broken_multipart_still_names_its_recipient(raw):
    report = read_report(raw)
    assert report.kind is ReportKind.BOUNCE
    assert report.recipients[0].address == "anna@shop.example"


class Huge(io.RawIOBase):
    """A mail of any size that exists only while it is read: a beginning, `times` the same piece, an end."""

    def __init__(self, start: bytes, piece: bytes, times: int, end: bytes) -> None:
        self._pieces = iter([start, *([piece] * times), end])
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, into) -> int:
        while not self._left and (piece := next(self._pieces, b"")):
            self._left = piece
        size = min(len(into), len(self._left))
        into[:size], self._left = self._left[:size], self._left[size:]
        return size


PIECE = b"All that is new in March, and what our readers say about it.\n" * 1000


def test_a_mail_of_100_mb_is_read_in_little_memory_and_its_report_behind_them_is_found():
    stream = io.BufferedReader(Huge(REPORT, PIECE, 100_000_000 // len(PIECE), STATUS))
    read_report(DAEMON)
    tracemalloc.start()
    try:
        report = read_report(stream)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert report.kind is ReportKind.BOUNCE
    assert [(one.address, one.status) for one in report.recipients] == [("anna@shop.example", "5.1.1")]
    assert peak < 8_000_000


class Dripping(io.BytesIO):
    """A connection: it gives what it has, never as much as was asked for."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size or 700, 700))


def test_a_stream_that_gives_little_at_a_time_is_read_whole():
    raw = REPORT + PIECE * 10 + STATUS
    assert read_report(Dripping(raw)) == read_report(raw)


def test_the_beginning_of_a_part_is_not_lost_where_it_falls_between_two_reads():
    for shift in range(0, 400, 7):
        filler = b"x" * (3 * 128 * 1024 - 200 + shift)
        assert read_report(REPORT + filler + STATUS).recipients[0].status == "5.1.1", shift
