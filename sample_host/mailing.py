"""All the lines this host writes to mount massmail-plugin: its contacts, its statuses, its permissions."""

from collections.abc import Mapping
from typing import Any

from flask import Flask
from flask_admin import Admin
from flask_migrate import Migrate
from sqlalchemy import update

from massmail_plugin import (
    Act,
    ContactSource,
    Email,
    Fax,
    Field,
    MassMail,
    Outcome,
    Phone,
    PreferenceFact,
    Related,
    StatusMapping,
)
from massmail_plugin.hosting import include_object, tune
from sample_host.config import MIGRATIONS
from sample_host.crm.models import ActionItem, Company, Contact, Status, db

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
        fields=[
            Field(Contact.first_name, label="First name"),
            Field(Contact.last_name, label="Last name"),
            Field(Contact.account_number, label="Account number"),
            Field(Contact.city, label="City"),
            Field(Contact.country, label="Country"),
            Field(Contact.language, label="Language"),
            Field(Contact.type, label="Type", choices=["Consumer", "Business"]),
            Field(Contact.balance, label="Balance"),
            Field(Contact.opened_on, label="Customer since"),
            Field(Contact.status, label="Status", choices=Status.names),
            Field(Contact.do_not_mail, label="Asked for no post"),
            Field(Company.name, label="Company", via=Contact.company),
            Field(Company.segment, label="Company segment", via=Contact.company),
            Related(
                ActionItem,
                via=Contact.action_items,
                fields=[ActionItem.level, ActionItem.due, ActionItem.done, ActionItem.text],
                label="Action items",
            ),
        ],
        url=lambda key: f"/contacts/{key}",
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


@massmail.on_preference_change
def remember_wish(fact: PreferenceFact) -> None:
    """Who wants no mail at all is marked so in the CRM, and unmarked when they come back."""
    if fact.list_id is None:
        contact = update(Contact).where(Contact.id == int(fact.contact.key))
        db.session.execute(contact.values(do_not_mail=not fact.subscribed))
        db.session.commit()


@massmail.page_context
def page_context() -> Mapping[str, Any]:
    """What the recipients' pages show of this host."""
    return {"organisation": "Fernhill Supplies", "accent": "#0b665c"}


def mount(app: Flask, admin: Admin) -> None:
    """Mounts the plugin into one application; its tables stay out of the CRM's own migrations."""
    Migrate(app, db, directory=str(MIGRATIONS), include_object=include_object)
    with app.app_context():
        tune(db.engine)
    massmail.init_app(app, db=db, admin=admin)
    app.jinja_env.globals["contact_panel"] = massmail.contact_panel
