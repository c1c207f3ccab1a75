"""What a received mail does: it counts by our own token and the address that was mailed, once, and by nothing else."""

import pytest

from massmail_plugin.vocabulary import ReceivedState
from tests.feedback import post
from tests.feedback.received_mail.conftest import Office


def test_a_dead_mailbox_ends_the_address(office: Office) -> None:
    mail = office.sent()
    office.take(post.report(mail))
    assert office.events() == [("bounce", "hard")]
    assert office.suppressed() == [("member1@box.test", "hard_bounce")]
    assert office.outcomes() == ["bounced"]
    assert office.tallied() == {"bounce": 1}
    assert office.received() == {("matched", "bounce"): 1}


@pytest.mark.parametrize(
    ("status", "said", "meaning"),
    [
        ("5.2.2", "552 5.2.2 Mailbox full", "full"),
        ("4.4.1", "4.4.1 Connection timed out", "soft"),
        ("5.7.26", "550 5.7.26 This mail is unauthenticated", "sender_fault"),
        ("5.7.1", "550 5.7.1 Message rejected as spam", "blocked"),
    ],
)
def test_only_a_dead_mailbox_does(office: Office, status: str, said: str, meaning: str) -> None:
    office.take(post.report(office.sent(), status=status, said=said))
    assert office.events() == [("bounce", meaning)]
    assert office.suppressed() == []
    assert office.outcomes() == []


@pytest.mark.parametrize(("action", "kind"), [("delayed", "delay"), ("delivered", "delivered")])
def test_what_is_no_failure_is_no_bounce(office: Office, action: str, kind: str) -> None:
    """RFC 3464, 2.3.3."""
    office.take(post.report(office.sent(), action=action, status="4.4.1", said="451 4.4.1 still trying"))
    assert office.events() == [(kind, "")]
    assert office.suppressed() == []


@pytest.mark.parametrize("action", ["relayed", "expanded"])
def test_what_says_nothing_of_the_mailbox_counts_for_nothing(office: Office, action: str) -> None:
    office.take(post.report(office.sent(), action=action, status="2.0.0", said="250 passed on"))
    assert office.changed_nothing()


def test_a_complaint_ends_the_address(office: Office) -> None:
    office.take(post.complaint(office.sent()))
    assert office.events() == [("complaint", "")]
    assert office.suppressed() == [("member1@box.test", "complaint")]
    assert office.outcomes() == ["complained"]


@pytest.mark.parametrize("about", [None, "redacted-123@box.test", "****@box.test"])
def test_a_complaint_that_hides_the_reader_counts_by_the_token_of_the_link(office: Office, about: str | None) -> None:
    office.take(post.complaint(office.sent(), about=about))
    assert office.suppressed() == [("member1@box.test", "complaint")]


@pytest.mark.parametrize("kind", ["auth-failure", "not-spam", "dmarc"])
def test_other_feedback_reports_never_suppress(office: Office, kind: str) -> None:
    """RFC 6591, RFC 6430."""
    office.take(post.complaint(office.sent(), kind=kind))
    assert office.changed_nothing()


def test_a_reply_by_a_person_counts(office: Office) -> None:
    mail = office.sent()
    (taken,) = office.take(post.answer(mail))
    assert office.events() == [("reply", "")]
    assert office.outcomes() == ["read"]
    assert office.received() == {("matched", "reply"): 1}
    assert not taken.leaves, "what people wrote is never removed"


def test_an_automatic_reply_is_none(office: Office) -> None:
    mail = office.sent()
    office.take(post.answer(mail, automatic="auto-replied", to=mail.return_path))
    assert office.events() == [("autoreply", "")]
    assert office.outcomes() == []


def test_a_reply_from_another_address_counts_for_nobody(office: Office) -> None:
    office.take(post.answer(office.sent(), by="colleague@box.test"))
    assert office.changed_nothing()
    assert office.received() == {("unmatched", "none"): 1}


def test_what_comes_back_about_a_test_mail_counts_for_nobody(office: Office) -> None:
    mail = office.sent(test=True)
    office.take(post.report(mail), post.answer(mail), post.complaint(mail))
    assert office.changed_nothing()
    assert office.received() == {("matched", "bounce"): 1, ("matched", "reply"): 1, ("matched", "complaint"): 1}


def test_the_same_mail_again_changes_nothing(office: Office) -> None:
    bounce = post.report(office.sent())
    office.take(bounce, bounce)
    (again,) = office.take(bounce)
    office.take(bounce, origin="mailbox:2")
    office.take(bounce.replace(b"\r\n", b"\n"), origin="file")
    assert again.repeated
    assert again.leaves, "its result is kept, so it may go"
    assert office.events() == [("bounce", "hard")]
    assert office.tallied() == {"bounce": 1}
    assert office.outcomes() == ["bounced"]


def test_a_delay_and_then_a_bounce_are_two(office: Office) -> None:
    mail = office.sent()
    office.take(post.report(mail, action="delayed", status="4.4.1"), post.report(mail, status="4.4.1", said="gave up"))
    assert office.events() == [("delay", ""), ("bounce", "soft")]


def test_a_report_that_names_nobody_counts_by_the_return_path(office: Office) -> None:
    """Some servers only say that it did not work; the address it came back to is that of one mail."""
    mail = office.sent()
    (taken,) = office.take(
        f"From: MAILER-DAEMON@mx.test\r\nTo: {mail.return_path}\r\nSubject: Undeliverable mail\r\n\r\n"
        "Your message could not be delivered.\r\n".encode()
    )
    assert taken.state is ReceivedState.MATCHED
    assert [kind for kind, _ in office.events()] == ["bounce"]
    assert office.suppressed() == []


def test_one_report_about_several_of_ours(office: Office) -> None:
    """Each recipient has an outcome of its own."""
    one, two = office.sent("1"), office.sent("2")
    both = post.report(one).replace(
        b"Diagnostic-Code: smtp; 550 5.1.1 No such user\r\n",
        b"Diagnostic-Code: smtp; 550 5.1.1 No such user\r\n\r\n"
        b"Final-Recipient: rfc822; member2@box.test\r\nAction: delayed\r\nStatus: 4.2.0\r\n",
    )
    both = both.replace(b"Subject: News\r\n", b"References: " + two.message_id.encode() + b"\r\nSubject: News\r\n")
    office.take(both.replace(b"Auto-Submitted", b"In-Reply-To: " + two.message_id.encode() + b"\r\nAuto-Submitted"))
    assert sorted(office.events()) == [("bounce", "hard"), ("delay", "")]
    assert office.suppressed() == [("member1@box.test", "hard_bounce")]


def test_people_who_get_other_mail_there_are_left_in_peace(office: Office) -> None:
    taken = office.take(post.ordinary(), post.report(post.forged("member1@box.test")), shared=True)
    assert [one.state for one in taken] == [None, None]
    assert office.received() == {}
    (own,) = office.take(post.report(office.sent()), shared=True)
    assert own.state is ReceivedState.MATCHED


def test_mail_that_is_no_report_is_kept_in_a_mailbox_for_bounces(office: Office) -> None:
    (taken,) = office.take(post.ordinary())
    assert taken.state is ReceivedState.IGNORED
    assert not taken.leaves
    assert office.changed_nothing()
