"""Decides what an outcome does to a status: which mapping counts, and which outcome wins. Pure; nobody commits here.

The status a contact ends in does not depend on the order of the reports. Two layers see to that: the highest outcome
but removals, and over it the removal, if one stands.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from massmail_plugin.contracts import StatusMapping
from massmail_plugin.vocabulary import Outcome

Overrides = Mapping[str, str | None] | None


def mapped_status(outcome: Outcome, mapping: StatusMapping, *overrides: Overrides) -> str | None:
    """The host status of an outcome, or None for "leave it". The first override that mentions the outcome counts."""
    for override in overrides:
        if override and outcome.value in override:
            return override[outcome.value]
    return mapping.statuses.get(outcome)


@dataclass(frozen=True, slots=True)
class Place:
    """What decided a status so far: the highest outcome of a mailing (0: none) with the status it set, if it set one;
    the status that a removal set over it, and the one that is under the removal.
    """

    mailing_id: int = 0
    outcome: Outcome = Outcome.FAILED
    status: str | None = None
    removed: str | None = None
    previous: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The status to set, where `changes` is True, and the place to remember (None: nothing is new)."""

    changes: bool = False
    status: str | None = None
    place: Place | None = None


def decide(
    outcome: Outcome,
    mailing_id: int,
    new_status: str | None,
    *,
    current: str | None,
    standing: Place | None,
    final: Collection[str],
) -> Decision:
    """What an outcome but a removal does, given the contact's `current` status and what decided it so far.

    Within a mailing the higher outcome wins whenever it comes. A newer mailing starts afresh, but for complaints and
    for statuses that are `final`: they stay until the host itself gives the contact another one. A final status that
    the host gave is left alone. An outcome without a status changes nothing and holds nothing back.
    """
    if new_status is None:
        return Decision()
    place, under = _without_removal(standing or Place(), current)
    if _rank(outcome, mailing_id, new_status, final) <= _standing_rank(place, under, final):
        return Decision()
    left_alone = under in final and place.status != under
    place = Place(mailing_id, outcome, None if left_alone else new_status, place.removed, place.previous)
    return _laid_over(place, under if left_alone else new_status, place.removed, current, final)


def decide_removal(
    removed_status: str | None,
    *,
    again: bool,
    current: str | None,
    standing: Place | None,
    final: Collection[str],
) -> Decision:
    """What a removal does, or its undoing (not `again`): `removed_status` is that of the removals that stand now.

    Undoing one gives back the status under it; it never removes a contact whom the host gave another status since.
    """
    place, under = _without_removal(standing or Place(), current)
    return _laid_over(place, under, removed_status if again or place.removed else None, current, final)


def _without_removal(place: Place, current: str | None) -> tuple[Place, str | None]:
    """The status under the removal; where the host has given another one since, the removal holds no more."""
    if place.removed is None:
        return place, current
    if place.removed == current:
        return place, place.previous
    return replace(place, removed=None, previous=None), current


def _laid_over(
    place: Place, under: str | None, removed: str | None, current: str | None, final: Collection[str]
) -> Decision:
    """A removal is seen, save over a complaint and over a final status that the host gave."""
    ours = place.status is not None and place.status == under
    if removed is None and place.removed is None:
        return Decision(under != current, under, place)
    if removed is None or (under in final and not ours) or (ours and place.outcome.outlives_mailing):
        place, status = replace(place, removed=None, previous=None), under
    else:
        place, status = replace(place, removed=removed, previous=under), removed
    return Decision(status != current, status, place)


Rank = tuple[bool, bool, int, int]


def _standing_rank(place: Place, under: str | None, final: Collection[str]) -> Rank:
    """What the host has changed since lasts no longer."""
    return _rank(place.outcome, place.mailing_id, place.status if place.status == under else None, final)


def _rank(outcome: Outcome, mailing_id: int, status: str | None, final: Collection[str]) -> Rank:
    lasting, is_final = status is not None and outcome.outlives_mailing, status is not None and status in final
    return lasting, is_final, -mailing_id if is_final else mailing_id, outcome.precedence
