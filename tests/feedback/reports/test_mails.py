"""Mails of every family of servers and language, written for these tests: what each is, and about whom.

A mail says what must be read out of it in its X-Expect fields: its kind first, then a line for each recipient with
address, lasting, hard, reason and action; "-" stands for nothing, or for a reason that does not matter.
"""

import base64
import re
from pathlib import Path

import pytest

from massmail_plugin.feedback.reports import Report, read_report

MAILS = sorted((Path(__file__).parent / "mails").glob("*.eml"))


def each(files: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("mail", [file.read_bytes() for file in files], ids=[file.stem for file in files])


def head_of(file: Path) -> bytes:
    return file.read_bytes().partition(b"\n\n")[0]


mails = each(MAILS)
of_one_part = each([file for file in MAILS if not re.search(rb"multipart/|Encoding: (?:base64|quoted)", head_of(file))])
of_plain_text = each([file for file in MAILS if b"Content-Type: text/plain" in head_of(file)])


def expected(raw: bytes) -> tuple[str, list[list[str]]]:
    lines = [line.split()[1:] for line in raw.decode("utf-8", "replace").split("\n") if line.startswith("X-Expect:")]
    return lines[0][0], [[*line, *["-"] * (5 - len(line))] for line in lines[1:]]


def found(report: Report, like: list[list[str]]) -> list[list[str]]:
    """What was read, with "-" where the mail does not say what to expect."""
    read = []
    for one, wanted in zip(report.recipients, [*like, *[["-"] * 5] * len(report.recipients)], strict=False):
        all_of_it = [one.address, one.lasting or "-", "hard" if one.hard else "-", one.reason, one.action]
        told = [str(value) for value in all_of_it]
        read.append(
            [*told[:3], *("-" if like == "-" else said for said, like in zip(told[3:], wanted[3:], strict=True))]
        )
    return read


def check(raw: bytes, source: bytes | None = None) -> None:
    kind, recipients = expected(raw)
    report = read_report(raw if source is None else source)
    assert (report.kind.value, found(report, recipients)) == (kind, recipients)


@mails
def test_is_read_as_it_was_meant(mail):
    check(mail)


@mails
@pytest.mark.parametrize("end", [b"\r\n", b"\r"])
def test_reads_alike_with_other_line_ends(mail, end):
    check(mail, mail.replace(b"\n", end))


@mails
def test_reads_alike_behind_an_mbox_line(mail):
    check(mail, b"From MAILER-DAEMON Tue Mar  4 09:00:00 2025\n" + mail)


@of_one_part
def test_reads_alike_in_base64(mail):
    head, _, body = mail.partition(b"\n\n")
    head = head.replace(b"\nContent-Transfer-Encoding: 8bit", b"") + b"\nContent-Transfer-Encoding: base64"
    check(mail, head + b"\n\n" + base64.encodebytes(body))


@of_plain_text
def test_reads_alike_with_a_footer_that_a_server_added(mail):
    """Servers in between pack what they find into a multipart and add a part of their own."""
    head, _, body = mail.partition(b"\n\n")
    keep, _, content = head.partition(b"Content-Type:")
    kind, *more = content.split(b"\n")
    while more and more[0][:8].lower() == b"content-":
        kind += b"\n" + more.pop(0)
    outer = (
        keep + b"\n".join([*more, b""]) + b'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="=_outer"\n\n'
    )
    footer = b"--=_outer\nContent-Type: text/plain\n\nThis mail was checked for viruses.\n--=_outer--\n"
    check(mail, outer + b"--=_outer\nContent-Type:" + kind + b"\n\n" + body + b"\n" + footer)


def test_there_is_a_mail_for_every_kind():
    kinds = {expected(file.read_bytes())[0] for file in MAILS}
    assert kinds == {"bounce", "delay", "complaint", "report-not-complaint", "autoreply", "delivered", "none"}


@mails
def test_only_what_a_machine_wrote_is_called_automatic(mail):
    report = read_report(mail)
    if report.kind.value != "none":
        assert report.automatic
    elif b"Return-Path: <>" not in mail and b"Precedence" not in mail:
        assert not report.automatic


@mails
@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded", "delayed"])
def test_only_a_failure_is_final_and_hard(mail, action):
    for one in read_report(mail).recipients:
        if one.action == action:
            assert not one.final
            assert not one.hard
