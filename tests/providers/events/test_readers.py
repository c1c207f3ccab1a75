"""What every reader of webhooks keeps to: one test for all providers."""

import importlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from massmail_plugin.contracts import EventRequest
from massmail_plugin.errors import RequestRefused
from massmail_plugin.providers.request_files import LARGEST, answered
from massmail_plugin.vocabulary import EventWord
from tests.providers.events.genuine import MAKE, NOW, another_secret, posted, readers, secret_of
from tests.providers.events.samples import AT, LINK, MAIL, SAMPLES, TO, TOKEN, Sample

PROVIDERS = sorted(MAKE)
ALL = [(provider, sample) for provider in PROVIDERS for sample in SAMPLES[provider]]
GROUPING = sorted({p for p in PROVIDERS if isinstance(SAMPLES[p][0].payload, list)} | {"mailtrap", "signed_json"})
SIGNS_ITS_TIME = {"ses", "sendgrid", "mailgun", "resend", "signed_json"}
SIGNS_NO_BODY = {"postmark", "brevo", "sparkpost", "mailjet", "mailgun"}
"""A password, or a signature over time and nonce alone: the door tells bodies apart for the latter."""


def test_every_provider_has_its_reader_and_its_samples() -> None:
    assert set(readers()) == set(MAKE) == set(SAMPLES)


@pytest.mark.parametrize(("provider", "sample"), ALL, ids=[f"{p}-{s.name}-{s.word}" for p, s in ALL])
def test_a_genuine_request_is_read(provider: str, sample: Sample) -> None:
    answer = answered(readers()[provider], posted(provider, sample.payload), secret_of(provider))
    assert (answer.http, answer.problem) == (200, "")
    (event,) = answer.events
    assert (event.word, event.permanent, event.meaning) == (sample.word, sample.permanent, sample.meaning)
    assert (event.recipient, event.machine, event.one_list) == (TO, sample.machine, sample.one_list)
    assert event.at is not None
    assert abs(event.at - (NOW if provider == "ses" else AT)) < timedelta(seconds=1)
    assert event.message_id or provider == "signed_json"
    assert event.url == (LINK if sample.word is EventWord.CLICK and provider != "signed_json" else "")
    assert (TOKEN if sample.carries_token else MAIL) in event.tokens


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_word_of_the_table_is_one_of_ours(provider: str) -> None:
    words = getattr(importlib.import_module(f"massmail_plugin.providers.{provider}"), "WORDS", {})
    assert all(isinstance(word, EventWord) for word in words.values())
    tried = {sample.name for sample in SAMPLES[provider]}
    assert provider == "signed_json" or len(tried & set(words)) > len(words) / 2


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_key_that_is_not_the_right_one_proves_nothing(provider: str) -> None:
    request = posted(provider, SAMPLES[provider][0].payload)
    for secret in (another_secret(provider), "", "\n \n", "no key at all", "x" * 10_000):
        assert answered(readers()[provider], request, secret).http == 401, secret[:20]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_one_of_several_keys_is_enough_while_they_are_changed(provider: str) -> None:
    request = posted(provider, SAMPLES[provider][0].payload)
    both = f"{another_secret(provider)}\n{secret_of(provider)}\n"
    assert answered(readers()[provider], request, both).http == 200


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_request_without_its_signature_is_refused(provider: str) -> None:
    signed = posted(provider, SAMPLES[provider][0].payload)
    bare = replace(signed, headers={"content-type": signed.headers["content-type"]})
    if provider in ("ses", "mailgun", "unisender_go"):
        named = {"ses": b'"Signature"', "mailgun": b'"signature"', "unisender_go": b'"auth"'}[provider]
        bare = replace(bare, body=bare.body.replace(named, b'"nothing"'))
    assert answered(readers()[provider], bare, secret_of(provider)).http == 401


@pytest.mark.parametrize("provider", sorted(set(PROVIDERS) - SIGNS_NO_BODY))
def test_a_signature_of_another_body_is_refused(provider: str) -> None:
    signed = posted(provider, SAMPLES[provider][0].payload)
    changed = signed.body.replace(b"example.org", b"example.net").replace(b"example%2Eorg", b"example.net")
    assert changed != signed.body
    assert answered(readers()[provider], replace(signed, body=changed), secret_of(provider)).http == 401


@pytest.mark.parametrize("provider", sorted(SIGNS_ITS_TIME))
@pytest.mark.parametrize("old", [timedelta(days=2), timedelta(days=365), timedelta(minutes=-6)])
def test_a_stale_signature_is_refused(provider: str, old: timedelta) -> None:
    request = posted(provider, SAMPLES[provider][0].payload, at=NOW - old)
    assert answered(readers()[provider], request, secret_of(provider)).http == 401


@pytest.mark.parametrize("provider", GROUPING)
def test_a_batch_is_its_events(provider: str) -> None:
    payloads = [sample.payload for sample in SAMPLES[provider]]
    events = [event for one in payloads for event in (one["events"] if isinstance(one, dict) else one)]
    answer = answered(readers()[provider], posted(provider, events), secret_of(provider))
    assert [event.word for event in answer.events] == [sample.word for sample in SAMPLES[provider]]


FORM = "multipart/form-data; boundary=x"
KINDS = ("application/json", FORM, "application/x-www-form-urlencoded", "text/xml")
NOT_TAKEN = [
    *(b"", b"\xff\xfe\x00", b"null", b"7", b'"text"', b"[1]", b"[[]]", b"{", b'{"a": NaN}', b"[" * 10_000),
    *(b'{"event": "open", "event": "click"}', b'[{"msys": 1}, 2]', b'{"a":' * 5_000 + b"1" + b"}" * 5_000),
    *(b"1" * 10_000, b'{"Type": "Notification", "Message": "{"}'),
]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("body", NOT_TAKEN, ids=[body[:24].decode("latin-1") for body in NOT_TAKEN])
def test_what_is_no_request_of_a_provider_is_refused(provider: str, body: bytes) -> None:
    for kind in (
        "application/json",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "text/xml",
    ):
        request = EventRequest(body=body, headers={"content-type": kind}, url="", at=NOW)
        assert 400 <= answered(readers()[provider], request, secret_of(provider)).http < 500
        assert answered(readers()[provider], request, "", verify=False).http < 500


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["open", "bounce", TO, "1e999"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def _with_parts_replaced(value: Any, draw: Any) -> Any:
    """The same shape, with anything in the place of some of its parts."""
    if draw(st.integers(0, 6)) == 0:
        return draw(JSON)
    if isinstance(value, dict):
        return {name: _with_parts_replaced(inner, draw) for name, inner in value.items()}
    return [_with_parts_replaced(inner, draw) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("provider", PROVIDERS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_whatever_a_request_holds_it_is_read_or_refused(provider: str, data: st.DataObject) -> None:
    sample = data.draw(st.sampled_from(SAMPLES[provider]))
    payload = _with_parts_replaced(sample.payload, data.draw)
    try:
        request = posted(provider, payload)
    except ValueError:
        return
    for event in answered(readers()[provider], request, secret_of(provider)).events:
        texts = [event.recipient or "", event.event_id or "", event.reply, event.detail, event.url, event.user_agent]
        assert all("\0" not in text and text.encode() for text in filter(None, texts))
        assert len(event.tokens) <= 16


@pytest.mark.parametrize("provider", PROVIDERS)
@settings(max_examples=40, deadline=None)
@given(
    body=st.binary(max_size=300), kind=st.sampled_from(["application/json", "multipart/form-data; boundary=b", "", "x"])
)
def test_any_bytes_are_refused_and_nothing_else_happens(provider: str, body: bytes, kind: str) -> None:
    request = EventRequest(body=body, headers={"content-type": kind}, url="", at=NOW)
    assert 400 <= answered(readers()[provider], request, secret_of(provider)).http < 500


@pytest.mark.parametrize("provider", PROVIDERS)
def test_too_much_is_refused(provider: str) -> None:
    large = EventRequest(body=b" " * (LARGEST + 1), headers={"content-type": "application/json"}, at=NOW)
    assert answered(readers()[provider], large, secret_of(provider)).http == 413


def test_more_events_than_one_request_may_hold_are_refused() -> None:
    with pytest.raises(RequestRefused, match="10,000") as refused:
        readers()["sendgrid"].read(posted("sendgrid", [{"event": "open"}] * 10_001))
    assert refused.value.status == 413


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_token_travels_in_a_header_that_fits_a_line(provider: str) -> None:
    header = readers()[provider].token_header(TOKEN)
    assert header is None or (header[0].isascii() and TOKEN in header[1] and len(": ".join(header)) < 200)
    assert (header is None) == (provider == "postal")
