"""Amazon SNS: only what is signed for a known topic counts, and nothing but SNS itself is ever asked."""

import json
from datetime import timedelta

import pytest

from massmail_plugin.contracts import EventRequest
from massmail_plugin.errors import RequestRefused
from massmail_plugin.providers import sns
from massmail_plugin.providers.request_files import answered
from massmail_plugin.providers.ses import SesEvents
from tests.providers.events.genuine import CERTIFICATE, NOW, TOPIC, Amazon, certificate, posted, signed_by_sns
from tests.providers.events.samples import SES, TO

SENT = SES[0].payload


def envelope(**changed: str) -> dict[str, str]:
    return {**json.loads(posted("ses", SENT).body), **changed}


def answer(amazon: Amazon, body: dict[str, str] | bytes, topic: str = TOPIC) -> int:
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = EventRequest(body=octets, headers={"content-type": "text/plain"}, at=NOW)
    return answered(SesEvents(amazon.fetch), request, topic).http


FOREIGN = [
    "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
    "https://sns.eu-west-1.amazonaws.com.evil.test/SimpleNotificationService-0123456789abcdef.pem",
    "https://evil@sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
    "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-0123456789abcdef.pem",
    "https://s3.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
    "https://bucket.s3.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
    "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
    "https://sns.eu-west-1.amazonaws.com/../evil.pem",
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem?redirect=//evil.test",
    "https://127.0.0.1/SimpleNotificationService-0123456789abcdef.pem",
    "https://[::1",
    "file:///etc/passwd",
    "",
]


@pytest.mark.parametrize("url", FOREIGN)
def test_a_certificate_from_elsewhere_is_never_fetched(url: str) -> None:
    amazon = Amazon([])
    assert answer(amazon, envelope(SigningCertURL=url)) == 401
    assert amazon.asked == []


@pytest.mark.parametrize("url", [*FOREIGN[:6], "https://127.0.0.1/x.pem", "file:///etc/passwd"])
def test_the_fetcher_itself_asks_nobody_else(url: str) -> None:
    with pytest.raises(OSError, match="no host of Amazon SNS"):
        sns.fetch(url)


def test_another_account_is_refused_before_anything_is_fetched() -> None:
    amazon = Amazon([])
    assert answer(amazon, posted("ses", SENT, key=TOPIC.replace("1234", "9999")).body) == 401
    assert amazon.asked == []


@pytest.mark.parametrize("version", ["1", "2"])
def test_both_versions_of_the_signature_are_known(version: str) -> None:
    plain = {name: value for name, value in envelope(SignatureVersion=version).items() if name != "Signature"}
    body, _ = signed_by_sns(plain)
    assert answer(Amazon([]), body) == 200
    assert answer(Amazon([]), {**json.loads(body), "Message": "{}"}) == 401
    assert answer(Amazon([]), {**json.loads(body), "SignatureVersion": "3"}) == 401


def test_a_certificate_is_kept_for_a_day() -> None:
    amazon = Amazon([])
    reader = SesEvents(amazon.fetch)
    for _ in range(3):
        assert answered(reader, posted("ses", SENT), TOPIC).http == 200
    assert amazon.asked == [CERTIFICATE]


def test_a_certificate_that_ran_out_proves_nothing() -> None:
    assert answer(Amazon([], content=certificate(NOW - timedelta(seconds=1))), posted("ses", SENT).body) == 401


@pytest.mark.parametrize("amazon", [Amazon([], silent=True), Amazon([], content=b"no certificate")])
def test_without_the_certificate_nothing_counts(amazon: Amazon) -> None:
    assert answer(amazon, posted("ses", SENT).body) == 403


def test_many_made_up_certificates_are_not_asked_for() -> None:
    amazon = Amazon([], content=b"none")
    reader = SesEvents(amazon.fetch)
    for number in range(50):
        url = CERTIFICATE.replace("0123456789abcdef", f"{number:016x}", 1)
        body = json.dumps(envelope(SigningCertURL=url)).encode()
        answered(reader, EventRequest(body=body, headers={"content-type": "text/plain"}, at=NOW), TOPIC)
    assert len(amazon.asked) == sns.PER_MINUTE


def subscription(**changed: str) -> bytes:
    asked = {
        "Type": "SubscriptionConfirmation",
        "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
        "Token": "2336412f37&Action=DeleteTopic",
        "TopicArn": TOPIC,
        "Message": "You have chosen to subscribe",
        "SubscribeURL": "https://sns.eu-west-1.amazonaws.com.evil.test/?Action=ConfirmSubscription",
        "Timestamp": "2026-05-04T12:00:00.000Z",
        "SignatureVersion": "1",
        "SigningCertURL": CERTIFICATE,
    }
    return signed_by_sns({**asked, **changed})[0]


def test_a_subscription_is_confirmed_at_an_address_we_make_ourselves() -> None:
    amazon = Amazon([])
    reader = SesEvents(amazon.fetch)
    request = EventRequest(body=subscription(), headers={"content-type": "text/plain"}, at=NOW)
    assert answered(reader, request, TOPIC).events == ()
    assert reader.answer(request) == "The subscription was confirmed."
    assert amazon.asked == [
        CERTIFICATE,
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription"
        "&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A123456789012%3Amail-events"
        "&Token=2336412f37%26Action%3DDeleteTopic",
    ]


def test_a_subscription_to_a_strange_topic_is_not_confirmed() -> None:
    amazon = Amazon([])
    assert answer(amazon, subscription(TopicArn=TOPIC + "-of-others")) == 401
    assert amazon.asked == []


def test_a_confirmation_that_amazon_does_not_take_is_asked_for_again() -> None:
    request = EventRequest(body=subscription(), headers={"content-type": "text/plain"}, at=NOW)
    with pytest.raises(RequestRefused) as refused:
        SesEvents(Amazon([], silent=True).fetch).answer(request)
    assert 400 <= refused.value.status < 500


def test_an_event_of_several_recipients_is_one_for_each() -> None:
    recipients = [{"emailAddress": name} for name in (TO, "ben@example.org")]
    payload = {
        "notificationType": "Complaint",
        "mail": {"messageId": "1"},
        "complaint": {"complainedRecipients": recipients},
    }
    events = answered(SesEvents(Amazon([]).fetch), posted("ses", payload), TOPIC).events
    assert [event.recipient for event in events] == [TO, "ben@example.org"]
    assert len({event.event_id for event in events}) == 1


def test_the_sentence_with_which_a_topic_is_tried_out_holds_no_event() -> None:
    body, _ = signed_by_sns({**json.loads(posted("ses", SENT).body), "Message": "Successfully validated SNS topic"})
    assert answer(Amazon([]), body) == 200
