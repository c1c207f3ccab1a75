"""One fault run: its worlds, what it expects, and what came of it. The list of all runs is kept here too."""

import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from faults.mould import Mould
from faults.patience import Unfit
from faults.postgres import PostgreSQL
from faults.reckoning import Reckoning, reckon
from faults.world import World, world
from sample_host.services.child_process import ServiceFailed, ServiceMissing

CONNECTIONS = 10
"""Of a sender, and so the most mails that may be uncertain for each killed worker."""


class Stand:
    """What all runs share: one PostgreSQL and the moulds, made when first asked for."""

    def __init__(self, *, contacts: int = 3000) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mm-stand-"))
        self._contacts = contacts
        self._moulds: dict[str, Mould] = {}

    @cached_property
    def postgres(self) -> PostgreSQL:
        return PostgreSQL(self.folder)

    def mould(self, kind: str) -> Mould:
        """The mould of `postgresql` or `sqlite` worlds."""
        if kind not in self._moulds:
            server = self.postgres if kind == "postgresql" else None
            self._moulds[kind] = Mould(self.folder / kind, server, contacts=self._contacts)
        return self._moulds[kind]

    def close(self) -> None:
        """End the server and remove everything."""
        if "postgres" in vars(self):
            self.postgres.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass
class Run:
    """A run under way. What it expected and did not find is in `problems`; without any it is well."""

    name: str
    stand: Stand
    quick: bool
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0
    uncertain: int = 0
    kills: int = 0
    max_uncertain_per_kill: int = 0
    resumed_within_s: float | None = None
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return not self.problems

    @contextmanager
    def world(self, kind: str = "postgresql", **environment: str) -> Iterator[World]:
        """A fresh world; see `faults.world`."""
        with world(self.stand.mould(kind), **environment) as made:
            yield made

    def expect(self, true: bool, otherwise: str) -> None:
        """A promise that is kept, or a problem in these words."""
        if not true:
            self.problems.append(otherwise)

    def note(self, words: str) -> None:
        """Something worth reading that is no problem."""
        self.notes.append(words)

    def either(self, full: Any, quick: Any) -> Any:
        """The first in a full run, the second in a quick one."""
        return quick if self.quick else full

    def reckon(
        self, made: World, mailing_ids: Sequence[int], *, uncertain: int = 0, moved: dict[int, set[str]] | None = None
    ) -> Reckoning:
        """Account for every mail; at most `uncertain` rows may be so."""
        with made.app.app_context():
            found = reckon(made.host, mailing_ids, made.taken(), moved)
        self.problems += found.problems
        self.expect(found.uncertain <= uncertain, f"{found.uncertain} uncertain, at most {uncertain} may be")
        self.lost += len(found.lost)
        self.doubled += len(found.doubled)
        self.uncertain += found.uncertain
        self.note(f"{found.rows} rows, {found.sent} sent, {found.uncertain} uncertain")
        if made.ended:
            self.note(f"ended by themselves and were started again: {made.ended[:5]}")
        return found

    def to_json(self) -> dict[str, Any]:
        """The run in the results."""
        return {
            "name": self.name,
            "ok": self.ok,
            "details": "; ".join([*self.problems, *self.notes]),
            "lost": self.lost,
            "doubled": self.doubled,
            "uncertain": self.uncertain,
            "seconds": round(self.seconds, 1),
        }


@dataclass(frozen=True)
class Fault:
    """A run that can be asked for by its name."""

    name: str
    about: str
    act: Callable[[Run], None]

    def run(self, stand: Stand, *, quick: bool) -> Run:
        """Do it; whatever goes wrong is in the run's problems."""
        run, began = Run(self.name, stand, quick), time.monotonic()
        try:
            self.act(run)
        except (ServiceMissing, NotHere) as missing:
            run.problems.append(f"not run: {missing}")
        except (Unfit, ServiceFailed) as unfit:
            run.problems.append(str(unfit))
        except Exception:
            run.problems.append(traceback.format_exc(limit=-4))
        run.seconds = time.monotonic() - began
        return run


class NotHere(Exception):
    """This machine lacks what the run needs; the words say what."""


FAULTS: dict[str, Fault] = {}


def fault(name: str, about: str) -> Callable[[Callable[[Run], None]], Callable[[Run], None]]:
    """Enter a run in the list; `about` says in a line what is done."""

    def enter(act: Callable[[Run], None]) -> Callable[[Run], None]:
        FAULTS[name] = Fault(name, about, act)
        return act

    return enter
