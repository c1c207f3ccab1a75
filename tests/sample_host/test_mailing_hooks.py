"""What the sample host does with what it is told: marks, letters, interests, calls; merged and forgotten contacts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from massmail_plugin import consent, outcomes
from massmail_plugin.consent.proof import Proof
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import (
    Event,
    Link,
    Mailing,
    OutboxMessage,
    OutcomeReport,
    PreparedMessage,
    Subscription,
    Suppression,
    Template,
    Topic,
)
from massmail_plugin.upkeep import schema
from massmail_plugin.vocabulary import ConsentWay, EventKind, MessageState, Outcome
from sample_host import mailing as sample
from sample_host.app import create_app
from sample_host.config import settings
from sample_host.crm.models import ActionItem, Contact, Interest, Letter, db
from sample_host.crm.seed import seed
from tests.sample_host.conftest import signed_in


@pytest.fixture
def app(folder):
    """The sample host with its tables and people."""
    app = create_app(settings({"MASSMAIL_DEMO_DIR": str(folder)}))
    with app.app_context():
        db.create_all()
        schema.upgrade(app.extensions["massmail"])
        seed(db.session(), datetime.now(UTC).date())
        db.session.commit()
        yield app


def mailed(app: Flask, *, role: str = "main", contact_id: int = 1, **of_template: Any) -> OutboxMessage:
    """A mail that was sent to a contact, through a template of its own."""
    host: Host = app.extensions["massmail"]
    now = host.clock()
    number = db.session.scalar(select(func.count()).select_from(Template))
    template = Template(name=f"T{number}", created_at=now, updated_at=now, **of_template)
    run = Mailing(name="Autumn", state="sending", contact_source="contact", created_at=now, template=template)
    db.session.add(run)
    db.session.flush()
    db.session.add(
        PreparedMessage(
            mailing_id=run.id,
            subject="For {{ contact.first_name }}",
            text="Dear {{ contact.first_name }}\n",
            html='<p><a href="{{ massmail_links[1] }}">Look</a>{{ massmail_pixel }}</p>',
            tracks_opens=True,
            from_name="Us",
            from_address="us@example.org",
            reply_to="",
            bcc="",
        )
    )
    link = Link(mailing_id=run.id, number=1, target="https://www.example.com/", interest="garden", score=3)
    message = OutboxMessage(
        mailing_id=run.id, chunk=0, contact_source="contact", contact_key=str(contact_id), address_role=role,
        address=f"{role}{contact_id}@example.org", state=MessageState.SENT.value, handed_at=now,
    )  # fmt: skip
    db.session.add_all([link, message])
    db.session.commit()
    return message


def happens(app: Flask, message: OutboxMessage, outcome: Outcome) -> None:
    host: Host = app.extensions["massmail"]
    outcomes.record(host, message.id, outcome, at=host.clock())
    db.session.commit()
    outcomes.deliver(host)
    db.session.expire_all()


def delivered(app: Flask) -> None:
    assert set(db.session.scalars(select(OutcomeReport.state))) == {"delivered"}


def contact(number: int = 1) -> Contact:
    return db.session.get_one(Contact, number, populate_existing=True)


@pytest.mark.parametrize(("role", "bad"), [("main", (True, False)), ("second", (False, True))])
def test_a_dead_address_is_marked_in_the_crm(app: Flask, role: str, bad: tuple[bool, bool]) -> None:
    message = mailed(app, role=role)
    outcomes.lose_address(app.extensions["massmail"], message, EventKind.BOUNCE, words="550 5.1.1 no such user")
    db.session.commit()
    outcomes.deliver(app.extensions["massmail"])
    assert (contact().email1_bad, contact().email2_bad, contact().do_not_mail) == (*bad, contact().do_not_mail)
    assert contact().status == "bad_address"
    delivered(app)


def test_a_complaint_stops_all_post_but_transactional_mail(app: Flask) -> None:
    contact().do_not_mail = False
    message = mailed(app)
    outcomes.lose_address(app.extensions["massmail"], message, EventKind.COMPLAINT, words="abuse")
    db.session.commit()
    outcomes.deliver(app.extensions["massmail"])
    assert contact().do_not_mail
    assert db.session.scalars(select(Suppression.scope)).all() == ["all_but_transactional"]


def test_a_copy_is_kept_where_the_template_says_so_and_is_inert(app: Flask) -> None:
    happens(app, mailed(app), Outcome.SENT)
    assert db.session.scalars(select(Letter)).all() == []
    heard = []
    hooks = app.extensions["massmail"].hooks
    keep, hooks.write_history = hooks.write_history, lambda fact: (heard.append(fact), keep(fact))
    try:
        happens(app, mailed(app, keeps_history=True), Outcome.SENT)
    finally:
        hooks.write_history = keep
    letter = db.session.scalars(select(Letter)).one()
    assert letter.subject == f"For {contact().first_name}"
    assert letter.text == f"Dear {contact().first_name}\n"
    assert heard[0].html == '<p><a href="#">Look</a></p>'
    delivered(app)


def test_an_action_is_done_for_what_was_sent_and_a_second_time_it_is_still_one(app: Flask) -> None:
    message = mailed(app, actions=["call-back", "gone-since"])
    before = db.session.scalar(select(func.count()).select_from(ActionItem))
    happens(app, message, Outcome.SENT)
    happens(app, message, Outcome.READ)
    db.session.query(OutcomeReport).update({"state": "untold"})
    db.session.commit()
    outcomes.deliver(app.extensions["massmail"])
    assert db.session.scalar(select(func.count()).select_from(ActionItem)) == before + 1
    delivered(app)


def test_clicks_on_links_with_an_interest_are_told_once_for_each_link(app: Flask) -> None:
    message, host = mailed(app), app.extensions["massmail"]
    link = db.session.scalars(select(Link)).one()
    other = Link(mailing_id=link.mailing_id, number=2, target="https://www.example.com/2", interest="kitchen", score=4)
    plain = Link(mailing_id=link.mailing_id, number=3, target="https://www.example.com/3")
    db.session.add_all([other, plain])
    db.session.flush()
    facts = []
    host.hooks.on_outcome.append(facts.append)
    try:
        for number, one in enumerate((plain, link, other, link)):
            at = host.clock() + timedelta(seconds=number)
            event = outcomes.NewEvent(message_id=message.id, kind=EventKind.CLICK, at=at, link_id=one.id)
            outcomes.keep_events(host, [event])
        db.session.commit()
        for _ in range(3):
            outcomes.retry_now(host)
            db.session.query(OutcomeReport).update({"due_at": host.clock()})
            db.session.commit()
            outcomes.deliver(host)
    finally:
        host.hooks.on_outcome.remove(facts.append) if facts.append in host.hooks.on_outcome else None
    shown = db.session.execute(select(Interest.name, Interest.score).order_by(Interest.name)).all()
    assert shown == [("garden", 3), ("kitchen", 4)]
    assert [fact.outcome for fact in facts] == [Outcome.READ, Outcome.CLICKED], "clicked counts once for each mail"
    assert contact().status == "interested"
    assert db.session.scalar(select(func.count()).select_from(Event)) == 4


def test_the_contact_page_shows_all_of_it(app: Flask) -> None:
    happens(app, mailed(app, keeps_history=True), Outcome.SENT)
    contact().email1_bad = True
    db.session.add(Interest(contact_id=1, report_id=99, at=datetime.now(UTC), name="garden", score=3))
    db.session.commit()
    client = app.test_client()
    app.config["WTF_CSRF_ENABLED"] = False
    client.post("/login", data={"name": "developer", "password": "developer-demo"})
    page = client.get("/contacts/1").text
    for words in ("Does not work", "garden (3); score 3", "Letters", f"For {contact().first_name}"):
        assert words in page


def test_a_merged_contact_hands_everything_on(app: Flask) -> None:
    happens(app, mailed(app, contact_id=1, keeps_history=True), Outcome.SENT)
    sample.merge(contact(1), contact(2))
    db.session.commit()
    assert db.session.get(Contact, 1) is None
    assert db.session.scalars(select(OutboxMessage.contact_key)).all() == ["2"]
    assert db.session.scalars(select(Letter.contact_id)).all() == [2]


def test_a_forgotten_contact_hands_nothing_to_whoever_gets_its_number(app: Flask) -> None:
    happens(app, mailed(app, contact_id=1), Outcome.SENT)
    sample.forget(contact(1))
    db.session.commit()
    assert db.session.scalars(select(OutboxMessage.contact_key)).one().startswith("gone:")
    assert db.session.scalars(select(Subscription).where(Subscription.contact_key == "1")).all() == []


def test_a_wish_noted_in_the_crm_holds_for_mailings_and_the_other_way_round(app: Flask) -> None:
    """By the contact's page: to us at once, back to the CRM when the contact comes back, and no circle."""
    host: Host = app.extensions["massmail"]
    app.config["WTF_CSRF_ENABLED"] = False
    client, ref = signed_in(app, "operations"), ContactRef("contact", "3")
    client.post("/contacts/3/post", data={"wants_post": "no"})
    db.session.expire_all()
    stop = db.session.scalars(select(Suppression).where(Suppression.contact_key == "3")).one()
    assert (stop.reason, stop.way, stop.created_by) == ("opt_out", "host", "operations")
    assert "Wants post again" in client.get("/contacts/3").text
    consent.take_back(host, ref, list_ids=None, proof=Proof(ConsentWay.PAGE, evidence="page"))
    db.session.commit()
    assert not db.session.get_one(Contact, 3, populate_existing=True).do_not_mail
    assert "Wants no post" in client.get("/contacts/3").text


def test_a_wish_about_one_topic_does_not_mark_the_contact(app: Flask) -> None:
    host: Host = app.extensions["massmail"]
    topic = Topic(name="Wine")
    db.session.add(topic)
    db.session.flush()
    proof = Proof(ConsentWay.PAGE, evidence="page")
    consent.withdraw(host, ContactRef("contact", "3"), list_ids=None, topic_id=topic.id, proof=proof)
    db.session.commit()
    assert not db.session.get_one(Contact, 3, populate_existing=True).do_not_mail
