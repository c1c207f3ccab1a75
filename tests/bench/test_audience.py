"""The world of the audience benchmark is what it says, and the SQL by hand finds what ours finds."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bench.audience import count, funnel
from bench.audience.crm import Contact
from bench.audience.world import OLD, World, world
from bench.stage import Size, Stage
from massmail_plugin.models import List, OutboxMessage

PEOPLE = 3000


@pytest.fixture
def stage(tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A stage on the PostgreSQL of the tests, whose large world is a small one."""
    with ExitStack() as stack:
        made = Stage(tmp_path, Size(rounds=1), lambda words: None, stack)
        made.__dict__["postgresql"] = postgres_url
        for part in (count, funnel):
            monkeypatch.setattr(part, "many", lambda stage: PEOPLE)
        yield made


def test_every_figure_is_measured(stage: Stage) -> None:
    here: World = world(stage, PEOPLE)
    with here.host() as host:
        assert host.session.scalar(select(func.count()).select_from(Contact)) == PEOPLE
        assert not host.session.get_one(List, here.lists[OLD]).active
        assert (host.session.scalar(select(func.count()).select_from(OutboxMessage)) or 0) > PEOPLE * 0.9
    count.measure(stage)
    funnel.measure(stage)
    for figure in (*count.FIGURES, *funnel.FIGURES):
        assert (stage.findings.value(figure.key) or 0) > 0
