"""The CRM of these tests: the sample host, mounted, with six contacts nobody would want and one of everything.

A mailing was sent to them; one was refused in words that hold HTML, one opened, clicked and left.
"""

import hashlib
import io
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import select

from massmail_plugin import audience, campaigns, consent, feedback, mailings
from massmail_plugin.audience import imports
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.stops.suppression import suppress
from massmail_plugin.contracts import Answer, ContactRef, Host, Outgoing
from massmail_plugin.feedback import mailboxes
from massmail_plugin.feedback.mailboxes import MailboxDraft
from massmail_plugin.mailings.library import TemplateDraft, save
from massmail_plugin.models import (
    ConsentText,
    Criterion,
    EventFeed,
    Link,
    List,
    Mailing,
    OutboxMessage,
    OutcomeReport,
    Received,
    Segment,
    SignUp,
    Subscription,
    Suppression,
    Topic,
    Webhook,
    WebhookDelivery,
)
from massmail_plugin.providers.recording import RecordingProvider
from massmail_plugin.sending import senders
from massmail_plugin.signed_links import message_token
from massmail_plugin.smtp_status import Reply
from massmail_plugin.testing import run_jobs
from massmail_plugin.vocabulary import ConsentWay, ImportPurpose, MessageState, SuppressionReason, SuppressionScope
from sample_host.app import create_app
from sample_host.config import settings
from sample_host.crm.accounts import DEMO_ACCOUNTS
from sample_host.crm.models import Company, Contact, User, db
from sample_host.crm.seed import add_accounts, add_statuses
from sample_host.running import run_command
from tests.attacks import hostile

BASE_URL = "https://crm.example.org"
OURS = {"MASSMAIL_BASE_URL": BASE_URL, "MASSMAIL_REDIS_URL": "redis://127.0.0.1:1/0", "MASSMAIL_DRAIN_SECONDS": 0}
PASSWORD = "s3cret-of-the-mail-account"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
REFUSED = "refused@example.org"
ADMIN = "/admin/massmail"
ROLES = tuple(name for name, _, _ in DEMO_ACCOUNTS)
PEOPLE = (
    (hostile.SVG, hostile.SCRIPT, "one@example.org"),
    (hostile.TEMPLATE, hostile.QUOTE, REFUSED),
    (hostile.FORMULA, hostile.DROP, "three@example.org"),
    (hostile.WILDCARDS, "Percent", "four@example.org"),
    ("line\r\nBcc: evil@evil.example", "Break", "five@example.org"),
    ("Anna", "Ordinary", "anna@example.org"),
)
HTML = (
    "<html><head><style>p{color:red}</style></head><body onload='alert(7)'><script>alert(8)</script>"
    "<p style='color:blue'>Dear {{ contact.first_name }}</p><img src=x onerror=alert(9)>"
    "<a href='https://shop.example/x'>go</a> <a href='{{ unsubscribe_url }}'>stop</a></body></html>"
)


@dataclass
class Crm:
    """The application, what it sent, and the ids of its rows by kind."""

    app: Flask
    ids: Mapping[str, int]
    carried: RecordingProvider
    visitors: dict[str, FlaskClient] = field(default_factory=dict)

    @property
    def host(self) -> Host:
        host: Host = self.app.extensions["massmail"]
        return host

    def visitor(self, role: str) -> FlaskClient:
        """A browser signed in as `role`; "" is a stranger."""
        if role not in self.visitors:
            client = self.app.test_client()
            if role:
                with self.app.app_context(), client.session_transaction() as session:
                    user = db.session.scalars(select(User.id).where(User.role == role)).one()
                    session.update(_user_id=str(user), _fresh=True)
            self.visitors[role] = client
        return self.visitors[role]

    def csrf(self, role: str) -> str:
        """The token of this visitor's session."""
        return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.visitor(role).get("/admin/").text).group(1)  # type: ignore[union-attr]

    def state(self) -> str:
        """Changes whenever any row of any table does (SQLite)."""
        with self.app.app_context():
            path = db.engine.url.database
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as rows:
            return hashlib.sha256("\n".join(rows.iterdump()).encode("utf-8", "surrogatepass")).hexdigest()

    def token(self, address: str) -> str:
        """The recipient's token of the mailing that was sent."""
        with self.app.app_context():
            wanted = OutboxMessage.address == address, OutboxMessage.mailing_id == self.ids["mailing_id"]
            number = db.session.scalars(select(OutboxMessage.id).where(*wanted)).one()
            return message_token(self.host.config, number, self.ids["mailing_id"])


def mounted(folder: Path, **config: Any) -> tuple[Flask, RecordingProvider]:
    """The application over a folder, with a provider that keeps what it carries."""
    app = create_app({**settings({"MASSMAIL_DEMO_DIR": str(folder)}), **OURS, **config})
    app.config["PROPAGATE_EXCEPTIONS"] = False  # errors become pages, as they do for visitors
    provider = RecordingProvider(answer=refuse_one)
    app.extensions["massmail"].providers["recording"] = provider
    return app, provider


def refuse_one(message: Outgoing) -> Answer:
    """A server that has something to say to one recipient."""
    if message.rcpt_to == REFUSED:
        return Answer(MessageState.REFUSED, Reply(550, "5.7.1", hostile.SERVER_REPLY))
    return Answer(MessageState.SENT, Reply(250, "2.0.0", "2.0.0 " + hostile.SERVER_REPLY))


def fill(app: Flask) -> dict[str, int]:
    """Make tables and rows, send the mailing; the ids of what was made."""
    with app.app_context():
        upgrade()
    run_command(app, "massmail", "db", "upgrade")
    host: Host = app.extensions["massmail"]
    with app.app_context():
        add_people()
        ids = add_material(host)
        db.session.commit()
        mailing = draft(host, ids, hostile.SVG + " sent")
        waiting = draft(host, ids, "A draft " + hostile.SCRIPT)
        mailings.launch(host, mailing, by=hostile.QUOTE)
        db.session.commit()
        ids |= {"mailing_id": mailing.id, "draft_id": waiting.id}
    run_jobs(app)
    answer_mail(app, ids)
    run_jobs(app)
    with app.app_context():
        ids["subscription_id"] = db.session.scalars(select(Subscription.id).order_by(Subscription.id.desc())).first()
        ids["suppression_id"] = db.session.scalars(select(Suppression.id)).first()
        ids["link_number"] = db.session.scalars(select(Link.number)).first()
        ids["link_id"] = db.session.scalars(select(Link.id)).first()
        ids["test_id"] = send_test(host, ids)
        ids["sign_up_id"] = add_sign_up(host, ids)
        ids |= add_incoming(host, ids)
        ids |= add_listeners(host)
        assert db.session.get_one(Mailing, ids["mailing_id"]).state == "finished"
        db.session.commit()
        db.engine.dispose()
    return {name: number for name, number in ids.items() if number is not None}


def add_sign_up(host: Host, ids: Mapping[str, int]) -> int:
    """Somebody who filled the form in with what strangers fill in."""
    now = host.clock()
    words = ConsentText(list_id=ids["list_id"], locale="en", number=1, words=hostile.SCRIPT, created_at=now)
    db.session.add(words)
    db.session.flush()
    sign_up = SignUp(
        list_id=ids["list_id"],
        address="stranger@example.org",
        values={"first_name": hostile.IMAGE, hostile.QUOTE: hostile.SVG},
        consent_text_id=words.id,
        origin=hostile.SCRIPT,
        created_at=now,
        due_at=now + timedelta(days=2),
        asked_at=now,
        times_asked=1,
    )
    db.session.add(sign_up)
    db.session.flush()
    return sign_up.id


def add_people() -> None:
    add_statuses(db.session())
    add_accounts(db.session())
    company = Company(name=hostile.IMAGE, city=hostile.SVG, segment=hostile.QUOTE)
    db.session.add_all(
        Contact(
            account_number=number,
            first_name=first,
            last_name=last,
            email1=address,
            city=hostile.IMAGE,
            opened_on=date(2026, 3, 2),
            company=company,
        )
        for number, (first, last, address) in enumerate(PEOPLE, 1)
    )
    db.session.flush()


def add_material(host: Host) -> dict[str, int]:
    """A sender, a template, a list with everybody on it, a criterion, a campaign and a suppression."""
    account = senders.SenderDraft(
        name=hostile.IMAGE,
        provider="recording",
        host="mail.example.org",
        port=587,
        security="starttls",
        auth="auto",
        username="letters",
        secret=PASSWORD,
        from_name='Evil "Quotes" <x>',
        from_address="letters@example.org",
    )
    sender = senders.save(host, None, account)
    sender.test_stages = [{"stage": "connect", "ok": False, "detail": hostile.SERVER_REPLY, "words": hostile.SVG}]
    topic = Topic(name=hostile.QUOTE, public_name=hostile.SVG, description=hostile.SCRIPT)
    segment = Segment(name=hostile.QUOTE, description=hostile.IMAGE)
    db.session.add_all([topic, segment])
    db.session.flush()
    words = TemplateDraft(
        name=hostile.SVG,
        subject="Hello {{ contact.first_name }} " + hostile.IMAGE,
        description=hostile.SCRIPT,
        topic_id=topic.id,
        segment_id=segment.id,
        html=HTML,
        sender_id=sender.id,
    )
    template = save(host, None, words, by=hostile.QUOTE)
    wanted = List(name=hostile.SVG, public_name=hostile.SCRIPT, description=hostile.IMAGE, created_at=host.clock())
    wanted.topic, wanted.texts = topic, {"de": {"name": hostile.SVG, "description": hostile.SCRIPT}}
    spare = List(name="Spare", created_at=host.clock())
    db.session.add_all([wanted, spare])
    db.session.flush()
    refs = [ContactRef("contact", str(key)) for key in db.session.scalars(select(Contact.id))]
    proof = Proof(ConsentWay.FORM, evidence=hostile.SVG, by=hostile.QUOTE, origin=hostile.SCRIPT)
    consent.subscribe(host, wanted, refs, proof=proof)
    rule = {"all": [{"field": "city", "op": "is", "value": hostile.IMAGE}]}
    audience.clause(host, host.source("contact"), rule)
    now = host.clock()
    criterion = Criterion(
        name=hostile.SVG,
        description=hostile.SCRIPT,
        rule=rule,
        contact_source="contact",
        created_at=now,
        updated_at=now,
    )
    db.session.add(criterion)
    series = campaigns.create(
        host, name=hostile.SVG, source_name="contact", by=hostile.QUOTE, description=hostile.SCRIPT, list_ids=[spare.id]
    )
    step = campaigns.add_step(host, series, day=0, template_id=template.id)
    suppress(
        host,
        address="stopped@example.org",
        scope=SuppressionScope.ALL_BUT_TRANSACTIONAL,
        reason=SuppressionReason.BY_PERSON,
        note=hostile.SCRIPT,
        by=hostile.SVG,
    )
    file = f'email,"{hostile.IMAGE}"\n{hostile.IMAGE},<script>alert(1)</script>\nanna@example.org,=1+1\n'.encode()
    brought = imports.bring(
        host,
        io.BytesIO(file),
        purpose=ImportPurpose.SUBSCRIBE,
        source=host.source("contact"),
        file_name=hostile.SVG,
        list_id=spare.id,
        by=hostile.QUOTE,
    )
    db.session.flush()
    return {
        "import_id": brought.id,
        "sender_id": sender.id,
        "template_id": template.id,
        "list_id": wanted.id,
        "topic_id": topic.id,
        "spare_list_id": spare.id,
        "criterion_id": criterion.id,
        "campaign_id": series.id,
        "step_id": step.id,
        "contact_id": int(refs[0].key),
        "key": int(refs[0].key),
    }


def add_incoming(host: Host, ids: Mapping[str, int]) -> dict[str, int]:
    """A mailbox whose server says evil things, and a bounce about a mail of ours that does."""
    values = {"host": "127.0.0.1", "port": 9, "username": hostile.QUOTE, "secret": PASSWORD, "security": "none"}
    mailbox = mailboxes.save(host, None, MailboxDraft(name=hostile.SVG, **values))  # type: ignore[arg-type]
    mailbox.fault = hostile.SERVER_REPLY
    message = db.session.scalars(select(OutboxMessage).filter_by(mailing_id=ids["mailing_id"])).first()
    assert message is not None
    received = Received(
        origin=mailboxes.origin_of(mailbox.id),
        origin_id="1",
        at=host.clock(),
        state="matched",
        kind="bounce",
        message_id=message.id,
        address=message.address,
        subject=hostile.SCRIPT,
        note=hostile.SERVER_REPLY,
        size=9_999_999,
        raw=(hostile.IMAGE + hostile.SVG + "</pre>").encode(),
    )
    db.session.add(received)
    db.session.commit()
    return {"mailbox_id": mailbox.id, "received_id": received.id, "message_id": message.id}


def add_listeners(host: Host) -> dict[str, int]:
    """A provider's feed and a webhook whose other ends say evil things, and a report the host's own code choked on."""
    made: dict[str, Any] = {"created_at": host.clock(), "fault": hostile.SERVER_REPLY, "secret": PASSWORD}
    feed = EventFeed(name=hostile.SVG, provider="signed_json", path="an-unguessable-end", **made)
    hook = Webhook(name=hostile.SVG, url="https://hooks.example.org/" + hostile.QUOTE, **made)
    report = db.session.scalars(select(OutcomeReport)).first()
    assert report is not None
    report.state, report.attempts, report.problem = "waiting", 3, hostile.SCRIPT + hostile.SERVER_REPLY
    db.session.add_all([feed, hook])
    db.session.flush()
    delivery = WebhookDelivery(
        webhook_id=hook.id, report_id=report.id, attempts=2, due_at=host.clock(), code=500, problem=hostile.SVG
    )
    db.session.add(delivery)
    db.session.commit()
    return {"feed_id": feed.id, "webhook_id": hook.id, "report_id": report.id, "delivery_id": delivery.id}


def draft(host: Host, ids: Mapping[str, int], name: str) -> Mailing:
    return mailings.create(
        host,
        name=name,
        contact_source="contact",
        by=hostile.QUOTE,
        list_ids=[ids["list_id"]],
        template_id=ids["template_id"],
        address_roles=["main"],
    )


def send_test(host: Host, ids: Mapping[str, int]) -> int:
    contact = ContactRef("contact", str(ids["contact_id"]))
    made = mailings.send_test(
        host, template_id=ids["template_id"], addresses=["me@example.org"], contact=contact, sender_id=None, by="me"
    )
    return made.id


def answer_mail(app: Flask, ids: Mapping[str, int]) -> None:
    """One recipient opens, clicks with a hostile browser, and leaves."""
    crm = Crm(app, ids, RecordingProvider())
    token, agent = crm.token("one@example.org"), {"User-Agent": hostile.AGENT}
    visitor = app.test_client()
    for address in (f"/m/o/{token}.gif", f"/m/c/{token}/1"):
        assert visitor.get(address, headers=agent).status_code in (200, 302)
    assert visitor.post(f"/m/u/{token}", data={"stop": "these"}, headers=agent).status_code == 200
    with app.app_context():
        assert feedback.drain(crm.host, wait=timedelta(0)) == 2
