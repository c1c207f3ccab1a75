"""The reader of bounces: how many mails a second on one core, and its memory at mails that nobody should send."""

from collections.abc import Callable
from pathlib import Path
from shutil import copyfile
from typing import BinaryIO

from bench.children import ROOT, Children, children
from bench.figures import Figure
from bench.findings import BenchFailed, Sample, told
from bench.stage import Stage

FIGURES = (
    Figure("reader.per_s", "bounces and other mails read a second, one core", least=1000),
    Figure("reader.rss_over_idle_mb", "MB above idle, whatever the size of a mail", most=40),
    Figure("reader.slowest_s", "seconds for the worst of those mails"),
)
MAILS = ROOT / "tests" / "feedback" / "reports" / "mails"
RETURNED = 6_000
"""Bytes of returned mail added to each, so that they are as long as bounces are."""
MB = 1 << 20


def measure(stage: Stage) -> None:
    """Fill in FIGURES."""
    ordinary, huge = stage.folder / "mails", stage.folder / "huge"
    _ordinary(ordinary)
    _huge(huge, 20 if stage.size.quick else 100)
    rates = [_run(stage, "rate", ordinary) for _ in range(stage.size.rounds)]
    peaks = [_run(stage, "peak", huge) for _ in range(2)]
    stage.findings.keep("reader", rates)
    stage.findings.add("reader.per_s", [one["per_s"] for one in rates])
    stage.findings.add("reader.rss_over_idle_mb", [one["peak_mb"] - one["idle_mb"] for one in peaks])
    stage.findings.add("reader.slowest_s", [one["slowest_s"] for one in peaks])


def _run(stage: Stage, what: str, folder: Path) -> Sample:
    with children("bench.feedback.reader_process", 1, [what, str(folder)], log=stage.folder / "reader.log") as process:
        sample = _sample(process)
    stage.say(f"reader {what}  {told(sample)}")
    return sample


def _sample(process: Children) -> Sample:
    return {key: float(value) for key, value in {**process.ready[0], **process.go()[0]}.items()}


def _ordinary(folder: Path) -> None:
    """The mails of the tests, each with a returned mail as long as such mails are."""
    if not MAILS.is_dir():
        raise BenchFailed(f"{MAILS} with the mails to read is not there.")
    folder.mkdir()
    for file in MAILS.glob("*.eml"):
        raw = file.read_bytes()
        copyfile(file, folder / file.name)
        head, closing, rest = raw.rpartition(b"\n--=_")
        padding = b"\n" + b"Dear reader, this is our letter of March, with all that is new.\n" * (RETURNED // 64)
        (folder / f"long-{file.name}").write_bytes(head + padding + closing + rest if closing else raw + padding)


def _huge(folder: Path, mb: int) -> None:
    """Mails of `mb` MB, or with far too much of something."""
    folder.mkdir()
    writers: dict[str, Callable[[BinaryIO, int], None]] = {
        "bounce": _bounce,
        "headers": _headers,
        "line": _line,
        "parts": _parts,
        "nested": _nested,
        "mails-in-mails": _mails_in_mails,
    }
    for name, write in writers.items():
        with (folder / f"{name}.eml").open("wb") as file:
            write(file, mb)


REPORT = (
    b"From: MAILER-DAEMON@mx.example\nTo: news@crm.example\nSubject: Undelivered Mail Returned to Sender\n"
    b'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary="=_b"\n\n'
)
STATUS = (
    b"--=_b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
    b"Final-Recipient: rfc822; anna@shop.example\nAction: failed\nStatus: 5.1.1\n\n"
)


def _bounce(file: BinaryIO, mb: int) -> None:
    """The mail comes back whole and first; the report stands behind it."""
    file.write(REPORT + b"--=_b\nContent-Type: message/rfc822\n\nFrom: news@crm.example\nTo: anna@shop.example\n\n")
    _fill(file, mb, b"All that is new in March.\n")
    file.write(STATUS + b"--=_b--\n")


def _headers(file: BinaryIO, mb: int) -> None:
    _fill(file, mb, b"Received: from mx.example for <anna@shop.example>; Tue, 4 Mar 2025 09:00:00 +0000\n")


def _line(file: BinaryIO, mb: int) -> None:
    file.write(b"From: MAILER-DAEMON@mx.example\nSubject: failure notice\n\n")
    _fill(file, mb, b"<anna@shop.example> 550 user unknown ")


def _parts(file: BinaryIO, mb: int) -> None:
    file.write(REPORT)
    _fill(file, mb, STATUS)


def _nested(file: BinaryIO, mb: int) -> None:
    for number in range(500):
        file.write(b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (number, number))
    _fill(file, mb, b"<anna@shop.example>: 550 user unknown\n")


def _mails_in_mails(file: BinaryIO, mb: int) -> None:
    file.write(b"Content-Type: message/rfc822\n\n" * 500)
    _fill(file, mb, b"<anna@shop.example>: 550 user unknown\n")


def _fill(file: BinaryIO, mb: int, words: bytes) -> None:
    piece = words * (MB // len(words))
    for _ in range(mb):
        file.write(piece)
