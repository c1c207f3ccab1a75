"""The doctor on outcomes that nobody delivers."""

from datetime import timedelta
from pathlib import Path

from massmail_plugin.models import Mailing, OutboxMessage, OutcomeReport
from massmail_plugin.upkeep.check import Level
from massmail_plugin.upkeep.processes import outcome_reports
from tests.databases import sqlite_with_tables
from tests.upkeep.small_host import small_host


def test_outcomes_that_wait_too_long_are_a_warning(tmp_path: Path) -> None:
    with small_host(sqlite_with_tables(tmp_path / "host.sqlite"), tmp_path) as (_, host, clock, _):
        mailing = Mailing(name="N", contact_source="members", address_roles=[], created_at=clock())
        host.session.add(mailing)
        host.session.flush()
        who = {"mailing_id": mailing.id, "contact_source": "members", "contact_key": "1"}
        mail = OutboxMessage(**who, chunk=0, address_role="main", address="a@example.org")
        host.session.add(mail)
        host.session.flush()
        host.session.add(OutcomeReport(**who, message_id=mail.id, outcome="sent", at=clock(), due_at=clock()))
        host.session.commit()
        assert [check.level for check in outcome_reports(host)] == [Level.OK]
        clock.now += timedelta(minutes=6)
        (found,) = outcome_reports(host)
        assert (found.level, "worker" in found.what_to_do) == (Level.WARNING, True)
