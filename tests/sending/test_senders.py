"""Senders: what is kept, what is refused and why, keys that stay secret, and a test mail signed like any other."""

from dataclasses import replace
from datetime import date
from typing import Any

import dkim
import pytest
from flask import current_app
from sqlalchemy import select, text

from massmail_plugin.channels.dkim_keys import new_keys
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Pace, Sender
from massmail_plugin.providers.recording import RecordingProvider
from massmail_plugin.sending import senders
from massmail_plugin.sending.senders import DomainLimit, SenderDraft

KEYS = new_keys()
GMAIL = DomainLimit(domain="gmail.com", per_window=100, window_seconds=60)
SIGNING = {
    "dkim_domain": "Example.ORG",
    "dkim_selector": "News1",
    "dkim_key": KEYS.rsa,
    "dkim_ed_selector": "news1e",
    "dkim_ed_key": KEYS.ed25519,
}


@pytest.fixture(autouse=True)
def _secret_keys(host: Host) -> None:
    """Stored secrets are encrypted with the keys of the running application."""
    current_app.extensions["massmail"] = host


def draft(**changed: Any) -> SenderDraft:
    usual = {
        "name": "News",
        "provider": "recording",
        "host": "smtp.example.org",
        "port": 587,
        "security": "starttls",
        "auth": "auto",
        "username": "news",
        "from_name": "Example Ltd",
        "from_address": "news@example.org",
    }
    return SenderDraft(**{**usual, **changed})


def saved(host: Host, sender: Sender | None = None, **changed: Any) -> Sender:
    sender = senders.save(host, sender, draft(**changed))
    host.session.commit()
    return sender


def test_limits_are_kept_as_they_were_entered(host: Host) -> None:
    limits = {
        "connections": 4,
        "per_window": 1000,
        "window_seconds": 7200,
        "seconds_between": 0.25,
        "per_day": 20_000,
        "spreads_day": True,
        "ramp_from": date(2026, 11, 22),
        "ramp_first": 50,
        "uncertain_policy": "resend",
    }
    sender = saved(host, **limits, domain_limits=(GMAIL, replace(GMAIL, domain="Bücher.example")))
    host.session.refresh(sender)
    assert {name: getattr(sender, name) for name in limits} == limits
    assert [limit["domain"] for limit in sender.domain_limits] == ["gmail.com", "xn--bcher-kva.example"]
    assert sender.domain_limits[0] == {"domain": "gmail.com", "per_window": 100, "window_seconds": 60}


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"provider": "recordin"}, "provider", "Did you mean “recording”?"),
    ({"auth": "xoauth2", "username": ""}, "username", "XOAUTH2 needs the user name"),
    ({"connections": 0}, "connections", "between 1 and 500"),
    ({"per_window": 0}, "per_window", "between 1 and"),
    ({"per_window": 1, "window_seconds": 0}, "window_seconds", "between 1 and"),
    ({"seconds_between": -1.0}, "seconds_between", "between 0 and"),
    ({"seconds_between": float("nan")}, "seconds_between", "between 0 and"),
    ({"per_day": 2**40}, "per_day", "between 1 and"),
    ({"spreads_day": True}, "per_day", "how many mails a day"),
    ({"ramp_from": date(2026, 11, 22)}, "ramp_first", "on the first day"),
    ({"ramp_first": 50}, "ramp_from", "on which day"),
    ({"domain_limits": (replace(GMAIL, domain="gmail"),)}, "domain_limits", "“gmail” is not a domain"),
    ({"domain_limits": (replace(GMAIL, per_window=0),)}, "domain_limits", "gmail.com: this is between"),
    ({"domain_limits": (GMAIL, replace(GMAIL, domain="GMail.com"))}, "domain_limits", "2 lines for gmail.com"),
    ({"spill_to_id": 999, "per_day": 5}, "spill_to_id", "does not exist any more"),
    ({"uncertain_policy": "maybe"}, "uncertain_policy", "Choose"),
    ({**SIGNING, "dkim_domain": ""}, "dkim_domain", "for which domain"),
    ({**SIGNING, "dkim_domain": "example"}, "dkim_domain", "not a domain"),
    ({**SIGNING, "dkim_selector": ""}, "dkim_selector", "Name the key"),
    ({**SIGNING, "dkim_selector": "a b"}, "dkim_selector", "cannot be a selector"),
    ({**SIGNING, "dkim_selector": "news1E"}, "dkim_ed_selector", "a selector of its own"),
    ({**SIGNING, "dkim_ed_selector": ""}, "dkim_ed_selector", "a selector of its own"),
    ({**SIGNING, "dkim_key": None}, "dkim_key", "never alone"),
    ({**SIGNING, "dkim_key": KEYS.ed25519}, "dkim_key", "an RSA key is needed"),
    ({**SIGNING, "dkim_ed_key": None}, "dkim_ed_key", "Paste the Ed25519 key"),
    ({**SIGNING, "dkim_ed_key": "junk"}, "dkim_ed_key", "cannot be read"),
]


def test_what_cannot_work_is_refused_at_its_field(host: Host) -> None:
    for changed, field, words in REFUSED:
        assert words in senders.problems(host, None, draft(**changed)).get(field, ""), changed
        with pytest.raises(BadRequest):
            senders.save(host, None, draft(**changed))
    assert host.session.scalar(select(Sender)) is None


def test_nobody_carries_on_for_itself(host: Host) -> None:
    first = saved(host, name="First", per_day=10)
    second = saved(host, name="Second", per_day=10, spill_to_id=first.id)
    third = saved(host, name="Third", per_day=10, spill_to_id=second.id)

    def words(other: Sender | None, **changed: Any) -> str:
        to = other.id if other else None
        return senders.problems(host, first, draft(name="First", spill_to_id=to, **changed)).get("spill_to_id", "")

    assert "for itself" in words(first, per_day=10)
    assert "“Third” → “Second” → back to this sender" in words(third, per_day=10)
    assert words(None) == ""
    assert "spill_to_id" not in senders.problems(host, third, draft(name="Third", per_day=10, spill_to_id=first.id))


def test_spilling_over_needs_a_limit_of_the_day(host: Host) -> None:
    other = saved(host, name="Other")
    assert "how many mails a day" in senders.problems(host, None, draft(spill_to_id=other.id))["per_day"]
    warming = draft(spill_to_id=other.id, ramp_from=date(2026, 11, 22), ramp_first=50)
    assert senders.problems(host, None, warming) == {}


def test_keys_are_kept_until_their_names_go(host: Host) -> None:
    kept = {**SIGNING, "dkim_key": None, "dkim_ed_key": None}
    sender = saved(host, **SIGNING)
    assert (sender.dkim_domain, sender.dkim_selector) == ("example.org", "news1")
    saved(host, sender, **kept)
    assert (sender.dkim_key, sender.dkim_ed_key) == (KEYS.rsa, KEYS.ed25519)
    saved(host, sender, **{**kept, "dkim_ed_selector": ""})
    assert senders.stored_secrets(host, sender) == {"dkim_key"}
    saved(host, sender, **{**kept, "dkim_domain": ""})
    assert senders.stored_secrets(host, sender) == frozenset()
    assert (sender.dkim_selector, sender.dkim_ed_selector) == ("", "")


def test_secrets_are_shown_nowhere(host: Host) -> None:
    told = repr(draft(**SIGNING, secret="hunter2")) + repr(senders.make_keys(host, "example.org"))
    saved(host, **SIGNING, secret="hunter2")
    stored = str(host.session.execute(text("SELECT secret, dkim_key, dkim_ed_key FROM massmail_sender")).all())
    for secret in ("hunter2", "PRIVATE KEY"):
        assert secret not in told + stored


def test_signing_leaves_the_test_valid(host: Host) -> None:
    sender = saved(host)
    senders.try_out(host, sender, "", by="Ada")
    assert sender.tested_at is not None
    saved(host, sender, **SIGNING, per_day=5)
    assert sender.tested_at is not None
    saved(host, sender, port=25)
    assert sender.tested_at is None


def test_the_test_mail_is_signed_with_the_keys_that_dns_shows(host: Host, provider: RecordingProvider) -> None:
    sender = saved(host)
    senders.use_keys(host, sender, senders.make_keys(host, "example.org"))
    host.session.commit()
    records = dict(senders.published(sender))
    assert len(records) == 2
    senders.try_out(host, sender, "me@example.net", by="Ada")
    mail = provider.messages[-1].content

    def in_dns(name: bytes, timeout: int = 5) -> bytes:
        return records[name.decode().rstrip(".")].encode()

    assert [dkim.DKIM(mail).verify(number, dnsfunc=in_dns) for number in (0, 1)] == [True, True]


def test_without_keys_the_test_mail_is_not_signed(host: Host, provider: RecordingProvider) -> None:
    senders.try_out(host, saved(host), "me@example.net", by="Ada")
    assert b"DKIM-Signature" not in provider.messages[-1].content


def test_staging_holds_for_test_mails_too(host: Host, provider: RecordingProvider) -> None:
    sender = saved(host)
    for changed in ({"dry_run": True}, {"override_recipient": "staging@example.org"}):
        staged = replace(host, config=replace(host.config, **changed))
        senders.try_out(staged, sender, "me@example.net", by="Ada")
    assert [message.rcpt_to for message in provider.messages] == ["staging@example.org"]


def test_one_that_carries_on_for_another_stays(host: Host) -> None:
    other = saved(host, name="Other")
    sender = saved(host, per_day=10, spill_to_id=other.id)
    with pytest.raises(BadRequest, match="the sender “News”, for which it carries on"):
        senders.delete(host, other)
    host.session.add(Pace(sender_id=sender.id, domain="", day_count=3))
    host.session.commit()
    senders.delete(host, sender)
    senders.delete(host, other)
    host.session.commit()
    assert host.session.scalar(select(Sender)) is None
    assert host.session.scalar(select(Pace)) is None
