"""The CRM of these tests is filled once for each worker; every test gets a copy of its own."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sample_host.crm.models import db
from tests.attacks.crm import Crm, fill, mounted


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mapping[str, int]]:
    """The folder of the CRM and the ids of its rows."""
    folder = tmp_path_factory.mktemp("attacked")
    app, _ = mounted(folder)
    return folder, fill(app)


@pytest.fixture
def make_crm(filled: tuple[Path, Mapping[str, int]], tmp_path: Path) -> Iterator[Callable[..., Crm]]:
    """Mounts a copy with settings of its own: make_crm(WTF_CSRF_CHECK_DEFAULT=False)."""
    made: list[Crm] = []

    def make(**config: Any) -> Crm:
        folder = tmp_path / f"crm{len(made)}"
        shutil.copytree(filled[0], folder)
        app, provider = mounted(folder, **config)
        made.append(Crm(app, filled[1], provider))
        return made[-1]

    yield make
    for crm in made:
        with crm.app.app_context():
            db.engine.dispose()


@pytest.fixture
def crm(make_crm: Callable[..., Crm]) -> Crm:
    return make_crm()


@pytest.fixture(scope="session")
def standing(filled: tuple[Path, Mapping[str, int]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crm]:
    """One CRM for all tests whose attacks must change nothing in it."""
    folder = tmp_path_factory.mktemp("standing") / "crm"
    shutil.copytree(filled[0], folder)
    app, provider = mounted(folder)
    yield Crm(app, filled[1], provider)
    with app.app_context():
        db.engine.dispose()
