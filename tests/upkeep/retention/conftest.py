"""Mailings that grow old, and a run of the retention over them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from massmail_plugin.ages import Ages
from massmail_plugin.contracts import Host
from massmail_plugin.models import Mailing, OutcomeReport
from massmail_plugin.upkeep import retention
from massmail_plugin.vocabulary import MailingState, ReportState
from tests.consent.small_host import clock, running_host
from tests.mailings.statistics.conftest import Run

NEVER = Ages(**dict.fromkeys(Ages.__dataclass_fields__, 0))


@pytest.fixture
def host(database_url: str) -> Iterator[Host]:
    with running_host(database_url) as host:
        yield host


@pytest.fixture
def keep(host: Host) -> Callable[..., None]:
    """keep(messages=30): what is not named is kept for good."""

    def set_(**days: int) -> None:
        object.__setattr__(host, "config", replace(host.config, retention=replace(NEVER, **days)))

    return set_


def ended(run: Run) -> Run:
    """A mailing that is over: every row settled, many things came back, all counted."""
    run.settle()
    run.happens(60)
    end(run)
    return run


def end(run: Run) -> None:
    """Counted, and told to the host."""
    told(run.host)
    run.catch_up()
    mailing = run.host.session.get_one(Mailing, run.id)
    mailing.state, mailing.finished_at = MailingState.FINISHED.value, run.host.clock()
    run.host.session.commit()


def told(host: Host) -> None:
    host.session.query(OutcomeReport).update({"state": ReportState.DELIVERED.value})
    host.session.commit()


def later(host: Host, days: float) -> None:
    clock(host).tick(days=days)


def forget(host: Host, **options: Any) -> retention.Report:
    report = retention.run(host, seconds=60, **{"whole": True, **options})
    assert report is not None
    return report


def number(host: Host, model: Any, *where: Any) -> int:
    return host.session.scalar(select(func.count()).select_from(model).where(*where)) or 0
