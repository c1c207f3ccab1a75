"""Our history makes exactly the tables of the models, on both databases, and takes them away again."""

import shutil
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import inspect

from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest, SetupError
from massmail_plugin.models import Base
from massmail_plugin.upkeep import schema
from tests.upkeep.small_host import small_host

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def differences(host: Host) -> list[object]:
    with host.db.engine.connect() as connection:
        options = {
            "version_table": schema.VERSION_TABLE,
            "include_name": lambda name, type_, parents: type_ != "table" or schema.is_ours(name),
            "compare_type": True,
        }
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata))


def our_tables(host: Host) -> set[str]:
    return {name for name in inspect(host.db.engine).get_table_names() if schema.is_ours(name)}


def test_history_and_models_do_not_drift_apart(empty_database_url: str, tmp_path: Path) -> None:
    with small_host(empty_database_url, tmp_path) as (_, host, _, _):
        schema.upgrade(host)
        assert differences(host) == []
        assert our_tables(host) == {*Base.metadata.tables, schema.VERSION_TABLE}


def test_the_same_tables_of_sqlite_never_number_a_row_as_one_that_is_gone(tmp_path: Path) -> None:
    """Which is nothing that differences can tell. PostgreSQL never does."""
    with small_host(f"sqlite:///{tmp_path / 'host.sqlite'}", tmp_path) as (_, host, _, _):
        schema.upgrade(host)
        wanted = {
            name for name, table in Base.metadata.tables.items() if table.dialect_options["sqlite"]["autoincrement"]
        }
        made = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'"
        with host.db.engine.connect() as connection:
            assert {name for (name,) in connection.exec_driver_sql(made)} == wanted != set()


def test_upgrade_twice_and_all_the_way_back(empty_database_url: str, tmp_path: Path) -> None:
    with small_host(empty_database_url, tmp_path) as (_, host, _, _):
        newest = schema.current(host).newest
        assert schema.upgrade(host) == schema.Revision(None, newest)
        assert schema.upgrade(host) == schema.Revision(newest, newest)
        assert schema.current(host).up_to_date
        schema.downgrade(host, "base")
        assert our_tables(host) == {schema.VERSION_TABLE}
        assert "members" in inspect(host.db.engine).get_table_names()
        schema.upgrade(host)
        assert differences(host) == []


def test_downgrade_to_an_unknown_revision_is_refused(empty_database_url: str, tmp_path: Path) -> None:
    with small_host(empty_database_url, tmp_path) as (_, host, _, _):
        schema.upgrade(host)
        with pytest.raises(BadRequest, match="nonsense"):
            schema.downgrade(host, "nonsense")
        assert schema.current(host).up_to_date


def test_the_printed_sql_makes_the_same_tables(empty_database_url: str, tmp_path: Path) -> None:
    with small_host(empty_database_url, tmp_path) as (_, host, _, _):
        script = schema.sql(host)
        connection = host.db.engine.raw_connection()
        if host.db.engine.dialect.name == "sqlite":
            connection.driver_connection.executescript(script)
        else:
            connection.cursor().execute(script)
            connection.commit()
        connection.close()
        assert differences(host) == []
        assert schema.current(host).up_to_date
        assert schema.sql(host) == ""
        assert "CREATE TABLE massmail_mailing" in schema.sql(host, whole=True)


def test_two_hosts_upgrade_at_once(empty_database_url: str, tmp_path: Path) -> None:
    with small_host(empty_database_url, tmp_path) as (app, host, _, _):
        problems: list[Exception] = []
        threads = [threading.Thread(target=upgrade_in, args=(app, host, problems)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert problems == []
        assert differences(host) == []


def upgrade_in(app: Flask, host: Host, problems: list[Exception]) -> None:
    try:
        with app.app_context():
            schema.upgrade(host)
    except Exception as problem:
        problems.append(problem)


def test_an_untuned_sqlite_is_upgraded_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.upkeep.small_host.tune", lambda engine: None)
    with small_host(f"sqlite:///{tmp_path / 'plain.sqlite3'}", tmp_path) as (_, host, _, _):
        host.db.session.commit()
        with host.db.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE massmail_sender (in_the_way INTEGER)")
        with pytest.raises(Exception, match="massmail_sender"):
            schema.upgrade(host)
        assert our_tables(host) == {"massmail_sender"}


def test_an_installed_package_brings_its_own_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "massmail_plugin"
    package.mkdir()
    monkeypatch.setattr(schema, "_PACKAGE", package)
    with pytest.raises(SetupError, match="install the package again"):
        schema.configuration()
    shutil.copytree(MIGRATIONS, package / "migrations")
    assert schema.configuration().get_main_option("script_location") == str(package / "migrations")
