"""Rows for the tests of mailings and campaigns: a sender, templates, lists with people, and runs at any point."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from massmail_plugin import consent, mailings, outbox
from massmail_plugin.consent.proof import Proof
from massmail_plugin.contracts import ContactRef
from massmail_plugin.models import Link, List, Mailing, OutboxMessage, Sender, Template, TemplateVersion
from massmail_plugin.outcomes import NewEvent, keep_events
from massmail_plugin.vocabulary import ConsentWay, EventKind, MessageState
from tests.admin.conftest import Catalogue

HTML = (
    '<p>Hello {{ contact.first_name }}, <a href="https://shop.example/spring">see our spring seeds</a> and '
    '<a href="https://shop.example/tools">tools</a>.</p><p><a href="{{ unsubscribe_url }}">Leave</a></p>'
)


def add_sender(built: Catalogue, name: str = "Post room", **values: object) -> Sender:
    now = built.host.clock()
    given = {"from_name": "Fernhill Supplies", "from_address": "news@fernhill.example", "tested_at": now, **values}
    sender = Sender(name=name, host="mail.fernhill.example", created_at=now, **given)
    built.host.session.add(sender)
    built.host.session.commit()
    return sender


def add_template(built: Catalogue, name: str = "Spring letter", sender: Sender | None = None) -> Template:
    now = built.host.clock()
    template = Template(name=name, version_number=1, created_at=now, updated_at=now, sender=sender)
    template.versions = [
        TemplateVersion(number=1, subject="Spring is near, {{ contact.first_name }}", html=HTML, text="", saved_at=now)
    ]
    built.host.session.add(template)
    built.host.session.commit()
    return template


def add_people(built: Catalogue, number: int) -> None:
    """More contacts, all with an address."""
    built.host.session.add_all(
        built.contact(first_name=f"Person {n}", last_name="Test", email=f"person{n}@example.org", city="Lyon")
        for n in range(number)
    )
    built.host.session.commit()


def add_list(built: Catalogue, name: str = "Newsletter", *, people: bool = True) -> List:
    """A list, with every contact on it."""
    list_ = List(name=name, created_at=built.host.clock())
    built.host.session.add(list_)
    built.host.session.flush()
    if people:
        keys = built.host.session.scalars(select(built.contact.id)).all()
        refs = [ContactRef("contact", str(key)) for key in keys]
        consent.subscribe(built.host, list_, refs, proof=Proof(ConsentWay.PERSON, evidence="asked for it at the fair"))
    built.host.session.commit()
    return list_


def ready_draft(
    built: Catalogue,
    name: str = "Spring mailing",
    *,
    sender: str = "Post room",
    letter: str = "Spring letter",
    on: str = "Newsletter",
) -> Mailing:
    """A draft that nothing stands in the way of, with a sender, a template and a list of these names."""
    account = add_sender(built, sender)
    mailing = mailings.create(
        built.host,
        name=name,
        contact_source="contact",
        by="all",
        list_ids=[add_list(built, on).id],
        template_id=add_template(built, letter).id,
        sender_id=account.id,
        address_roles=["main"],
    )
    built.host.session.commit()
    return mailing


def running(built: Catalogue, name: str = "Spring mailing", *, people: int = 8, **names: str) -> Mailing:
    """A mailing whose outbox is filled and of which nothing has left yet."""
    add_people(built, people)
    mailing = ready_draft(built, name, **names)
    mailings.launch(built.host, mailing, by="all")
    built.host.session.commit()
    mailings.fill_launched(built.host)
    return mailing


def rows(built: Catalogue, mailing: Mailing) -> Sequence[OutboxMessage]:
    query = select(OutboxMessage).where(OutboxMessage.mailing_id == mailing.id).order_by(OutboxMessage.id)
    return built.host.session.scalars(query).all()


def settle(built: Catalogue, mailing: Mailing, states: Sequence[MessageState], **values: object) -> None:
    """Give the first rows these states, as sending would."""
    for row, state in zip(rows(built, mailing), states, strict=False):
        row.state, row.settled_at = state.value, built.host.clock() - timedelta(minutes=3)
        for name, value in values.items():
            setattr(row, name, value)
    built.host.session.flush()
    outbox.recount(built.host, mailing.id)
    outbox.finish_if_done(built.host, mailing.id)
    built.host.session.commit()


def respond(built: Catalogue, message: OutboxMessage, kind: EventKind, *, machine: bool = False) -> None:
    """An event of a person or a program; a click goes to the first link."""
    link = built.host.session.scalars(select(Link).where(Link.mailing_id == message.mailing_id)).first()
    event = NewEvent(
        message_id=message.id,
        kind=kind,
        link_id=link.id if link and kind is EventKind.CLICK else None,
        at=built.host.clock() - timedelta(minutes=1),
        machine_reason="robot" if machine else "",
    )
    keep_events(built.host, [event])
    built.host.session.commit()
