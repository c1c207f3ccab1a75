"""A small host for these runs: one table of contacts, the plugin, a sender at our Postfix, mailboxes at our Dovecot."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from imaplib import IMAP4
from pathlib import Path

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import String, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from massmail_plugin import ContactSource, Email, MassMail, Outcome, StatusMapping, mailings
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.subscriptions.subscribing import subscribe
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.feedback import mailboxes
from massmail_plugin.feedback.mailboxes import MailboxDraft
from massmail_plugin.hosting import tune
from massmail_plugin.models import List, Mailing, Sender, Template, TemplateVersion
from massmail_plugin.testing import run_jobs
from massmail_plugin.upkeep import schema
from massmail_plugin.vocabulary import AfterReading, ConsentWay, MailboxKind, Security
from realmail.dovecot import PASSWORD, maildir
from realmail.servers import MailServers

STATUSES = {
    Outcome.SENT: "mailed",
    Outcome.READ: "reader",
    Outcome.BOUNCED: "bad address",
    Outcome.COMPLAINED: "do not mail",
}


class HostBase(DeclarativeBase):
    """The tables of the host."""


class Customer(HostBase):
    """A contact."""

    __tablename__ = "customer"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    status: Mapped[str] = mapped_column(String(40), default="new")


@contextmanager
def crm(folder: Path, database_url: str, servers: MailServers) -> Iterator[Flask]:
    """The application, its tables made, within its context."""
    app = Flask("crm", instance_path=str(folder))
    app.config |= {
        "SECRET_KEY": "of this run",
        "SQLALCHEMY_DATABASE_URI": database_url,
        "MASSMAIL_BASE_URL": "https://crm.test",
        "MASSMAIL_SECRET_KEYS": ["k" * 40],
        "MASSMAIL_REDIS_URL": f"unix://{folder}/there-is-no-redis.sock",
        "MASSMAIL_MAILDIR_ROOT": str(servers.folder / "mail"),
    }
    db = SQLAlchemy(app, model_class=HostBase)
    contacts = ContactSource(Customer, addresses=[Email(Customer.email)], name=Customer.email, status=Customer.status)
    statuses = StatusMapping(STATUSES, known=lambda: ["new", *STATUSES.values()])
    MassMail(contacts=contacts, statuses=statuses).init_app(app, db=db)
    with app.app_context():
        tune(db.engine)
        HostBase.metadata.create_all(db.engine)
        schema.upgrade(app.extensions["massmail"])
        yield app
        db.session.remove()
        db.engine.dispose()


def host_of(app: Flask) -> Host:
    """The plugin's state in the application."""
    host: Host = app.extensions["massmail"]
    return host


def send_mailing(app: Flask, servers: MailServers, addresses: Sequence[str]) -> Mailing:
    """Make contacts of the addresses and send them a mailing through Postfix; returns when all rows are final."""
    host = host_of(app)
    now = host.clock()
    host.session.add_all(Customer(email=address) for address in addresses)
    sender = Sender(
        name="Newsletter",
        host="127.0.0.1",
        port=servers.smtp,
        security=Security.NONE,
        auth="none",
        from_name="Customer relations",
        from_address="news@crm.test",
        return_path="bounces@crm.test",
        created_at=now,
        tested_at=now,
    )
    template = Template(name="Spring", format="html", version_number=1, created_at=now, updated_at=now, sender=sender)
    html = '<p>It is spring. <a href="https://shop.example/">Look</a>.</p>'
    template.versions = [TemplateVersion(number=1, subject="Spring news", html=html, text="", saved_at=now)]
    everybody = List(name="Customers", created_at=now)
    host.session.add_all([template, everybody])
    host.session.flush()
    keys = host.session.scalars(select(Customer.id))
    subscribe(
        host,
        everybody,
        [ContactRef("customer", str(key)) for key in keys],
        proof=Proof(ConsentWay.PERSON, evidence="this run"),
    )
    mailing = mailings.create(
        host, name="Spring", contact_source="customer", by="run", list_ids=[everybody.id], template_id=template.id
    )
    mailings.launch(host, mailing, by="run")
    host.session.commit()
    run_jobs(app)
    host.session.expire_all()
    return mailing


def _let_it_be_made(servers: MailServers, user: str) -> None:
    """Dovecot makes a Maildir when its user first looks."""
    with IMAP4("127.0.0.1", servers.ports.imap) as connection:
        connection.authenticate("PLAIN", lambda _: f"\0{user}\0{PASSWORD}".encode())
        connection.select()


def add_mailbox(app: Flask, servers: MailServers, user: str, kind: MailboxKind, security: Security) -> int:
    """A mailbox of a Dovecot user; reports of ours are deleted there. The one of people is shared."""
    host = host_of(app)
    if kind is MailboxKind.MAILDIR:
        _let_it_be_made(servers, user)
    draft = MailboxDraft(
        name=f"{user} by {kind}",
        kind=kind,
        host="localhost",
        port=_port(servers, kind, security),
        security=security,
        username=user,
        secret=PASSWORD,
        folder=str(maildir(servers.folder, user)) if kind is MailboxKind.MAILDIR else "INBOX",
        after=AfterReading.DELETE,
        shared=user == "news",
    )
    wrong = mailboxes.problems(host, None, draft)
    if wrong:
        raise ValueError(f"The mailbox could not be set up: {wrong}")
    mailbox = mailboxes.save(host, None, draft)
    host.session.commit()
    return mailbox.id


def _port(servers: MailServers, kind: MailboxKind, security: Security) -> int:
    tls = security is Security.TLS
    if kind is MailboxKind.POP3:
        return servers.ports.pop3s if tls else servers.ports.pop3
    return servers.ports.imaps if tls else servers.ports.imap
