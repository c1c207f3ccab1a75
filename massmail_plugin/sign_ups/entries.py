"""What a visitor filled in: checked, with what is wrong said in their language at each field. Nothing is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from massmail_plugin import consent
from massmail_plugin.contracts import Host
from massmail_plugin.sign_ups.form import Form, Question
from massmail_plugin.sign_ups.mail_domains import likely_meant, takes_no_mail
from massmail_plugin.translations import Words

ADDRESS = "email"
PREFIX = "field-"
"""Stands before the names of the host's own questions in the form."""


@dataclass(frozen=True)
class Entry:
    """An address and answers by name; `faults` by the name of the input, none where all is well.

    `suggestion` is the address that was likely meant, where the one given looks mistyped; the visitor decides.
    """

    address: str
    answers: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    suggestion: str = ""


def fill_in(host: Host, form: Form, given: Mapping[str, str], words: Words, *, address_is_meant: bool) -> Entry:
    """Read what was posted. `address_is_meant`: the visitor saw a suggestion and keeps what they typed."""
    address = _plain(given.get(ADDRESS, ""))
    answers = {question.name: _plain(given.get(PREFIX + question.name, "")) for question in form.questions}
    faults = {PREFIX + one.name: fault for one in form.questions if (fault := _fault(one, answers[one.name], words))}
    suggestion = ""
    if fault := _address_fault(host, address, words):
        faults[ADDRESS] = fault
    elif not address_is_meant:
        suggestion = likely_meant(address)
    return Entry(address, answers, faults, suggestion)


def _address_fault(host: Host, address: str, words: Words) -> str:
    _ = words
    if not address:
        return _("Enter your e-mail address.")
    if not consent.usable(address):
        return _("This is no e-mail address. One looks like anna@example.com.")
    domain = consent.normalised(address).rpartition("@")[2]
    if host.config.check_mx and takes_no_mail(domain):
        return _("No mail can be sent to “%(domain)s”. Look at what stands after the @.", domain=domain)
    return ""


def _fault(question: Question, answer: str, words: Words) -> str:
    _ = words
    if not answer:
        return _("Fill in this field.") if question.required else ""
    if len(answer) > question.longest:
        return _("At most %(number)s characters fit here.", number=question.longest)
    if question.choices and answer not in question.choices:
        return _("Choose one of these.")
    return ""


def _plain(text: str) -> str:
    """One line without anything that cannot be seen."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())
