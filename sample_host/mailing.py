"""All the lines this host writes to mount massmail-plugin: its contacts, its statuses, its permissions."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask, current_app
from flask_admin import Admin
from flask_migrate import Migrate
from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.sql.elements import ColumnElement

from massmail_plugin import (
    Act,
    AddressFact,
    ContactRef,
    ContactSource,
    Email,
    Fax,
    Field,
    HistoryFact,
    InterestFact,
    MassMail,
    NewContact,
    Outcome,
    OutcomeFact,
    Phone,
    PreferenceFact,
    Related,
    SignUpField,
    StatusMapping,
    SuppressionReason,
    SuppressionScope,
)
from massmail_plugin.hosting import include_object, tune
from sample_host.config import MIGRATIONS
from sample_host.crm.models import ActionItem, Company, Contact, Interest, Letter, Status, db
from sample_host.crm.pages import wish_changed

# What each outcome makes of a contact, in this host's own words.
STATUSES = {
    Outcome.SENT: "mail_sent",
    Outcome.FAILED: "mail_failed",
    Outcome.BOUNCED: "bad_address",
    Outcome.READ: "mail_read",
    Outcome.CLICKED: "interested",
    Outcome.REMOVED: "removed",
    Outcome.COMPLAINED: "complained",
}

massmail = MassMail(
    contacts=ContactSource(
        Contact,
        source="contact",
        addresses=[
            Email(Contact.email1, role="main"),
            Email(Contact.email2, role="second"),
            Phone(Contact.mobile),
            Fax(Contact.fax),
        ],
        name=Contact.full_name,
        locale=Contact.language,
        time_zone=Contact.time_zone,
        active=Contact.active,
        status=Contact.status,
        tracking=Contact.may_track,
        fields=[
            Field(Contact.first_name, label="First name"),
            Field(Contact.last_name, label="Last name"),
            Field(Contact.account_number, label="Account number", example=100_027),
            Field(Contact.city, label="City"),
            Field(Contact.country, label="Country"),
            Field(Contact.language, label="Language"),
            Field(Contact.type, label="Type", choices=["Consumer", "Business"]),
            Field(Contact.balance, label="Balance"),
            Field(Contact.opened_on, label="Customer since"),
            Field(Contact.status, label="Status", choices=Status.names),
            Field(Contact.do_not_mail, label="Asked for no post"),
            Field(Contact.may_track, label="Agreed to tracking"),
            Field(Company.name, label="Company", via=Contact.company),
            Field(Company.segment, label="Company segment", via=Contact.company),
            Related(
                ActionItem,
                via=Contact.action_items,
                fields=[ActionItem.level, ActionItem.due, ActionItem.done, ActionItem.text],
                label="Action items",
                latest=ActionItem.due,
            ),
        ],
        url=lambda key: f"/contacts/{key}",
        sign_up=[
            SignUpField("first_name", {"en": "First name", "de": "Vorname"}, autocomplete="given-name", longest=60),
            SignUpField("last_name", {"en": "Last name", "de": "Nachname"}, autocomplete="family-name", longest=60),
        ],
    ),
    statuses=StatusMapping(
        STATUSES,
        known=Status.names,
        final={"removed", "complained"},
    ),
)

SENDING = {
    Act.MAILING_SEND,
    Act.CAMPAIGN_ACTIVATE,
    Act.SENDER_MANAGE,
    Act.SUPPRESSION_MANAGE,
    Act.SYSTEM_VIEW,
    Act.WEBHOOK_MANAGE,
}
WRITING = {Act.TEMPLATE_EDIT, Act.CRITERION_EDIT, Act.CAMPAIGN_EDIT}
ALLOWED: Mapping[str, set[Act]] = {
    "developer": set(Act),
    "marketing": set(Act) - SENDING,
    "operations": set(Act) - WRITING,
}


@massmail.may
def may(user: Any, act: Act, subject: Any) -> bool:
    """Marketing writes but does not send; operations sends but does not write; developers do both."""
    return bool(user.is_authenticated and act in ALLOWED.get(user.role, set()))


@massmail.condition("overdue", label="Has an action item that is overdue")
def overdue(model: type[Contact]) -> ColumnElement[bool]:
    """What marketing cannot put together itself: open, and due before today."""
    return model.action_items.any(and_(ActionItem.done.is_(False), ActionItem.due < func.current_date()))


@massmail.on_preference_change
def remember_wish(fact: PreferenceFact) -> None:
    """Who wants no mail at all is marked so in the CRM, and unmarked when they come back."""
    if fact.scope is SuppressionScope.ALL_BUT_TRANSACTIONAL:
        contact = update(Contact).where(Contact.id == int(fact.contact.key))
        db.session.execute(contact.values(do_not_mail=not fact.subscribed))
        db.session.commit()


@wish_changed.connect
def tell_wish(contact: Contact, by: str) -> None:
    """The other way round: what is noted in the CRM holds for the mailings from then on."""
    if "massmail" in current_app.extensions:
        massmail.preference_changed("contact", contact.id, wants_mail=not contact.do_not_mail, by=by)


@massmail.create_contact
def add_contacts(people: Sequence[NewContact]) -> list[int]:
    """Who signs up, or comes in a file, and is not in the CRM yet: new contacts, with what is known of them."""
    number = db.session.scalar(select(func.max(Contact.account_number))) or 0
    made = [
        Contact(
            account_number=number + place,
            first_name=one.values.get("first_name", ""),
            last_name=one.values.get("last_name", ""),
            city=one.values.get("city", ""),
            language=one.locale or "en",
            opened_on=datetime.now(UTC).date(),
            **{"email2" if one.role == "second" else "email1": one.address},
        )
        for place, one in enumerate(people, 1)
    ]
    db.session.add_all(made)
    db.session.flush()
    return [contact.id for contact in made]


@massmail.on_address_lost
def mark_address(fact: AddressFact) -> None:
    """A dead address is marked so in the CRM; who complained wants no post at all."""
    contact = db.session.get(Contact, int(fact.contact.key))
    if contact is None:
        return
    if fact.reason is SuppressionReason.COMPLAINT:
        contact.do_not_mail = True
    elif fact.role == "main":
        contact.email1_bad = True
    else:
        contact.email2_bad = True
    db.session.commit()


@massmail.on_interest
def remember_interest(fact: InterestFact) -> None:
    """A click on a link that speaks of an interest, once for each report."""
    if db.session.scalar(select(Interest.id).where(Interest.report_id == fact.report_id)) is None:
        values = {"report_id": fact.report_id, "at": fact.at, "name": fact.interest, "score": fact.score}
        db.session.add(Interest(contact_id=int(fact.contact.key), **values))
        db.session.commit()


@massmail.write_history
def keep_letter(fact: HistoryFact) -> None:
    """The words of a mail go into the contact's letters, once for each report."""
    if db.session.scalar(select(Letter.id).where(Letter.report_id == fact.report_id)) is None:
        values = {"report_id": fact.report_id, "at": fact.at, "subject": fact.subject, "text": fact.text}
        db.session.add(Letter(contact_id=int(fact.contact.key), **values))
        db.session.commit()


@massmail.action("call-back", label="Make an action item: call in a week")
def call_back(fact: OutcomeFact) -> None:
    """Somebody calls whoever got the mail; told twice, it is still one call."""
    item = {"contact_id": int(fact.contact.key), "text": f"Call about “{fact.mailing_name}”"}
    due = fact.at.date() + timedelta(days=7)
    if db.session.scalar(select(ActionItem.id).filter_by(**item, due=due)) is None:
        db.session.add(ActionItem(**item, due=due))
        db.session.commit()


@massmail.page_context
def page_context() -> Mapping[str, Any]:
    """What the recipients' pages show of this host."""
    return {"organisation": "Fernhill Supplies", "accent": "#0b665c"}


def merge(old: Contact, new: Contact) -> None:
    """`new` takes over what belongs to `old`, here and in the mailings; the caller commits."""
    for model in (ActionItem, Letter, Interest):
        db.session.execute(update(model).where(model.contact_id == old.id).values(contact_id=new.id))
    massmail.contact_merged(ContactRef("contact", str(old.id)), ContactRef("contact", str(new.id)))
    db.session.execute(delete(Contact).where(Contact.id == old.id))


def forget(contact: Contact) -> None:
    """Delete a contact; nobody who gets its number later inherits its history. The caller commits."""
    massmail.contact_deleted(ContactRef("contact", str(contact.id)))
    db.session.delete(contact)


def mount(app: Flask, admin: Admin) -> None:
    """Mounts the plugin into one application; its tables stay out of the CRM's own migrations."""
    Migrate(app, db, directory=str(MIGRATIONS), include_object=include_object)
    with app.app_context():
        tune(db.engine)
    massmail.init_app(app, db=db, admin=admin)
