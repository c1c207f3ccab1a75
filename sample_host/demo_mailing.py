"""What the demo knows of mailings: templates, lists, a sender that leads to the catcher, and one run of the main job.

Entered by `running.py`, `demo.py` and `demo_once.py` with an application context; what it changes it commits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, String, cast, func, select, true

from massmail_plugin import Outcome, audience, campaigns, consent, mailings
from massmail_plugin.consent.proof import Proof
from massmail_plugin.contracts import Host
from massmail_plugin.mailings.library import TemplateDraft
from massmail_plugin.mailings.library import save as save_template
from massmail_plugin.models import Criterion, List, Mailing, OutboxMessage, Sender, Template, Topic
from massmail_plugin.sending import senders
from massmail_plugin.sending.senders import SenderDraft
from massmail_plugin.vocabulary import ConsentWay, MailingKind, MailingState, MessageState, Security, TemplateFormat
from sample_host.crm.models import Contact, db
from sample_host.mailing import massmail

MAILS = Path(__file__).parent / "mails"
BY = "sample data"
SOURCE = "contact"

CATCHER = "Mail catcher"
CATCHER_ACCOUNT = SenderDraft(
    name=CATCHER,
    host="127.0.0.1",
    port=2525,
    security=Security.NONE.value,
    auth="auto",
    username="demo",
    secret="demo",
    from_name="Fernhill Supplies",
    from_address="letters@example.com",
)
CATALOGUE, HOURS = "Autumn catalogue", "Workshop hours"
EVERYBODY, TRADE, NEIGHBOURS, NEWCOMERS = "Catalogue", "Trade prices", "Workshop evenings", "New customers"
OFFERS, EVENTS = "Offers", "Events"


@dataclass(frozen=True)
class Words:
    """A template of the sample data."""

    name: str
    subject: str
    file: str
    format: TemplateFormat
    description: str


@dataclass(frozen=True)
class Circle:
    """A list of the sample data, and which contacts are on it."""

    name: str
    public_name: str
    description: str
    topic: str
    who: ColumnElement[bool]


TEMPLATES = (
    Words(
        CATALOGUE,
        "{{ contact.first_name | default: 'Hello' }}, the autumn catalogue is here",
        "autumn_catalogue.html",
        TemplateFormat.HTML,
        "Four things from the catalogue, trade prices for companies, and the contact's account.",
    ),
    Words(
        HOURS,
        "Winter hours of our workshop",
        "workshop_hours.txt",
        TemplateFormat.TEXT,
        "A short note without pictures.",
    ),
)
CIRCLES = (
    Circle(EVERYBODY, "The Fernhill catalogue", "Four times a year, what is new.", OFFERS, true()),
    Circle(TRADE, "Trade prices", "When prices for companies change.", OFFERS, Contact.type == "Business"),
    Circle(
        NEIGHBOURS,
        "Workshop evenings",
        "Invitations to our workshop.",
        EVENTS,
        Contact.city.in_(["Bristol", "Leeds", "York", "Cardiff"]),
    ),
)


CRITERIA: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "In Britain",
        "Contacts whose country is GB.",
        {"all": [{"field": "country", "op": "is", "value": "GB"}]},
    ),
    (
        "Owes more than 1,000",
        "A balance above 1,000, and not a public body.",
        {
            "all": [
                {"field": "balance", "op": "more", "value": "1000"},
                {"none": [{"field": "company.segment", "op": "is", "value": "Public sector"}]},
            ]
        },
    ),
)


@dataclass(frozen=True)
class Progress:
    """How a mailing stands: the rows in its outbox, and what became of them."""

    finished: bool
    planned: int
    skipped: int
    sent: int
    failed: int


def host_here() -> Host:
    """The plugin as it is mounted on the current application."""
    host: Host = current_app.extensions["massmail"]
    return host


def load(smtp_port: int) -> None:
    """Adds the sample data once; points the sender to where the catcher listens now, and tries it out."""
    host = host_here()
    sender = db.session.scalar(select(Sender).where(Sender.name == CATCHER))
    if sender is None:
        sender = senders.save(host, None, CATCHER_ACCOUNT)
        add_templates(host, sender)
        add_lists(host)
        add_criteria(host)
        add_campaign(host)
        tell_wishes()
    sender.port = smtp_port
    db.session.commit()
    senders.try_out(host, sender, "", by=BY)


def add_templates(host: Host, sender: Sender) -> None:
    """The letters in the folder `mails`."""
    for words in TEMPLATES:
        text = (MAILS / words.file).read_text(encoding="utf-8")
        html = words.format is TemplateFormat.HTML
        draft = TemplateDraft(
            name=words.name,
            subject=words.subject,
            description=words.description,
            format=words.format.value,
            sender_id=sender.id,
            html=text if html else "",
            text="" if html else text,
            keeps_history=not html,
        )
        save_template(host, None, draft, by=BY)


def add_lists(host: Host) -> None:
    """The lists, with the contacts that belong on them."""
    topics = {name: Topic(name=name) for name in (OFFERS, EVENTS)}
    db.session.add_all(topics.values())
    for circle in CIRCLES:
        found = List(
            name=circle.name,
            public_name=circle.public_name,
            description=circle.description,
            topic=topics[circle.topic],
            sign_up=True,
            created_at=host.clock(),
        )
        db.session.add(found)
        keys = select(cast(Contact.id, String)).where(circle.who)
        consent.subscribe_selected(
            host, found, host.source(SOURCE), keys, proof=Proof(ConsentWay.PERSON, evidence="Came with the sample data")
        )


def add_criteria(host: Host) -> None:
    """Rules that narrow an audience."""
    now = host.clock()
    for name, description, rule in CRITERIA:
        audience.clause(host, host.source(SOURCE), rule)
        values = {"name": name, "description": description, "rule": rule, "contact_source": SOURCE}
        db.session.add(Criterion(**values, created_at=now, updated_at=now))


def add_campaign(host: Host) -> None:
    """A series for those who join a list of its own; nobody is on it yet, so nothing is sent."""
    newcomers = List(
        name=NEWCOMERS,
        public_name="Welcome to Fernhill",
        description="Three letters after the first order.",
        created_at=host.clock(),
    )
    db.session.add(newcomers)
    db.session.flush()
    series = campaigns.create(
        host,
        name="Welcome",
        source_name=SOURCE,
        by=BY,
        description="The workshop's hours at once, the catalogue after a week, an invitation after two.",
        list_ids=[newcomers.id],
    )
    for day, template in ((0, HOURS), (7, CATALOGUE), (14, HOURS)):
        template_id = db.session.scalars(select(Template.id).where(Template.name == template)).one()
        campaigns.add_step(host, series, day=day, template_id=template_id)
    campaigns.activate(host, series, by=BY)


def tell_wishes() -> None:
    """Who asked the CRM for no post is opted out of everything."""
    for key in db.session.scalars(select(Contact.id).where(Contact.do_not_mail)):
        massmail.preference_changed(SOURCE, key, wants_mail=False, by=BY)


def launch(name: str, template: str, list_name: str) -> int:
    """Makes a mailing and sends it off; returns its id."""
    host = host_here()
    mailing = mailings.create(
        host,
        name=name,
        contact_source=SOURCE,
        by=BY,
        list_ids=[db.session.scalars(select(List.id).where(List.name == list_name)).one()],
        template_id=db.session.scalars(select(Template.id).where(Template.name == template)).one(),
        address_roles=["main"],
    )
    mailings.launch(host, mailing, by=BY)
    db.session.commit()
    return mailing.id


def is_first() -> bool:
    """Whether no mailing was ever made; the steps of campaigns and tests do not count."""
    return not db.session.scalar(select(func.count()).where(Mailing.kind == MailingKind.ONE_OFF.value))


def progress(mailing_id: int) -> Progress:
    """How the mailing stands now."""
    mailing = db.session.get_one(Mailing, mailing_id)
    counts = mailings.progress(host_here(), mailing).counts
    return Progress(
        finished=mailing.state == MailingState.FINISHED.value,
        planned=counts.rows,
        skipped=counts.skipped,
        sent=counts.sent,
        failed=counts.refused,
    )


def results(mailing_id: int) -> Mapping[Outcome, Mapping[str, int]]:
    """The contact behind each address, of the mails that were sent and of those that failed."""
    row = OutboxMessage
    states = {Outcome.SENT: MessageState.SENT, Outcome.FAILED: MessageState.REFUSED}
    found: dict[Outcome, dict[str, int]] = {}
    for outcome, state in states.items():
        query = select(row.address, row.contact_key).where(row.mailing_id == mailing_id, row.state == state.value)
        found[outcome] = {address: int(key) for address, key in db.session.execute(query)}
    return found


def happened(mailing_id: int, outcome: Outcome) -> int:
    """How many mails were read, clicked in, or led to a removal."""
    return int(getattr(mailings.responses(host_here(), mailing_id), outcome.value))
