"""A CRM of its own for each test: fresh folder, fresh SQLite file, no plugin and no server beside it."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade

from sample_host.app import create_app
from sample_host.config import settings
from sample_host.crm.models import db
from sample_host.crm.seed import seed

TODAY = date(2026, 3, 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "demo"


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the CRM's tables and seed, made once and copied for each test."""
    folder = tmp_path_factory.mktemp("seeded")
    app = create_app(settings({"MASSMAIL_DEMO_DIR": str(folder)}), mailings=False)
    with app.app_context():
        upgrade()
        seed(db.session(), TODAY)
        db.session.commit()
        db.engine.dispose()
    return folder / "host.sqlite3"


@pytest.fixture
def crm(folder: Path, seeded: Path) -> Iterator[Flask]:
    """The CRM before anything was mounted, migrated and seeded; forms need no token."""
    config = settings({"MASSMAIL_DEMO_DIR": str(folder)})
    shutil.copy(seeded, folder)
    app = create_app({**config, "TESTING": True, "WTF_CSRF_ENABLED": False}, mailings=False)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def marketing(crm: Flask) -> FlaskClient:
    return signed_in(crm, "marketing")


@pytest.fixture
def developer(crm: Flask) -> FlaskClient:
    return signed_in(crm, "developer")


def signed_in(app: Flask, name: str) -> FlaskClient:
    client = app.test_client()
    answer = client.post("/login", data={"name": name, "password": f"{name}-demo"})
    assert answer.status_code == 302
    return client
