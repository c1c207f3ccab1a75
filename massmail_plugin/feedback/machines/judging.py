"""The verdict over the hits of one mail: first each by itself, then in the company it came in.

Whoever keeps hits enters, and whoever looks at old ones again; nothing is read or committed. A verdict depends on the
hits alone, never on the order in which they became known.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from massmail_plugin.feedback.machines.agents import LONGEST_AGENT, by_agent
from massmail_plugin.feedback.machines.company import Intervals, Times, bursts
from massmail_plugin.feedback.machines.hit import HEAD, HIDDEN, NO_LANGUAGE, PART, PREFETCH, Hit
from massmail_plugin.vocabulary import EventKind, MachineReason

BURST = timedelta(seconds=10)
"""Whoever follows many links takes no longer over them: hits that are older can be judged."""

REACH = timedelta(seconds=60)
"""No verdict depends on a hit that came earlier or later by more."""

SOON = timedelta(seconds=30)
"""So soon after the mail left its reader may be a program; a second sign must say so too."""

_BURSTS = ((2, timedelta(seconds=2)), (3, timedelta(seconds=5)), (4, BURST))
"""So many different links within that time, and no person followed them: nobody did who came within BURST of them."""

_BY_SIGN = {
    HIDDEN: MachineReason.HIDDEN_LINK,
    HEAD: MachineReason.HEAD,
    PREFETCH: MachineReason.PREFETCH,
    PART: MachineReason.PART,
}
_AT_WORK = frozenset(MachineReason) - {MachineReason.PROXY, MachineReason.PREFETCH}
"""Reasons that speak of a program going through the mail, not of one that serves its reader."""


def judge(hits: Sequence[Hit], sent_at: datetime | None) -> list[str]:
    """For each of one mail's hits why it is a machine's (a MachineReason), or "" where it counts as a person's.

    The hits may come in any order. `sent_at` is when the mail left; None where that is not known.
    """
    alone = [_alone(hit) for hit in hits]
    if all(alone):
        return [str(reason) for reason in alone]
    if len(hits) == 1 and (sent_at is None or hits[0].at > sent_at + SOON):
        return [""]
    company = _Company(hits, alone, sent_at)
    return [str(reason or company.reason(hit) or "") for hit, reason in zip(hits, alone, strict=True)]


def _alone(hit: Hit) -> MachineReason | None:
    said = hit.request.split()
    told = next((reason for sign, reason in _BY_SIGN.items() if sign in said), None)
    return told or by_agent(hit.kind, hit.user_agent[:LONGEST_AGENT])


class _Company:
    """What came together with a hit of the same mail."""

    def __init__(self, hits: Sequence[Hit], alone: Sequence[MachineReason | None], sent_at: datetime | None) -> None:
        told = [(hit, reason) for hit, reason in zip(hits, alone, strict=True) if reason]
        several = len({hit.link for hit in hits if hit.kind == EventKind.CLICK}) > 1
        self._soon_until = sent_at + SOON if sent_at else None
        self._bursts = [Intervals(bursts(hits, *burst, BURST)) for burst in _BURSTS] if several else []
        self._two = Intervals(bursts(hits, 2, BURST, BURST) if several else ())
        self._hidden = Times(hit.at for hit, reason in told if reason is MachineReason.HIDDEN_LINK)
        self._hidden_by = _by_visitor(told, MachineReason.HIDDEN_LINK)
        self._head_by = _by_visitor(told, MachineReason.HEAD)
        self._at_work = Times(hit.at for hit, reason in told if reason in _AT_WORK)

    def reason(self, hit: Hit) -> MachineReason | None:
        """Why a hit that looks like a person's is none."""
        if self._found_the_hidden_link(hit):
            return MachineReason.HIDDEN_LINK
        if any(hit.at in burst for burst in self._bursts):
            return MachineReason.BURST
        if _near(self._head_by, hit, BURST):
            return MachineReason.HEAD
        return MachineReason.TOO_SOON if self._too_soon(hit) else None

    def _found_the_hidden_link(self, hit: Hit) -> bool:
        """Whoever followed it went through the whole mail, perhaps slowly, and perhaps under several names."""
        return self._hidden.near(hit.at, BURST) or _near(self._hidden_by, hit, REACH)

    def _too_soon(self, hit: Hit) -> bool:
        if self._soon_until is None or hit.at > self._soon_until:
            return False
        # Mail programs that load images often name no language; browsers that follow a link do.
        wordless = hit.kind == EventKind.CLICK and NO_LANGUAGE in hit.request.split()
        return wordless or hit.at in self._two or self._at_work.near(hit.at, BURST)


def _by_visitor(told: Iterable[tuple[Hit, MachineReason]], reason: MachineReason) -> dict[str, Times]:
    """Visitors are told apart by their user agent alone: nothing else of them is kept."""
    found: dict[str, list[datetime]] = {}
    for hit, why in told:
        if why is reason:
            found.setdefault(hit.user_agent, []).append(hit.at)
    return {agent: Times(moments) for agent, moments in found.items()}


def _near(visitors: dict[str, Times], hit: Hit, within: timedelta) -> bool:
    times = visitors.get(hit.user_agent)
    return times is not None and times.near(hit.at, within)
