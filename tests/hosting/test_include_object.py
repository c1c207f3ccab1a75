"""A host with Flask-Migrate of its own: its autogenerate never sees our tables, nor our history its."""

from pathlib import Path

import flask_migrate
import pytest
from sqlalchemy import Column, Index, Integer, MetaData, Table, UniqueConstraint, inspect

from massmail_plugin.hosting import include_object
from massmail_plugin.upkeep import schema
from tests.upkeep.small_host import db, small_host


def proposed(folder: Path, message: str) -> str | None:
    """What the host's `flask db migrate` writes; None where it finds nothing to do."""
    before = set((folder / "versions").glob("*.py"))
    flask_migrate.migrate(directory=str(folder), message=message)
    new = set((folder / "versions").glob("*.py")) - before
    return new.pop().read_text() if new else None


def test_the_hosts_autogenerate_proposes_nothing(empty_database_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "host_migrations"
    with small_host(empty_database_url, tmp_path) as (app, host, _, _):
        db.drop_all()
        flask_migrate.Migrate(app, db, include_object=include_object)
        flask_migrate.init(directory=str(folder))
        first = proposed(folder, "first") or ""
        assert "members" in first
        assert "massmail" not in first
        flask_migrate.upgrade(directory=str(folder))
        assert proposed(folder, "before our upgrade") is None
        schema.upgrade(host)
        assert proposed(folder, "after our upgrade") is None
        flask_migrate.downgrade(directory=str(folder), revision="base")
        assert "massmail_mailing" in inspect(host.db.engine).get_table_names()


def test_without_the_filter_the_host_would_drop_our_tables(tmp_path: Path) -> None:
    folder = tmp_path / "host_migrations"
    with small_host(f"sqlite:///{tmp_path / 'host.sqlite3'}", tmp_path) as (app, host, _, _):
        flask_migrate.Migrate(app, db)
        flask_migrate.init(directory=str(folder))
        schema.upgrade(host)
        assert "drop_table('massmail_mailing')" in (proposed(folder, "careless") or "")


@pytest.mark.parametrize(("table", "kept"), [("massmail_anything", False), ("members", True), ("massmailing", True)])
def test_what_belongs_to_a_table_goes_with_it(table: str, kept: bool) -> None:
    made = Table(table, MetaData(), Column("id", Integer, primary_key=True), Column("number", Integer))
    index, unique = Index("ix_number", made.c.number), UniqueConstraint(made.c.number, name="uq_number")
    assert include_object(made, table, "table", True, None) is kept
    assert include_object(index, "ix_number", "index", True, None) is kept
    assert include_object(unique, "uq_number", "unique_constraint", True, None) is kept
    assert include_object(made.c.number, "number", "column", False, None) is kept
