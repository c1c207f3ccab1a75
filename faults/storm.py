"""Kills at random instants, and what each of them left: how many mails uncertain, how soon its work went on."""

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import select

from faults.patience import children
from faults.reckoning import row_of
from faults.world import World
from massmail_plugin.models import OutboxMessage
from massmail_plugin.vocabulary import WAITING, MessageState
from sample_host.crm.models import db


class Part(NamedTuple):
    """A chunk, as its mailing and its number within it."""

    mailing_id: int
    number: int


@dataclass
class Kill:
    """One kill: when, what the dead held, how many rows of it were uncertain before and how many waited."""

    at: float
    parts: list[Part]
    before: Counter[Part]
    waited: Counter[Part]


@dataclass
class Storm:
    """The kills of a run."""

    world: World
    kills: list[Kill] = field(default_factory=list)

    def strike(self, name: str | None = None, *, which: str = "both", again: bool = True) -> None:
        """Kill a worker, a busy one where there is one, and start another in its place."""
        world = self.world
        victim = name or random.choice(world.busy() or world.workers())
        pid = world.processes[victim].pid
        had = self._held([pid, *children(pid)])
        at = time.time()
        self.remember(at, world.kill(victim, which=which), had)
        if again and which != "children":
            world.again(victim)

    def remember(self, at: float, dead: list[int], had: Kill | None = None) -> None:
        """Note what the dead held: what they `had` the moment before, and what they have taken since.

        Asking afterwards alone would not do: the next worker may have settled it by then.
        """
        since, had = self._held(dead), had or Kill(at, [], Counter(), Counter())
        taken = [part for part in since.parts if part not in had.parts]
        # What was uncertain before is asked before: the next worker may be at it while the dead are asked after.
        before = had.before + Counter({part: since.before[part] for part in taken})
        self.kills.append(Kill(at, [*had.parts, *taken], before, since.waited | had.waited))

    def _held(self, pids: list[int]) -> Kill:
        """What these processes have in hand now."""
        parts = [Part(chunk.mailing_id, chunk.number) for chunk in self.world.held_by(pids)]
        uncertain = self._rows(parts, [MessageState.UNCERTAIN])
        return Kill(time.time(), parts, uncertain, self._rows(parts, list(WAITING)))

    def uncertain(self) -> list[int]:
        """How many rows each kill left uncertain; to be asked when all is over."""
        later = self._rows([part for kill in self.kills for part in kill.parts], [MessageState.UNCERTAIN])
        found = []
        for kill in reversed(self.kills):
            found.append(sum(later[part] - kill.before[part] for part in kill.parts))
            for part in kill.parts:
                later[part] = kill.before[part]
        return found[::-1]

    def resumed(self) -> list[float]:
        """For each kill that left mails waiting: the seconds until the first of them was handed over again."""
        parts = {part for kill in self.kills for part in kill.parts}
        told = self._told(parts)
        found = []
        for kill in self.kills:
            first = [at for part in kill.parts if kill.waited[part] for at in told.get(part, []) if at > kill.at]
            found += [min(first) - kill.at] if first else []
        return found

    def _told(self, parts: set[Part]) -> dict[Part, list[float]]:
        row = OutboxMessage
        mailings = {part.mailing_id for part in parts}
        query = select(row.id, row.mailing_id, row.chunk).where(row.mailing_id.in_(mailings))
        with self.world.app.app_context():
            of = {number: Part(mailing, chunk) for number, mailing, chunk in db.session.execute(query)}
        told: dict[Part, list[float]] = {}
        for taken in self.world.taken():
            part = of.get(row_of(self.world.host, taken) or 0)
            if part in parts:
                told.setdefault(part, []).append(taken.told)
        return told

    def _rows(self, parts: list[Part], states: list[MessageState]) -> Counter[Part]:
        row = OutboxMessage
        mailings, numbers = {part.mailing_id for part in parts}, {part.number for part in parts}
        query = select(row.mailing_id, row.chunk).where(
            row.mailing_id.in_(mailings), row.chunk.in_(numbers), row.state.in_([state.value for state in states])
        )
        with self.world.app.app_context():
            return Counter(Part(*found) for found in db.session.execute(query))
