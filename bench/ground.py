"""The ground of a run: servers, folder and sizes that all contests share; hosts are set up when first asked for."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import databases, stage
from bench.engine import Engine
from bench.sinks import SmtpSink, smtp_sink


@dataclass(frozen=True)
class Size(stage.Size):
    """How much is measured. The naive ones get fewer messages, because they are slow."""

    messages: int = 20_000
    many: int = 1_000_000
    naive: int = 500
    post_office: int = 3_000


QUICK = Size(rounds=3, messages=10_000, many=200_000, naive=200, post_office=1_500)


class Ground(stage.Stage):
    """What the contests stand on."""

    size: Size

    @cached_property
    def sink(self) -> SmtpSink:
        """The smtp-sink of the run. Raises BenchFailed where Postfix is missing."""
        return self._stack.enter_context(smtp_sink(self.folder))

    @cached_property
    def redis(self) -> str:
        return self._stack.enter_context(databases.redis(self.folder))

    @cached_property
    def few(self) -> Engine:
        """Our host on PostgreSQL with the contacts of an ordinary mailing."""
        return self._engine("few", self.database("few"), self.size.messages)

    @cached_property
    def few_on_sqlite(self) -> Engine:
        """The same on SQLite."""
        return self._engine("few_on_sqlite", f"sqlite:///{self.folder / 'few.sqlite3'}", self.size.messages)

    @cached_property
    def many(self) -> Engine:
        """Our host on PostgreSQL with very many contacts."""
        return self._engine("many", self.database("many"), self.size.many)

    def _engine(self, name: str, database_url: str, contacts: int) -> Engine:
        self.say(f"Setting up {contacts:,} contacts ({name}) ...")
        engine = Engine(name, database_url, self.redis, self.folder)
        engine.set_up(contacts)
        return engine


@contextmanager
def ground(size: Size, say: Callable[[str], None]) -> Iterator[Ground]:
    """Everything that is started ends with the context."""
    with TemporaryDirectory(prefix="massmail-bench-") as name, ExitStack() as stack:
        yield Ground(Path(name), size, say, stack)
