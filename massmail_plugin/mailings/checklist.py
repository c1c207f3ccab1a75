"""What stands between a draft and sending: blockers, warnings, fine. Admin shows it, launch obeys it.

Nothing is committed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from massmail_plugin import audience, composing
from massmail_plugin.contracts import Host
from massmail_plugin.errors import MassMailError
from massmail_plugin.mailings.forecast import finish_time
from massmail_plugin.mailings.identity import chosen_sender, identity
from massmail_plugin.mailings.recipients import funnel
from massmail_plugin.models import Mailing


class Level(StrEnum):
    """How much a line of the checklist matters."""

    BLOCKER = "blocker"
    WARNING = "warning"
    FINE = "fine"


class Section(StrEnum):
    """The sections of a mailing, in the order of the screen."""

    MESSAGE = "message"
    RECIPIENTS = "recipients"
    SENDER = "sender"


@dataclass(frozen=True)
class CheckLine:
    """One line: which section it speaks of, how much it matters, and what to do."""

    section: Section
    level: Level
    text: str


@dataclass(frozen=True)
class Checklist:
    """Every line, and how many will get the mail (None where that cannot be known yet)."""

    lines: tuple[CheckLine, ...]
    recipients: int | None

    @property
    def blockers(self) -> tuple[CheckLine, ...]:
        return tuple(line for line in self.lines if line.level is Level.BLOCKER)

    def level(self, section: Section) -> Level:
        """The worst level of a section."""
        found = {line.level for line in self.lines if line.section is section}
        return next(level for level in Level if level in found or level is Level.FINE)


def checklist(host: Host, mailing: Mailing, *, steps: Sequence[audience.FunnelStep] | None = None) -> Checklist:
    """Check a draft as it stands now; `steps` is its funnel where the caller has just counted."""
    lines = [*_message(host, mailing), *_sender(mailing)]
    counted, recipients = _recipients(host, mailing, steps)
    return Checklist((*lines, *recipients), counted)


def _message(host: Host, mailing: Mailing) -> list[CheckLine]:
    if mailing.template is None or not mailing.template.versions:
        return [CheckLine(Section.MESSAGE, Level.BLOCKER, "No template is chosen.")]
    version = mailing.template.versions[-1]
    source = host.source(mailing.contact_source)
    found = composing.faults(host, source, subject=version.subject, html=version.html, text=version.text)
    lines = [CheckLine(Section.MESSAGE, Level.BLOCKER, str(fault)) for fault in found]
    lines += [
        CheckLine(Section.MESSAGE, Level.WARNING, text)
        for text in composing.warnings(host, source, subject=version.subject, html=version.html, text=version.text)
    ]
    lines = lines or [CheckLine(Section.MESSAGE, Level.FINE, f"“{mailing.template.name}”, version {version.number}.")]
    if not mailing.tracking:
        text = "Tracking is off: nobody sees who reads or clicks, and no status comes of it."
        lines.append(CheckLine(Section.MESSAGE, Level.FINE, text))
    return lines


def _sender(mailing: Mailing) -> list[CheckLine]:
    sender = chosen_sender(mailing)
    if sender is None:
        return [CheckLine(Section.SENDER, Level.BLOCKER, "No sender is chosen.")]
    lines = []
    if sender.tested_at is None:
        text = f"The sender “{sender.name}” has not passed its test since it was changed."
        lines.append(CheckLine(Section.SENDER, Level.WARNING, text))
    if sender.fault:
        lines.append(
            CheckLine(Section.SENDER, Level.WARNING, f"The sender “{sender.name}” has a problem: {sender.fault}")
        )
    if mailing.template is not None:
        address = identity(mailing, mailing.template, sender).from_address
        lines.append(CheckLine(Section.SENDER, Level.FINE, f"From {address}, through “{sender.name}”."))
    if not mailing.retries:
        text = "What the server puts off is not tried again by itself; it counts as failed until you retry it."
        lines.append(CheckLine(Section.SENDER, Level.FINE, text))
    return lines


def _recipients(
    host: Host, mailing: Mailing, steps: Sequence[audience.FunnelStep] | None
) -> tuple[int | None, list[CheckLine]]:
    if not mailing.lists:
        return None, [CheckLine(Section.RECIPIENTS, Level.BLOCKER, "No list is chosen.")]
    lines = [
        CheckLine(
            Section.RECIPIENTS, Level.WARNING, f"The list “{list_.name}” is not active; nobody on it is written to."
        )
        for list_ in mailing.lists
        if not list_.active
    ]
    try:
        steps = steps or funnel(host, mailing)
    except MassMailError as error:
        return None, [*lines, CheckLine(Section.RECIPIENTS, Level.BLOCKER, str(error))]
    number = steps[-1].count
    if number == 0:
        return 0, [*lines, CheckLine(Section.RECIPIENTS, Level.BLOCKER, _nobody(steps))]
    people = "1 mail" if number == 1 else f"{number:,} mails"
    lines.append(CheckLine(Section.RECIPIENTS, Level.FINE, f"{people} will be sent."))
    return number, [*lines, *_planned_end(host, mailing, number)]


def _nobody(steps: Sequence[audience.FunnelStep]) -> str:
    """Says where the last contacts fell away, and so what to change."""
    last = next((step for step in reversed(steps) if step.left_out), None)
    if last is None:
        return "Nobody would receive it: there is nobody on the lists."
    people = "The last contact falls" if last.left_out == 1 else f"The last {last.left_out:,} contacts fall"
    return f"Nobody would receive it. {people} away at “{last.label}”: {last.reason_label}."


def _planned_end(host: Host, mailing: Mailing, number: int) -> list[CheckLine]:
    """When the last will have left, where the sender's limits say so."""
    if mailing.sender_id is None:
        return []
    planned = finish_time(host, mailing, recipients=number)
    return [CheckLine(Section.SENDER, Level.FINE, planned.words)] if planned.end else []
