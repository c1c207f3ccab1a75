"""Servers and programs every test may ask for. One server per test worker, started when first asked for."""

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from playwright.sync_api import Browser, sync_playwright

from sample_host.services.child_process import ServiceMissing
from sample_host.services.postgres_server import postgres_server
from sample_host.services.redis_server import redis_server
from tests.databases import PostgresDatabases, sqlite_with_tables
from tests.requirements import need

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session", autouse=True)
def _templates_compiled_once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> None:
    """Every test may have a Flask application of its own; all read what Jinja compiled for any other."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "compiled-templates"
    folder.mkdir(exist_ok=True)
    Flask.jinja_options = {"bytecode_cache": FileSystemBytecodeCache(str(folder))}


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Redis of this worker's own; MASSMAIL_TEST_REDIS_URL names an outside one instead."""
    try:
        with redis_server(tmp_path_factory.mktemp("redis"), "MASSMAIL_TEST_REDIS_URL") as url:
            yield url
    except ServiceMissing as missing:
        need("redis", str(missing))


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of this worker's own, whose role may create databases; tests use `fresh_postgres_url`."""
    try:
        with postgres_server(tmp_path_factory.mktemp("postgres")) as url:
            yield url
    except ServiceMissing as missing:
        need("postgresql", str(missing))


@pytest.fixture(scope="session")
def postgres_databases(postgres_url: str) -> Iterator[PostgresDatabases]:
    databases = PostgresDatabases(postgres_url)
    yield databases
    databases.close()


@pytest.fixture
def fresh_postgres_url(postgres_databases: PostgresDatabases) -> Iterator[str]:
    """An empty database of this test's own, dropped afterwards."""
    url = postgres_databases.take(empty=True)
    yield url
    postgres_databases.give_back(url)


@pytest.fixture
def postgres_url_with_tables(postgres_databases: PostgresDatabases) -> Iterator[str]:
    """A database of this test's own with our tables, dropped afterwards."""
    url = postgres_databases.take(empty=False)
    yield url
    postgres_databases.give_back(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with our tables and nothing in them; a test that takes it runs on both kinds."""
    if request.param == "sqlite":
        return sqlite_with_tables(tmp_path / "host.sqlite")
    url: str = request.getfixturevalue("postgres_url_with_tables")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables; a test that takes it runs on both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'host.sqlite'}"
    url: str = request.getfixturevalue("fresh_postgres_url")
    return url


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium for Playwright's `executable_path`; MASSMAIL_CHROMIUM names one."""
    named = os.environ.get("MASSMAIL_CHROMIUM")
    found = next(filter(None, map(shutil.which, (named,) if named else CHROMIUM_NAMES)), None)
    return found or need(
        "chromium", "none was found; install one (`apt install chromium`) or name it in MASSMAIL_CHROMIUM."
    )


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """A real Chromium, one for each test worker: Playwright cannot be started twice in one process."""
    quiet = [
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
    ]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", *quiet])
        yield started
        started.close()


@pytest.fixture(autouse=True)
def _loggers_stay_on() -> Iterator[None]:
    """Alembic's usual env.py sets logging up anew and switches off every logger there is."""
    yield
    for name, logger in logging.root.manager.loggerDict.items():
        if name.startswith("massmail_plugin") and isinstance(logger, logging.Logger):
            logger.disabled = False
