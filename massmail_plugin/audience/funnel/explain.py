"""Why one contact gets a mailing or does not: the steps of the funnel for this contact alone, each with its grounds.

Reads only. The step that stops is the one the funnel counts the contact in; the words are looked up beside it.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select, true

from massmail_plugin.audience.criteria.rule_sql import clause
from massmail_plugin.audience.funnel import grounds
from massmail_plugin.audience.funnel.grounds import Case
from massmail_plugin.audience.funnel.on_lists import active_ids
from massmail_plugin.audience.funnel.request import AudienceRequest
from massmail_plugin.audience.funnel.sieve import REASONS, in_status, sieve
from massmail_plugin.audience.funnel.steps import LISTED, STAGES, WILL_GET, Stage, taken_steps
from massmail_plugin.consent.contact_keys import has_key
from massmail_plugin.contracts import ContactRef, ContactSource, Host


@dataclass(frozen=True)
class StepAnswer:
    """One step: its name and label as in the funnel, whether the contact passes, and on what grounds ("" for none)."""

    name: str
    label: str
    passed: bool
    words: str = ""


@dataclass(frozen=True)
class Explanation:
    """The steps as far as the contact gets. The last one stopped it, or says that it gets the mail."""

    steps: tuple[StepAnswer, ...]

    @property
    def gets_it(self) -> bool:
        return self.steps[-1].passed

    @property
    def stopped_at(self) -> StepAnswer | None:
        return None if self.gets_it else self.steps[-1]


def explain(host: Host, request: AudienceRequest, contact: ContactRef) -> Explanation:
    """Whether the contact is among those the request asks for. Raises what `sieve` does; a stranger is none of them."""
    source = host.source(request.source_name)
    if contact.source != source.source_name:
        words = f"This mailing goes to contacts of “{source.label or source.source_name}”; this is none of them."
        return Explanation((StepAnswer("source", "a contact of the mailing's source", False, words),))
    if not _true_of(host, source, contact, true()):
        words = "Your application has no such contact any more."
        return Explanation((StepAnswer("there", "still a contact", False, words),))
    return Explanation(tuple(_steps(grounds.case_of(host, request, contact))))


def _steps(case: Case) -> list[StepAnswer]:
    passed = bool(case.on)
    answers = [StepAnswer(LISTED.name, LISTED.label, passed, grounds.words(case, LISTED.name, passed=passed))]
    if not passed:
        return answers
    taken, far = taken_steps(case.host, case.source, case.request), _far(case)
    for stage in STAGES:
        passed = _passes(case, stage, far)
        if stage.name in taken or not passed:
            words = grounds.words(case, stage.name, passed=passed)
            answers.append(StepAnswer(stage.name, stage.label, passed, words))
        if not passed:
            return answers
    return [*answers, StepAnswer(WILL_GET.name, WILL_GET.label, True)]


def _passes(case: Case, stage: Stage, far: int | None) -> bool:
    if stage.name == "matching":
        return _true_of(case.host, case.source, case.contact, clause(case.host, case.source, case.request.rule))
    if stage.name == "status":
        return _true_of(case.host, case.source, case.contact, in_status(case.source, case.request.statuses))
    if stage.name == "open":
        return bool(case.on & set(active_ids(case.host, case.request.list_ids)))
    return stage.reason is None or far != REASONS.index(stage.reason)


def _far(case: Case) -> int | None:
    """How far the best address of the contact gets; None where it does not come to the sieve.

    Whoever has one of its addresses comes along: one of them may be the one who gets the mail.
    """
    rows = sieve(case.host, grounds.narrowed(case), lists=False)
    far: int | None = case.host.session.scalar(select(func.max(rows.c.far)).where(rows.c.key == case.contact.key))
    return far


def _true_of(host: Host, source: ContactSource, contact: ContactRef, test: ColumnElement[bool]) -> bool:
    found = select(func.count()).select_from(source.model).where(has_key(source, [contact.key]), test)
    return bool(host.session.scalar(found))
