"""`flask massmail doctor`, `worker` and `scheduler`."""

from pathlib import Path

from sqlalchemy import select

from massmail_plugin import cli
from massmail_plugin.jobs.queue import JobQueue
from massmail_plugin.models import Heartbeat
from massmail_plugin.upkeep import schema
from tests.cli.conftest import Terminal
from tests.upkeep.small_host import small_host


def test_doctor_names_what_is_missing_and_ends_with_1(terminal: Terminal) -> None:
    said = terminal.run("doctor", code=1)
    assert "FAIL     scheduler: No scheduler has ever run" in said
    assert "flask massmail scheduler" in said
    found = terminal.json("doctor", code=1)
    assert found["level"] == "fail"
    assert {"name": "redis", "level": "ok", "text": "Redis answers.", "what_to_do": ""} in found["checks"]


def test_one_tick_of_the_scheduler_leaves_a_sign_of_life(terminal: Terminal) -> None:
    terminal.run("scheduler", "--once")
    beat = terminal.host.session.scalars(select(Heartbeat)).one()
    assert (beat.name, beat.at) == ("scheduler", terminal.host.clock())
    checks = {check["name"]: check["level"] for check in terminal.json("doctor")["checks"]}
    assert checks["scheduler"] == "ok"


def test_a_worker_ends_when_nothing_is_left(redis_url: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'host.sqlite3'}"
    with small_host(url, tmp_path, MASSMAIL_REDIS_URL=redis_url, MASSMAIL_QUEUE="of-this-test") as (
        app,
        host,
        clock,
        _,
    ):
        schema.upgrade(host)
        jobs = JobQueue(host.config, clock)
        jobs.wake("fill")
        assert jobs.status().waiting == 1
        cli.register(app)
        assert app.test_cli_runner().invoke(args=["massmail", "worker", "--burst"]).exit_code == 0
        assert jobs.status().waiting == 0
        assert list(jobs.queue.failed_job_registry.get_job_ids()) == []
