"""What happens before the first page: settings, secrets, migrations, ports."""

import json
import socket
import stat
from datetime import date
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import func, inspect, select

from sample_host.app import create_app
from sample_host.config import RUN_FILE, SECRETS_FILE, settings
from sample_host.crm.models import Company, Contact, Status, db
from sample_host.crm.seed import seed
from sample_host.reachable import free_port


def test_secrets_are_made_once_and_are_their_owners_alone(folder: Path) -> None:
    environ = {"MASSMAIL_DEMO_DIR": str(folder)}
    first = settings(environ)
    assert settings(environ)["SECRET_KEY"] == first["SECRET_KEY"]
    assert settings(environ)["MASSMAIL_SECRET_KEYS"] == first["MASSMAIL_SECRET_KEYS"]
    assert stat.S_IMODE((folder / SECRETS_FILE).stat().st_mode) == 0o600


def test_the_environment_wins_over_a_running_demo_and_that_over_defaults(folder: Path) -> None:
    environ = {"MASSMAIL_DEMO_DIR": str(folder)}
    assert settings(environ)["MASSMAIL_BASE_URL"] == "http://127.0.0.1:5080"
    (folder / RUN_FILE).write_text(json.dumps({"config": {"MASSMAIL_BASE_URL": "http://127.0.0.1:5083"}}))
    assert settings(environ)["MASSMAIL_BASE_URL"] == "http://127.0.0.1:5083"
    environ["MASSMAIL_BASE_URL"] = "https://crm.test"
    found = settings(environ)
    assert found["MASSMAIL_BASE_URL"] == "https://crm.test"
    assert "MASSMAIL_DEMO_DIR" not in found


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_is_reached_through_psycopg(folder: Path, scheme: str) -> None:
    environ = {"MASSMAIL_DEMO_DIR": str(folder), "MASSMAIL_DATABASE_URL": f"{scheme}://u:p@h/d"}
    assert settings(environ)["SQLALCHEMY_DATABASE_URI"] == "postgresql+psycopg://u:p@h/d"


def test_migrations_and_models_agree_and_lead_back(folder: Path) -> None:
    app = create_app(settings({"MASSMAIL_DEMO_DIR": str(folder)}), mailings=False)
    check_migrations(app)


def test_migrations_agree_on_postgresql(folder: Path, fresh_postgres_url: str) -> None:
    environ = {"MASSMAIL_DEMO_DIR": str(folder), "MASSMAIL_DATABASE_URL": fresh_postgres_url}
    check_migrations(create_app(settings(environ), mailings=False))


def check_migrations(app: Flask) -> None:
    with app.app_context():
        upgrade()
        assert Status.names() == []
        with db.engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), db.metadata) == []
        db.session.rollback()
        downgrade(revision="base")
        assert inspect(db.engine).get_table_names() == ["alembic_version"]
        db.engine.dispose()


def test_a_busy_port_gives_way_to_the_next_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        assert free_port(port) > port


def test_the_seed_leaves_postgresql_ready_for_more(folder: Path, fresh_postgres_url: str) -> None:
    environ = {"MASSMAIL_DEMO_DIR": str(folder), "MASSMAIL_DATABASE_URL": fresh_postgres_url}
    with create_app(settings(environ), mailings=False).app_context():
        upgrade()
        seed(db.session(), date(2026, 3, 2))
        db.session.add(Company(name="One more"))
        db.session.commit()
        assert db.session.scalar(select(func.count()).select_from(Contact)) == 1284
        db.session.remove()
        db.engine.dispose()
