"""The choices of "what an outcome does to the status": as usual, leave it, or one of the host's statuses.

Views enter; nothing is committed here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from massmail_plugin.admin.frame import wording
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest, nearest
from massmail_plugin.outcomes.mapping import Overrides, mapped_status
from massmail_plugin.vocabulary import Outcome

USUAL, LEAVE, STATUS = "", "leave", "status:"


@dataclass(frozen=True)
class StatusChoice:
    """One line of the form: the control's name, the outcome's label, and options (value, label, chosen)."""

    name: str
    label: str
    options: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True)
class Effect:
    """What an outcome does: the status it sets (None: it leaves the contact alone), and whether this run says so."""

    label: str
    status: str | None
    own: bool


def choices(host: Host, chosen: Overrides, *usual: Overrides) -> list[StatusChoice]:
    """A line for each outcome; `usual` are the overrides that count where this form says "as usual"."""
    known = list(host.statuses.known())
    return [_choice(host, outcome, chosen or {}, known, usual) for outcome in Outcome]


def _choice(
    host: Host, outcome: Outcome, chosen: Mapping[str, str | None], known: list[str], usual: tuple[Overrides, ...]
) -> StatusChoice:
    wanted = _value(chosen[outcome.value]) if outcome.value in chosen else USUAL
    otherwise = mapped_status(outcome, host.statuses, *usual)
    options = [(USUAL, f"As usual: {otherwise or 'leave it'}"), (LEAVE, "Leave it as it is")]
    options += [(STATUS + name, name) for name in known]
    if wanted not in {value for value, _ in options}:
        options.append((wanted, f"{wanted.removeprefix(STATUS)} (no longer a status)"))
    return StatusChoice(
        _name(outcome), wording.OUTCOMES[outcome], tuple((value, label, value == wanted) for value, label in options)
    )


def read(host: Host, posted: Mapping[str, str]) -> dict[str, str | None] | None:
    """The overrides a posted form asks for; None where all is as usual. Raises BadRequest for an unknown status."""
    known = set(host.statuses.known())
    found: dict[str, str | None] = {}
    for outcome in Outcome:
        value = posted.get(_name(outcome), USUAL)
        if value == USUAL:
            continue
        status = None if value == LEAVE else value.removeprefix(STATUS)
        if status is not None and status not in known:
            raise BadRequest(f"{wording.OUTCOMES[outcome]}: “{status}” is not a status. {nearest(status, known)}")
        found[outcome.value] = status
    return found or None


def effects(host: Host, own: Overrides, *usual: Overrides) -> list[Effect]:
    """The mapping in force, outcome by outcome."""
    return [
        Effect(
            wording.OUTCOMES[outcome], mapped_status(outcome, host.statuses, own, *usual), outcome.value in (own or {})
        )
        for outcome in Outcome
    ]


def _value(status: str | None) -> str:
    return LEAVE if status is None else STATUS + status


def _name(outcome: Outcome) -> str:
    return f"status-{outcome.value}"
