"""Forged bounces and complaints: kept, shown, within bounds, and without any effect."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from massmail_plugin.feedback.received_mail.bounds import STRANGE_RAW_KEPT, STRANGE_RAWS
from massmail_plugin.feedback.received_mail.judging import MOST_OF_ONE
from massmail_plugin.models import Received
from tests.feedback import post
from tests.feedback.received_mail.conftest import Office

FLOOD = 10_000


def test_without_our_key_nothing_counts(office: Office) -> None:
    office.mail()
    faked = post.forged("member1@box.test")
    office.take(
        post.report(faked), post.complaint(faked), post.answer(faked), post.report(faked, to="bounces@crm.test")
    )
    assert office.changed_nothing()
    assert office.received() == {("unmatched", "bounce"): 2, ("unmatched", "complaint"): 1, ("ignored", "none"): 1}


def test_a_token_of_one_mail_says_nothing_about_another_address(office: Office) -> None:
    """Who got a mail has its token, and could name anybody else."""
    mail = office.sent("1")
    office.mail("2")
    office.take(post.report(mail, about="member2@box.test"), post.complaint(mail, about="member2@box.test"))
    assert office.changed_nothing()
    assert office.received() == {("unmatched", "bounce"): 1, ("unmatched", "complaint"): 1}


def test_a_copy_that_bounced_says_nothing_about_the_recipient(office: Office) -> None:
    """A BCC copy has the Message-ID of the mail, and neither its return path nor its link."""
    mail = office.sent()
    nameless = post.report(mail, to="bounces@crm.test").replace(b"Final-Recipient: rfc822; member1@box.test\r\n", b"")
    nameless = nameless.replace(b"To: member1@box.test\r\n", b"")
    office.take(nameless, post.report(mail, about="archive@crm.test", to="bounces@crm.test"))
    assert office.changed_nothing()


def test_a_token_of_a_mail_that_is_gone_changes_nothing(office: Office) -> None:
    message = office.mail()
    mail = post.sent(office.host, message)
    office.host.session.delete(message)
    office.host.session.commit()
    office.take(post.report(mail))
    assert office.changed_nothing()
    assert office.received() == {("unmatched", "bounce"): 1}


def test_a_token_in_wrong_hands_fills_no_table(office: Office) -> None:
    mail = office.sent()
    office.take(*(post.report(mail, action="delayed", status="4.4.1") for _ in range(3 * MOST_OF_ONE)))
    assert office.events() == [("delay", "")] * MOST_OF_ONE
    assert office.received() == {("matched", "delay"): MOST_OF_ONE, ("ignored", "delay"): 2 * MOST_OF_ONE}


@given(noise=st.binary(max_size=2000), place=st.integers(min_value=0, max_value=800))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_done_to_a_forgery_it_stays_one(office: Office, noise: bytes, place: int) -> None:
    mail = post.report(post.forged("member1@box.test"))
    office.take(mail[:place] + noise + mail[place:])
    assert office.changed_nothing()


@pytest.mark.parametrize("kept", [200])
def test_ten_thousand_forgeries_change_nothing_and_stay_within_bounds(office: Office, kept: int) -> None:
    object.__setattr__(office.host.config, "received_kept", kept + STRANGE_RAWS)
    office.mail()
    padding = b"x" * 70 + b"\r\n"
    template = post.report(post.forged("member1@box.test")) + padding * 100
    begun = time.monotonic()
    for start in range(0, FLOOD, 50):
        office.take(*(template + f"{number}\r\n".encode() for number in range(start, start + 50)))
    seconds = time.monotonic() - begun
    assert office.changed_nothing()
    rows, with_bytes, longest = office.host.session.execute(
        select(func.count(), func.count(Received.raw), func.max(func.length(Received.raw)))
    ).one()
    assert rows == kept + STRANGE_RAWS
    assert with_bytes == STRANGE_RAWS
    assert longest <= STRANGE_RAW_KEPT
    assert seconds < 120
