"""A question that takes too long is stopped on both databases, in words, and the transaction goes on."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from massmail_plugin.audience import count
from massmail_plugin.audience.criteria.time_limit import bounded
from massmail_plugin.contracts import Host, HostCondition
from massmail_plugin.errors import TooSlow
from massmail_plugin.models import List
from massmail_plugin.portable_sql import dialect
from tests.consent.small_host import PERSONS, Person, add_list, add_person

FOREVER = """WITH RECURSIVE turns(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM turns WHERE n < 100000000)
    SELECT count(*) FROM turns"""


def hurried(host: Host, seconds: int = 1) -> Host:
    return replace(host, config=replace(host.config, criterion_seconds=seconds))


def test_a_slow_criterion_is_stopped_and_nothing_is_lost(host: Host) -> None:
    add_list(host, "Made before")
    add_person(host, "a@x.test")
    endless = select(func.count()).select_from(text(f"({FOREVER}) AS endless")).scalar_subquery()
    host.hooks.conditions["endless"] = HostCondition("Endless", lambda model: (model.id + endless) > 0)
    with pytest.raises(TooSlow, match="took longer than 1 seconds"):
        count(hurried(host), PERSONS, {"condition": "endless"})
    assert host.session.scalars(select(List.name)).all() == ["Made before"]
    assert count(hurried(host), PERSONS, None) == 1
    host.session.commit()


def test_the_bound_is_gone_afterwards(host: Host) -> None:
    with bounded(hurried(host)):
        host.session.scalar(select(func.count()).select_from(Person))
    if dialect(host).name == "postgresql":
        assert host.session.scalar(text("SHOW statement_timeout")) == "0"
        host.session.execute(text("SELECT pg_sleep(1.2)"))
    else:
        host.session.execute(text(FOREVER.replace("100000000", "1000000")))


def test_other_faults_stay_what_they_are(host: Host) -> None:
    with pytest.raises((OperationalError, ProgrammingError)), bounded(hurried(host)):
        host.session.execute(text("SELECT nothing FROM nowhere"))


def test_without_a_limit_nothing_is_set(host: Host) -> None:
    with bounded(hurried(host, 0)):
        assert not host.session().in_nested_transaction()
        assert count(hurried(host, 0), PERSONS, None) == 0
