"""What reaches a host: the wheel holds every page, script, catalogue, migration; the sdist also the tests."""

import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from email import message_from_bytes
from hashlib import sha256
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
VENDOR = "massmail_plugin/static/vendor"


@pytest.fixture(scope="module")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", folder], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(distribution: Path) -> Iterator[ZipFile]:
    with ZipFile(next(distribution.glob("*.whl"))) as archive:
        yield archive


def sources(folder: str) -> set[str]:
    """Every file of a folder, but caches."""
    files = (path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file())
    return {file.as_posix() for file in files if "__pycache__" not in file.parts}


def test_the_wheel_holds_the_whole_package(wheel: ZipFile) -> None:
    assert sources("massmail_plugin") - set(wheel.namelist()) == set()


def test_the_wheel_holds_the_migrations_inside_the_package(wheel: ZipFile) -> None:
    assert {f"massmail_plugin/{name}" for name in sources("migrations")} - set(wheel.namelist()) == set()


def test_the_wheel_holds_nothing_else(wheel: ZipFile) -> None:
    tops = {PurePosixPath(name).parts[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"massmail_plugin"}


def test_browser_libraries_are_the_pinned_ones_with_their_licences(wheel: ZipFile) -> None:
    if f"{VENDOR}/vendor.json" not in wheel.namelist():
        pytest.skip("the npm registry could not be reached when the plugin was installed")
    libraries = json.loads(wheel.read(f"{VENDOR}/vendor.json"))["libraries"]
    pins = json.loads((ROOT / "package.json").read_text())["dependencies"]
    assert {library["name"]: library["version"] for library in libraries} == pins
    for library in libraries:
        assert any(name.endswith(".LICENSE.txt") for name in library["sha256"])
        for name, digest in library["sha256"].items():
            assert sha256(wheel.read(f"{VENDOR}/{name}")).hexdigest() == digest


def test_the_metadata_say_what_a_host_needs_to_know(wheel: ZipFile) -> None:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = message_from_bytes(wheel.read(name))
    assert metadata["Name"] == "massmail-plugin"
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    assert not [line for line in metadata.get_all("Requires-Dist", []) if line.startswith("flask-babel")]


def test_the_sdist_can_be_built_and_tested_from(distribution: Path) -> None:
    with tarfile.open(next(distribution.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {"Makefile", "LICENSE", "hatch_build.py", "package-lock.json", "tests/conftest.py"}
    assert needed - names == set()
    assert sources("migrations") - names == set()


def test_the_lock_file_names_no_registry() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert all("resolved" not in package for package in packages.values())
    assert all(package["integrity"] for name, package in packages.items() if name)
