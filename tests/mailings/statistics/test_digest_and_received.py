"""The report by mail a day later, and what one person received, through the real outbox and the recording provider."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from flask import current_app

from massmail_plugin import mailings, outbox
from massmail_plugin.errors import BadRequest
from massmail_plugin.mailings import statistics
from massmail_plugin.mailings.as_sent import as_received
from massmail_plugin.mailings.statistics.periods import period
from massmail_plugin.models import KeptValues, Link, Mailing, OutboxMessage
from massmail_plugin.outcomes import NewEvent, keep_events
from massmail_plugin.sending import run_lane
from massmail_plugin.vocabulary import EventKind, MailingKind
from tests.consent.small_host import Person, add_person, clock
from tests.sending.conftest import host, news, provider, subscribe, template

__all__ = ["host", "news", "provider", "template"]


@pytest.fixture
def run(host, news, template):
    """Launches a mailing to Ada and Zoë and sends it; gives the mailing and its rows."""
    refs = [
        add_person(host, f"{address}@example.org", first=name) for address, name in (("ada", "Ada"), ("zoe", "Zoë"))
    ]
    subscribe(host, news, *refs)

    def send(name="Spring {{ news }}", **values):
        host = current_app.extensions["massmail"]
        draft = mailings.create(
            host, name=name, contact_source="person", by="ada", list_ids=[news.id], template_id=template.id, **values
        )
        mailings.launch(host, draft, by="ada")
        host.session.commit()
        mailings.fill_launched(host)
        run_lane(host, seconds=5)
        return draft, host.session.query(OutboxMessage).filter_by(mailing_id=draft.id).order_by(OutboxMessage.id).all()

    return send


def keeping(host, days):
    """The host with another keep_values_days."""
    other = replace(host, config=replace(host.config, keep_values_days=days))
    current_app.extensions["massmail"] = other
    return other


# --- the report ---


def test_the_results_are_mailed_once_a_day_later(host, run, provider):
    mailing, rows = run(digest_to="boss@example.org, desk@example.org")
    assert [row.state for row in rows] == ["sent", "sent"]
    link = host.session.query(Link).filter_by(mailing_id=mailing.id).one()
    click = NewEvent(message_id=rows[0].id, kind=EventKind.CLICK, at=host.clock(), link_id=link.id)
    keep_events(host, [click])
    host.session.commit()
    before = len(provider.messages)
    clock(host).tick(hours=23, minutes=59)
    assert statistics.send_due_digests(host) == 0
    clock(host).tick(minutes=2)
    assert statistics.send_due_digests(host) == 1
    assert statistics.send_due_digests(host) == 0
    run_lane(host, seconds=5)
    letters = provider.messages[before:]
    assert sorted(letter.rcpt_to for letter in letters) == ["boss@example.org", "desk@example.org"]
    text = letters[0].content.decode()
    for words in ("Sent: 2", "Clicked: 1 (50 %)", "1 mails, 1 clicks: look"):
        assert words in text, text
    assert "{{ news }}" in text, "nothing is filled in"


def test_a_report_counts_nowhere(host, run):
    mailing, _ = run(digest_to="boss@example.org")
    clock(host).tick(days=2)
    statistics.send_due_digests(host)
    run_lane(host, seconds=5)
    report = host.session.query(Mailing).order_by(Mailing.id.desc()).first()
    assert (report.kind, report.name) == (MailingKind.TEST.value, "Results of “Spring {{ news }}”")
    now = host.clock()
    assert period(host, now - timedelta(days=9), now + timedelta(days=1)).mailing_ids == [mailing.id]


def test_a_report_that_cannot_be_sent_holds_nothing_up(host, run, caplog):
    run(digest_to="not an address")
    other, _ = run("Autumn", digest_to="boss@example.org")
    clock(host).tick(days=2)
    assert statistics.send_due_digests(host) == 1
    assert "could not be sent" in caplog.text
    assert statistics.send_due_digests(host) == 0
    assert host.session.get_one(Mailing, other.id).digest_sent_at == host.clock()


def test_without_addresses_nothing_is_sent(host, run):
    run()
    clock(host).tick(days=2)
    assert statistics.send_due_digests(host) == 0


# --- what one person received ---


def test_the_mail_is_shown_with_the_values_of_then(host, run, provider):
    host = keeping(host, 30)
    _, rows = run()
    host.session.query(Person).update({"first": "Changed"})
    host.session.commit()
    shown = {as_received(host, row).subject for row in rows}
    assert shown == {"Hello Ada", "Hello Zoë"}
    mail = as_received(host, rows[0])
    assert mail.exact
    assert "/m/" not in mail.html
    assert "/m/" not in mail.text
    assert "<img" not in mail.html


def test_without_kept_values_it_says_so(host, run):
    _, rows = run()
    host.session.query(Person).update({"first": "Changed"})
    host.session.commit()
    mail = as_received(host, rows[0])
    assert (mail.subject, mail.exact) == ("Hello Changed", False)
    assert host.session.query(KeptValues).count() == 0


def test_who_is_gone_has_no_mail_to_show_unless_its_values_are_kept(host, run):
    _, rows = run()
    host.session.query(Person).delete()
    host.session.commit()
    with pytest.raises(BadRequest, match="not there any more"):
        as_received(host, rows[0])


def test_of_several_tries_the_last_before_the_hand_over_counts(host, run):
    host = keeping(host, 30)
    _, rows = run()
    row, at = rows[0], host.clock()
    for hours, name in ((-2, "Too early"), (1, "Too late")):
        clock(host).now = at + timedelta(hours=hours)
        outbox.keep_values(host, row.mailing_id, row.chunk, [(row.id, {"first": name})])
    host.session.commit()
    assert as_received(host, row).subject == "Hello Ada"


def test_kept_values_come_back_as_they_were(host, run):
    host = keeping(host, 30)
    _, rows = run()
    given = {
        "amount": Decimal("12.50"),
        "born": date(1970, 1, 2),
        "seen": datetime(2026, 3, 1, 12, 0),
        "vip": True,
        "none": None,
        "orders": [{"item": "è", "amount": 3}],
    }
    outbox.keep_values(host, rows[0].mailing_id, rows[0].chunk, [(rows[0].id, given)])
    rows[0].handed_at = None
    host.session.commit()
    assert outbox.values_of(host, rows[0]) == given


def test_kept_values_are_forgotten_in_time(host, run):
    host = keeping(host, 30)
    _, rows = run()
    assert outbox.values_of(host, rows[0]) is not None
    clock(host).tick(days=29)
    assert outbox.forget_values(host) == 0
    clock(host).tick(days=2)
    assert outbox.forget_values(host) == 1
    host.session.commit()
    assert outbox.values_of(host, rows[0]) is None
