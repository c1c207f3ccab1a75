"""What all parts of a run stand on: a folder, sizes, and a PostgreSQL that is started when first asked for."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import databases
from bench.findings import Findings


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int = 5
    quick: bool = False


class Stage:
    """What the parts stand on."""

    def __init__(self, folder: Path, size: Size, say: Callable[[str], None], stack: ExitStack) -> None:
        self.folder = folder
        self.size = size
        self.say = say
        self.findings = Findings()
        self._stack = stack

    @cached_property
    def postgresql(self) -> str:
        """Raises ServiceMissing where there is none."""
        return self._stack.enter_context(databases.postgresql(self.folder))

    def database(self, name: str) -> str:
        """The URL of a new, empty database on the PostgreSQL of the run."""
        return databases.fresh_database(self.postgresql, name)


@contextmanager
def stage(size: Size, say: Callable[[str], None]) -> Iterator[Stage]:
    """Everything that is started ends with the context."""
    with TemporaryDirectory(prefix="massmail-bench-") as name, ExitStack() as stack:
        yield Stage(Path(name), size, say, stack)
