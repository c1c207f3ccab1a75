"""The forms of a mailing's sections. Views enter; nothing is committed here."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select, true
from wtforms import BooleanField, DateField, RadioField, SelectMultipleField, StringField, TimeField
from wtforms.validators import InputRequired, Length, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from massmail_plugin.admin.frame.forms import ScreenForm, address, choice, number_or_none, strip, text
from massmail_plugin.admin.frame.local_time import moment
from massmail_plugin.consent import addresses, list_counts
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import ContactSource, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.mailings import trials
from massmail_plugin.models import Criterion, List, Mailing, Sender, Template
from massmail_plugin.vocabulary import ResendOf, ResendWindow, SubscriptionState

NOW, AT = "now", "at"
BY_ITSELF, BY_PERSON = "yes", "no"


def ticks(label: str, coerce: Callable[[Any], Any], *, required: str = "", help: str = "") -> Any:
    """A choice of several, each with a box to tick."""
    return SelectMultipleField(
        label,
        [InputRequired(required)] if required else [Optional()],
        coerce=coerce,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        description=help,
    )


def untracked_box() -> Any:
    """The box that switches tracking off."""
    return BooleanField(
        "Send without tracking",
        description="No open pixel and plain links: nobody sees who reads or clicks, and no status comes of it.",
    )


def usable_addresses(form: Any, field: Any) -> None:
    """A validator: plain e-mail addresses with commas between them, put in order."""
    parts = [part for part in re.split(r"[,;\s]+", field.data or "") if part]
    for part in parts:
        if fault := addresses.fault(part):
            raise ValidationError(f"{part}: {fault}")
    if len(parts) > trials.MOST:
        raise ValidationError(f"At most {trials.MOST} addresses can be told.")
    field.data = ", ".join(dict.fromkeys(parts))


WINDOWS = [
    (ResendWindow.NONE.value, "Nobody"),
    (ResendWindow.HOUR.value, "in the last hour"),
    (ResendWindow.DAY.value, "in the last 24 hours"),
    (ResendWindow.WEEK.value, "in the last 7 days"),
    (ResendWindow.MONTH.value, "in the last 30 days"),
    (ResendWindow.YEAR.value, "in the last 365 days"),
    (ResendWindow.EVER.value, "at any time"),
]
RESENDS = [
    (ResendOf.MAILING.value, "This message: the mailing this is a copy of, and its other copies"),
    (ResendOf.TEMPLATE.value, "Any mailing with this template"),
    (ResendOf.ANY.value, "Any mailing"),
]


class NewMailingForm(ScreenForm):
    name = text(
        "Name", required="Give the mailing a name.", help="For you and your colleagues; recipients do not see it."
    )
    contact_source = choice("Contacts", help="Whom it goes to. This cannot be changed later.")


class MessageForm(ScreenForm):
    name = text(
        "Name", required="Give the mailing a name.", help="For you and your colleagues; recipients do not see it."
    )
    template_id = choice("Template", coerce=number_or_none)
    from_name = text("From name")
    from_address = address("From address")
    reply_to = address("Reply to")
    bcc = address("Copy of every mail to (BCC)", help="This address gets as many mails as there are recipients.")
    untracked = untracked_box()


class RecipientsForm(ScreenForm):
    list_ids = ticks("Lists", int)
    criterion_id = choice("Criterion", coerce=number_or_none, help="Narrows the lists to the contacts that match it.")
    address_roles = ticks("Addresses", str, required="Choose at least one address to write to.")
    one_per_address = BooleanField(
        "One mail per address", description="Where two contacts share an address, only the first gets the mail."
    )
    excluded_list_ids = ticks("Leave out who is on", int)
    contact_statuses = ticks("Only contacts with status", str)
    resend_window = choice("Leave out who got mail", WINDOWS, default=ResendWindow.NONE.value)
    resend_of = choice(
        "Which mail counts",
        RESENDS,
        default=ResendOf.MAILING.value,
        help="What is still on its way counts too; tests never do, nor does this mailing itself.",
    )


class SenderForm(ScreenForm):
    sender_id = choice("Sender", coerce=number_or_none)
    start = RadioField(
        "Start", choices=[(NOW, "Now, as soon as it is sent off"), (AT, "At a date and time")], default=NOW
    )
    day = DateField("Date", [Optional()])
    at = TimeField("Time", [Optional()])
    zone = StringField("Time zone", [Length(max=64)], default="UTC", filters=[strip])
    retries = RadioField(
        "What the receiving server puts off",
        choices=[
            (BY_ITSELF, "Try again by itself, with longer and longer waits"),
            (BY_PERSON, "Do not; I decide. It counts as failed, and a button tries it again"),
        ],
        default=BY_ITSELF,
        description="Servers put mail off when they are busy or do not know the sender yet (a temporary refusal).",
    )
    digest_to = StringField(
        "Mail the results to",
        [Length(max=500, message="At most 500 characters fit here."), usable_addresses],
        filters=[strip],
        description="These addresses get the numbers by mail once, a day after the start. Commas between several.",
    )

    def starts(self, now: datetime) -> datetime | None:
        """The moment asked for; None for now. Puts a message at the field and raises BadRequest where it cannot be."""
        if self.start.data == NOW:
            return None
        if self.day.data is None or self.at.data is None:
            raise self._wrong("day" if self.day.data is None else "at", "Enter a date and a time, or choose Now.")
        try:
            wanted = moment(self.day.data, self.at.data, self.zone.data or "UTC")
        except BadRequest as error:
            raise self._wrong("at", str(error)) from error
        if wanted <= now:
            raise self._wrong("at", "That moment is over. Choose a later one, or Now.")
        return wanted

    def _wrong(self, name: str, words: str) -> BadRequest:
        self.refuse(name, words)
        return BadRequest(words)


class TestForm(ScreenForm):
    addresses = text(
        "Send a test to", required="Enter at least one address.", longest=2000, help="Separate several with commas."
    )
    contact = text("As it would look for", help="Name or address of a contact. Left empty, any contact is taken.")


def source_choices(host: Host) -> list[tuple[str, str]]:
    """The contact sources by the words the host gave them."""
    return [(name, source_label(source)) for name, source in host.sources.items()]


def source_label(source: ContactSource) -> str:
    """What a contact source is called on screens."""
    return source.label or source.source_name.replace("_", " ").capitalize()


def template_choices(host: Host) -> list[tuple[str, str]]:
    """Every template that has words, by name."""
    query = select(Template.id, Template.name).where(Template.version_number > 0).order_by(Template.name)
    return [("", "Choose a template"), *_named(host.session.execute(query))]


def sender_choices(host: Host, template: Template | None) -> list[tuple[str, str]]:
    """Every sender; none chosen means the template's."""
    usual = f"The template's: {template.sender.name}" if template and template.sender else "Choose a sender"
    return [("", usual), *_named(host.session.execute(select(Sender.id, Sender.name).order_by(Sender.name)))]


def criterion_choices(host: Host, source: str) -> list[tuple[str, str]]:
    """The criteria of one contact source."""
    query = select(Criterion.id, Criterion.name).where(Criterion.contact_source == source).order_by(Criterion.name)
    return [("", "None: everybody on the lists"), *_named(host.session.execute(query))]


def list_choices(host: Host, kept: Iterable[int] = (), *, archived: bool = False) -> list[tuple[str, str]]:
    """The active lists and those in `kept` (with `archived` all), each with how many contacts subscribed to it."""
    wanted = true() if archived else List.active | List.id.in_(list(kept))
    lists = host.session.scalars(select(List).where(wanted).order_by(List.name)).all()
    counts = list_counts(host, [list_.id for list_ in lists])
    return [(str(one.id), _list_words(one, counts[one.id][SubscriptionState.SUBSCRIBED.value])) for one in lists]


def _list_words(list_: List, subscribed: int) -> str:
    more = " and whom its criterion finds" if list_.criterion_id else ""
    return f"{list_.name} ({subscribed:,}{more})" + ("" if list_.active else ", archived")


def host_statuses(host: Host, chosen: Iterable[str] = ()) -> list[tuple[str, str]]:
    """The host's statuses to choose contacts by, and those that were chosen and are none any more."""
    known = list(host.statuses.known())
    return [(name, name) for name in known] + [
        (name, f"{name} (no longer a status)") for name in chosen if name not in known
    ]


def role_choices(host: Host, source: str) -> list[tuple[str, str]]:
    """The e-mail addresses of a contact source, in the host's order."""
    roles = register(host.source(source)).roles()
    return [(address.role, address.label or address.role.replace("_", " ").capitalize()) for address in roles]


def chosen_roles(host: Host, mailing: Mailing) -> list[str]:
    """The roles of a mailing; none named means every one."""
    return list(mailing.address_roles) or [role for role, _ in role_choices(host, mailing.contact_source)]


def _named(rows: Iterable[Any]) -> list[tuple[str, str]]:
    return [(str(id_), name) for id_, name in rows]
