"""The form of a sender: its fields, how a row fills them, the draft that comes out. Views enter; no commits."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from flask import request
from wtforms import (
    BooleanField,
    DateField,
    Field,
    FieldList,
    FloatField,
    Form,
    FormField,
    IntegerField,
    PasswordField,
    RadioField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import InputRequired, NumberRange, Optional, StopValidation

from massmail_plugin.admin.frame.forms import ScreenForm, address, choice, filled, number_or_none, strip, text
from massmail_plugin.channels.dkim_keys import checked_domain
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Sender
from massmail_plugin.sending import senders
from massmail_plugin.vocabulary import Security, UncertainPolicy

SECURITIES = [
    (Security.STARTTLS.value, "STARTTLS (usually port 587)"),
    (Security.TLS.value, "TLS from the start (usually port 465)"),
    (Security.NONE.value, "None (only inside your own network)"),
]
AUTHS = [
    ("auto", "As the server offers"),
    ("plain", "PLAIN"),
    ("login", "LOGIN"),
    ("cram_md5", "CRAM-MD5"),
    ("xoauth2", "XOAUTH2 (access token)"),
    ("none", "No login"),
]
UNITS = [("1", "seconds"), ("60", "minutes"), ("3600", "hours"), ("86400", "days")]
POLICIES = [
    (UncertainPolicy.LEAVE.value, "Leave it. Nobody gets a mail twice; somebody may get none. The mailing shows who."),
    (UncertainPolicy.RESEND.value, "Send it again. Everybody gets the mail; somebody may get it twice."),
]
ROWS = 3
"""Lines for recipient domains on an empty form; a filled one has two more than it needs."""
NOT_KEPT = "Enter it again: what you typed is not kept in a page that comes back."


class Entered:
    """Mixed into a field: what cannot be read has one message, and is not checked any further."""

    unreadable = "Enter a whole number, such as 100."

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata([value.strip() for value in valuelist if value.strip()])  # type: ignore[misc]
        except ValueError:
            raise ValueError(self.unreadable) from None

    def pre_validate(self, form: Any) -> None:
        if self.process_errors:  # type: ignore[attr-defined]
            raise StopValidation


class Count(Entered, IntegerField):
    """A whole number; an empty one is None."""


class Seconds(Entered, FloatField):
    """Seconds, also parts of one."""

    unreadable = "Enter seconds, such as 2 or 0.5."


class Day(Entered, DateField):
    """A date."""

    unreadable = "Enter a date, such as 2026-11-22."


class PrivateKeyField(TextAreaField):
    """A key as PEM; it never comes back out of the form."""

    def _value(self) -> str:
        return ""


def usable_domain(form: Any, field: Field) -> None:
    """A validator: the value must be one domain."""
    try:
        checked_domain(field.data)
    except BadRequest as error:
        raise ValidationError(str(error)) from None


class DomainLimitRow(Form):
    """One line: a recipient domain and its limit; empty lines do not count."""

    domain = StringField("Domain", [Optional(), usable_domain], filters=[strip])
    per_window = Count("Mails", [Optional()])
    count = Count("In", [Optional()])
    unit = choice("Unit", UNITS, default="60")

    def validate(self, extra_validators: Any = None) -> bool:
        valid: bool = super().validate(extra_validators)
        if self.empty or not valid:
            return valid
        for field, words in (
            (self.domain, "Which domain? For example gmail.com."),
            (self.per_window, "How many mails?"),
            (self.count, "In which time?"),
        ):
            if field.data in (None, "") and not field.errors:
                field.errors = [*field.errors, words]
        return not self.errors

    @property
    def empty(self) -> bool:
        return not self.domain.data and self.per_window.data is None


class SenderForm(ScreenForm):
    """The account form; stored secrets never come back out of it."""

    name = text("Name", required="Give the sender a name.", help="How your colleagues find it in lists.")
    provider = choice("Carried by")
    host = text("Server", required="Enter the server's name, such as smtp.example.org.", longest=255)
    port = Count(
        "Port",
        [
            InputRequired("Enter the port, a number such as 587."),
            NumberRange(1, 65535, "A port is between 1 and 65535."),
        ],
    )
    security = choice("Security", SECURITIES)
    auth = choice("Login method", AUTHS)
    username = text("User name", longest=255, help="Leave empty where the server asks for no login.")
    secret = PasswordField("Password or access token")
    from_name = text("From name", help="What recipients see beside the address.")
    from_address = address("From address", required="Enter the address your mails come from.")
    reply_to = address("Reply-to", help="Where answers go, if not to the From address.")
    bcc = address("Copy to (BCC)", help="Gets a copy of every mail this sender sends. Its links do not count.")
    return_path = address(
        "Bounces go to",
        help="A mailbox that is read here, at a server that delivers bounces+anything@ to bounces@: each mail gets a "
        "return path of its own. Left empty, bounces go to the From address.",
    )
    opt_out_address = address(
        "Opting out by mail goes to",
        help="Some mail programs unsubscribe by writing a mail. Enter an address whose mailbox is read here, at a "
        "server that delivers leave+anything@ to leave@. It stands in the header List-Unsubscribe as long as a mailbox "
        "is read; left empty, that header holds the web address alone.",
    )
    events_by = choice(
        "Provider behind the server",
        help="Where it posts to an event feed here, it finds a header in each mail by which its events are told apart.",
        default="",
        validate_choice=False,
    )

    connections = Count(
        "Connections",
        [Optional()],
        description="How many one worker may keep open to the server at once; 10 if left empty.",
        default=10,
    )
    per_window = Count("Mails", [Optional()])
    window_count = Count("In", [Optional()])
    window_unit = choice("Unit of time", UNITS, default="3600")
    seconds_between = Seconds("Seconds between two mails", [Optional()], description="Parts of a second are possible.")
    per_day = Count(
        "Mails a day", [Optional()], description="Days begin at midnight UTC. What is over it leaves on the next day."
    )
    spreads_day = BooleanField("Spread over the day", description="Evenly, instead of as fast as possible until noon.")
    ramp_from = Day("Warm-up from", [Optional()], description="The first day.")
    ramp_first = Count("Mails on the first day", [Optional()], description="50 is a careful beginning.")
    spill_to_id = choice(
        "Carries on when the day's mails are used up", coerce=number_or_none, help="With its own limits and account."
    )
    domains = FieldList(FormField(DomainLimitRow), "Recipient domains", max_entries=200)
    uncertain_policy = RadioField("What becomes of such a mail", choices=POLICIES, default=UncertainPolicy.LEAVE.value)
    dkim_domain = text("Signing domain", longest=255, help="As in the From address. Left empty, mails are not signed.")
    dkim_selector = text("Selector", longest=63, help="Names the key in DNS, such as news1.")
    rsa_pem = PrivateKeyField("RSA private key")
    dkim_ed_selector = text("Second selector", longest=63, help="Of the Ed25519 key, if there is one.")
    ed25519_pem = PrivateKeyField("Ed25519 private key")

    @property
    def wrong(self) -> list[tuple[str, str, str]]:
        """As in the frame; each line of recipient domains has messages at its own fields."""
        return list(self._wrong())

    def _wrong(self) -> Iterator[tuple[str, str, str]]:
        for field in self:
            yield from _messages(field, field.label.text)
            for number, row in enumerate(field if isinstance(field, FieldList) else (), 1):
                for cell in row.form:
                    yield from _messages(cell, f"{field.label.text}, line {number}: {cell.label.text}")

    def validate(self, extra_validators: Any = None) -> bool:
        """Besides the fields one by one: "N mails in a time" needs both halves."""
        super().validate(extra_validators)
        if self.per_window.data is None and self.window_count.data is not None:
            self.refuse("per_window", "How many mails may leave in that time? Or leave the time empty too.")
        if self.per_window.data is not None and self.window_count.data is None:
            self.refuse("window_count", "In which time? Or leave the number of mails empty too.")
        return not self.wrong


def _messages(field: Field, label: str) -> Iterator[tuple[str, str, str]]:
    return ((field.id, label, message) for message in field.errors if isinstance(message, str))


FIELD_OF = {
    "window_seconds": "window_count",
    "domain_limits": "domains",
    "dkim_key": "rsa_pem",
    "dkim_ed_key": "ed25519_pem",
}
"""Fields of a draft that are called differently in the form."""


def sender_form(sender: Sender | None) -> SenderForm:
    """The form as it was posted; before that with the values of `sender`, or those of a new one."""
    form = filled(SenderForm, sender, **(_stored(sender) if sender else {"port": 587, "provider": "smtp"}))
    if request.method == "GET":
        while len(form.domains) < max(ROWS, len(sender.domain_limits) + 2 if sender else 0):
            form.domains.append_entry()
    return form


def _stored(sender: Sender) -> dict[str, Any]:
    count, unit = _in_units(sender.window_seconds)
    rows = []
    for limit in sender.domain_limits:
        row_count, row_unit = _in_units(limit["window_seconds"])
        rows.append(
            {"domain": limit["domain"], "per_window": limit["per_window"], "count": row_count, "unit": row_unit}
        )
    return {
        "window_count": count if sender.per_window is not None else None,
        "window_unit": unit,
        "domains": rows,
    }


def _in_units(seconds: int) -> tuple[int, str]:
    unit = next(unit for unit, _ in reversed(UNITS) if seconds % int(unit) == 0)
    return seconds // int(unit), unit


def draft_of(form: SenderForm) -> senders.SenderDraft:
    """What was entered; an empty password or key keeps the stored one, no user name drops the password."""
    values = {entry.name: form[entry.name].data for entry in fields(senders.SenderDraft) if entry.name in form}
    values["secret"] = (form.secret.data or None) if form.username.data else ""
    values["seconds_between"] = form.seconds_between.data or 0.0
    if form.per_window.data is not None:
        values["window_seconds"] = form.window_count.data * int(form.window_unit.data)
    return senders.SenderDraft(
        **values,
        domain_limits=tuple(_limit(row) for row in form.domains if not row.form.empty),
        dkim_key=(form.rsa_pem.data or "").strip() or None,
        dkim_ed_key=(form.ed25519_pem.data or "").strip() or None,
    )


def _limit(row: FormField) -> senders.DomainLimit:
    return senders.DomainLimit(
        domain=row.domain.data,
        per_window=row.per_window.data,
        window_seconds=row["count"].data * int(row.unit.data),
    )
