"""Why a delivery failed: from the status code first, then from the words; only a dead address is hard."""

import pytest

from massmail_plugin.feedback.reports.reasons import HARD, Reason, verdict
from massmail_plugin.feedback.reports.report import Lasting

PERMANENT, TEMPORARY = Lasting.PERMANENT, Lasting.TEMPORARY


@pytest.mark.parametrize(
    ("status", "words", "lasting", "reason", "hard"),
    [
        ("5.1.1", "", PERMANENT, Reason.USER_UNKNOWN, True),
        ("5.0.0", "550 5.1.1 no such user", PERMANENT, Reason.USER_UNKNOWN, True),
        ("", "550 Requested action not taken: mailbox unavailable", PERMANENT, Reason.USER_UNKNOWN, True),
        ("", "450 4.2.1 mailbox unavailable, try again", TEMPORARY, Reason.USER_UNKNOWN, False),
        ("5.1.2", "", PERMANENT, Reason.HOST_UNKNOWN, True),
        ("5.1.10", "Domain does not accept mail (nullMX)", PERMANENT, Reason.NOT_ACCEPT, True),
        ("5.1.10", "RESOLVER.ADR.RecipientNotFound; Recipient not found", PERMANENT, Reason.USER_UNKNOWN, True),
        ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied", PERMANENT, Reason.USER_UNKNOWN, True),
        ("", "user unknown", PERMANENT, Reason.USER_UNKNOWN, True),
        ("", "Host not found, try again", None, Reason.NETWORK_ERROR, False),
        ("5.2.2", "", PERMANENT, Reason.MAILBOX_FULL, False),
        ("4.2.2", "452 4.2.2 over quota", TEMPORARY, Reason.MAILBOX_FULL, False),
        ("", "The user's mailfolder is full", None, Reason.MAILBOX_FULL, False),
        ("5.7.26", "550-5.7.26 does not exist", PERMANENT, Reason.AUTH_FAILURE, False),
        ("5.7.515", "550 5.7.515 Access denied, sending domain", PERMANENT, Reason.AUTH_FAILURE, False),
        ("5.1.8", "553 5.1.8 Domain of sender address does not exist", PERMANENT, Reason.REJECTED, False),
        ("", "after MAIL FROM:<a@b.example>: 550 no such user", PERMANENT, Reason.REJECTED, False),
        ("", "550 5.7.1 Client host blocked using blacklist, user unknown", PERMANENT, Reason.BLOCKED, False),
        ("", "554 Message rejected as spam", PERMANENT, Reason.SPAM_DETECTED, False),
        ("", "550 Fix reverse DNS for 192.0.2.1", PERMANENT, Reason.REQUIRE_PTR, False),
        ("", "554 5.7.1 Relay access denied", PERMANENT, Reason.NO_RELAYING, False),
        ("", "This account has been disabled or discontinued", PERMANENT, Reason.SUSPEND, False),
        ("4.4.7", "554 4.4.7 Message expired", TEMPORARY, Reason.EXPIRED, False),
        ("4.5.0", "550 5.5.0 Service refused", PERMANENT, Reason.BLOCKED, False),
        ("4.0.0", "554 Blocked - see https://dnsbl.example/?ip=192.0.2.2", TEMPORARY, Reason.BLOCKED, False),
        ("", "", None, Reason.UNDEFINED, False),
    ],
)
def test_a_refusal_is_judged(status, words, lasting, reason, hard):
    said = verdict(status, words)
    assert (said.lasting, said.reason, said.hard) == (lasting, reason, hard)


def test_a_user_unknown_only_after_the_content_was_seen_is_a_filter():
    assert verdict("", "550 unknown user", after_data=True).reason is Reason.FILTERED
    assert verdict("", "550 5.1.1 unknown user", after_data=True).hard


@pytest.mark.parametrize("reason", sorted(Reason))
def test_every_reason_can_be_told_from_its_word(reason):
    """Whether it is hard depends on the reason alone, never on being temporary."""
    assert (reason in HARD) == (reason.value in ("userunknown", "hostunknown", "hasmoved", "notaccept"))


@pytest.mark.parametrize(
    ("words", "code"),
    [("550 no", 550), ("smtp; 452-4.2.2 full", 452), ("ERROR_CODE :550,", 550), ("port 192.0.2.255:25", 0),
     ("http://x.example/550", 0), ("in 4200 minutes", 0), ("host[192.0.2.250] said", 0)],
)  # fmt: skip
def test_a_reply_code_is_told_from_other_numbers(words, code):
    assert verdict("", words).code == code
