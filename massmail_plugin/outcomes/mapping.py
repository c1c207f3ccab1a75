"""Decides what an outcome does to a status: which mapping counts, and which outcome wins. Pure; nobody commits here."""

from collections.abc import Mapping
from dataclasses import dataclass

from massmail_plugin.contracts import StatusMapping
from massmail_plugin.vocabulary import Outcome

Overrides = Mapping[str, str | None] | None


def mapped_status(outcome: Outcome, mapping: StatusMapping, *overrides: Overrides) -> str | None:
    """The host status of an outcome, or None for "leave it". The first override that mentions the outcome counts."""
    for override in overrides:
        if override and outcome.value in override:
            return override[outcome.value]
    return mapping.statuses.get(outcome)


@dataclass(frozen=True)
class Place:
    """What decided a status so far: an outcome of a mailing, the status it set, and the one before a removal."""

    mailing_id: int
    outcome: Outcome
    status: str | None
    previous: str | None = None


@dataclass(frozen=True)
class Decision:
    """The status to set (None: leave it) and the place to remember (None: nothing changes)."""

    status: str | None
    place: Place | None


def decide(
    outcome: Outcome,
    mailing_id: int,
    new_status: str | None,
    *,
    current: str | None,
    standing: Place | None,
    final: bool,
) -> Decision:
    """What a report does, given the contact's `current` status and what decided it so far.

    Within a mailing the higher outcome wins whenever it arrives. A newer mailing starts afresh, except that removed
    and complained stay until the host itself gives the contact another status. A current status that is `final` is
    left alone, unless this very mailing set it.
    """
    if standing is not None and not _wins(outcome, mailing_id, standing, current):
        return Decision(None, None)
    ours = standing is not None and standing.mailing_id == mailing_id and standing.status == current
    if final and not ours:
        new_status = None
    previous = current if outcome is Outcome.REMOVED else None
    place = Place(mailing_id, outcome, new_status, previous)
    return Decision(None if new_status == current else new_status, place)


def take_back(mailing_id: int, *, current: str | None, standing: Place | None) -> Decision:
    """What undoing a removal does: the status from before, if the removal is what decided the present one."""
    if standing is None or standing.outcome is not Outcome.REMOVED or standing.status != current:
        return Decision(None, None)
    return Decision(standing.previous, Place(mailing_id, Outcome.SENT, standing.previous))


def _wins(outcome: Outcome, mailing_id: int, standing: Place, current: str | None) -> bool:
    binding = standing.status is None or standing.status == current
    return _rank(outcome, mailing_id, lasting=True) > _rank(standing.outcome, standing.mailing_id, lasting=binding)


def _rank(outcome: Outcome, mailing_id: int, *, lasting: bool) -> tuple[int, int, int]:
    return (outcome.precedence if lasting and outcome.outlives_mailing else 0, mailing_id, outcome.precedence)
