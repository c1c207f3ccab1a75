"""What a report says beside its recipients: whom it came to, what it answers, which mail it returns."""

from pathlib import Path

from massmail_plugin.feedback.reports import ReportKind, read_report
from massmail_plugin.smtp_status import Meaning

MAILS = Path(__file__).parent / "mails"


def sample(name: str) -> bytes:
    return (MAILS / f"{name}.eml").read_bytes()


def test_the_returned_mail_is_known_by_its_message_id_and_its_unsubscribe_link():
    report = read_report(sample("postfix-unknown"))
    assert report.returned_ids == ("<mail-17@crm.example>",)
    assert report.returned_links == ("https://crm.example/u/abc",)


def test_a_mail_returned_as_text_is_known_alike():
    for name in ("qmail-two", "exim-two", "gmail-old", "sendmail-transcript-only"):
        report = read_report(sample(name))
        assert report.returned_ids == ("<mail-17@crm.example>",), name
        assert report.returned_links == ("https://crm.example/u/abc",), name


def test_the_address_it_came_to_is_told():
    raw = b"Delivered-To: bounces+token@crm.example\nX-Original-To: other@crm.example\n" + sample("verp-only")
    assert read_report(raw).sent_to[1:] == ("bounces+token@crm.example", "other@crm.example")


def test_a_reply_names_the_mails_it_answers_and_its_writer():
    report = read_report(sample("reply-by-a-person"))
    assert report.kind is ReportKind.NONE
    assert not report.automatic
    assert report.answers == ("<mail-17@crm.example>", "<mail-16@crm.example>")
    assert report.sender == "yara@shop.example"


def test_an_envelope_id_is_kept():
    raw = sample("partly").replace(b"Reporting-MTA:", b"Original-Envelope-Id: mail-17\nReporting-MTA:")
    assert read_report(raw).envelope_ids == ("mail-17",)


def test_the_address_we_mailed_is_told_beside_the_one_that_failed():
    assert read_report(sample("exim-forwarded")).recipients[0].names == ("final@inner.example", "jan@shop.example")
    assert read_report(sample("sendmail-alias")).recipients[0].names == ("real@inner.example", "alias@shop.example")


def test_a_subject_is_decoded():
    assert read_report(sample("swedish")).subject == "Olevererbart: March offers"


def test_failures_have_the_meaning_of_an_smtp_reply():
    meanings = {
        name: read_report(sample(name)).recipients[0].meaning
        for name in ("postfix-unknown", "authentication", "amavis", "mdaemon", "dragonfly", "reputation")
    }
    assert meanings == {
        "postfix-unknown": Meaning.HARD,
        "authentication": Meaning.SENDER_FAULT,
        "amavis": Meaning.BLOCKED,
        "mdaemon": Meaning.FULL,
        "dragonfly": Meaning.MESSAGE,
        "reputation": Meaning.BLOCKED,
    }


def test_a_report_of_a_report_is_read_through():
    """A virus scanner packs a delivery report into a mail of its own that claims to be one."""
    inner = sample("sendmail-two").partition(b"Return-Path:")[2]
    raw = (
        b"From: postmaster@crm.example\nTo: news@crm.example\nSubject: Delivery Status Notification (Failure)\n"
        b'Content-Type: multipart/mixed; report-type=delivery-status; boundary="=_scanner"\n\n'
        b"--=_scanner\nContent-Type: message/rfc822\n\nReturn-Path:" + inner + b"\n--=_scanner--\n"
    )
    report = read_report(raw)
    assert report.kind is ReportKind.BOUNCE
    assert [one.address for one in report.recipients] == ["emil@shop.example", "frida@other.example"]


def test_what_a_server_said_is_kept_short():
    raw = sample("postfix-unknown").replace(b"rejected: User", b"rejected: " + b"User " * 2000)
    assert len(read_report(raw).recipients[0].words) <= 500


def test_another_reader_is_heard_where_the_words_name_nobody_we_know():
    """A form of report that only flufl.bounce knows: its user stands alone, without a heading of ours."""
    raw = (
        b"From: MAILER-DAEMON@yale.edu\nTo: news@crm.example\nSubject: Returned mail - nameserver error report\n\n"
        b" --------Message not delivered to the following:\n\n"
        b" somebody    No matches to nameserver query\n\n --------Error Detail (phquery V4.1):\n"
    )
    assert "somebody@yale.edu" in [one.address for one in read_report(raw).recipients]


def test_a_reader_that_stumbles_is_not_heard_and_writes_nothing(caplog):
    assert read_report(b"Subject: failure notice\nReturn-Path: <>\n\ncould not be delivered\n").recipients == ()
    assert not caplog.records
