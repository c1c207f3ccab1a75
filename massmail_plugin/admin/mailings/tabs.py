"""The five sections of a draft and how each stands: what the tabs of its screens show. Reads only."""

from collections.abc import Sequence
from typing import NamedTuple

from massmail_plugin.admin.frame.wording import Word
from massmail_plugin.audience import FunnelStep
from massmail_plugin.mailings import CheckLine, Checklist, Level, Section

DONE = Word("Done", "good")
MARKS = {
    Level.FINE: DONE,
    Level.WARNING: Word("Done, with a warning", "waiting"),
    Level.BLOCKER: Word("Needs attention", "warning"),
}


class Tab(NamedTuple):
    """One section: its name (the view's), its label, and its mark."""

    name: str
    label: str
    mark: Word


LABELS = {
    Section.MESSAGE: ("message", "Message"),
    Section.RECIPIENTS: ("recipients", "Recipients"),
    Section.SENDER: ("schedule", "Sender & schedule"),
}


def tabs(found: Checklist) -> list[Tab]:
    """The sections in the order of the screen."""
    own = [Tab(*LABELS[section], MARKS[found.level(section)]) for section in Section]
    number = len(found.blockers)
    left = Word(f"{number} to settle", "warning") if number else Word("Nothing in the way", "good")
    ready = Word("Not ready", "quiet") if number else Word("Ready", "good")
    return [*own, Tab("check", "Check", left), Tab("send", "Send", ready)]


def first_open(found: Checklist) -> str:
    """The section that needs attention first, else the last one."""
    return next((LABELS[s][0] for s in Section if found.level(s) is Level.BLOCKER), "send")


def worst_first(found: Checklist) -> list[CheckLine]:
    """The lines of the checklist, blockers first, then by section."""
    return sorted(found.lines, key=lambda line: (list(Level).index(line.level), list(Section).index(line.section)))


def telling_steps(steps: Sequence[FunnelStep]) -> list[FunnelStep]:
    """The steps of the funnel without those that this mailing does not take."""
    return [step for step in steps if step.taken or step.left_out]
