"""Reads the sample host's settings from the environment and its data folder, for every process."""

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

CHECKOUT = Path(__file__).resolve().parent.parent
MIGRATIONS = CHECKOUT / "sample_host" / "migrations"
RUN_FILE = "run.json"
SECRETS_FILE = "secrets.json"

# Settings of the demo itself; the plugin would warn about names it does not know.
HOST_ONLY = frozenset({"MASSMAIL_DATABASE_URL", "MASSMAIL_DEMO_DIR", "MASSMAIL_REQUIRE", "MASSMAIL_CHROMIUM"})


def data_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of database, mails, secrets and logs: MASSMAIL_DEMO_DIR, else var/demo of the checkout."""
    return Path(environ.get("MASSMAIL_DEMO_DIR") or CHECKOUT / "var" / "demo").resolve()


def settings(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Flask's configuration: the environment, else what a running demo wrote down, else the defaults."""
    folder = data_folder(environ)
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {
        "SQLALCHEMY_DATABASE_URI": database_url(environ, folder),
        "SESSION_COOKIE_NAME": "fernhill_session",
        "SESSION_COOKIE_SAMESITE": "Lax",
        "CAUGHT_MAIL_FOLDER": str(folder / "caught"),
        "MASSMAIL_BASE_URL": "http://127.0.0.1:5080",
        "MASSMAIL_STATE_DIR": str(folder / "state"),
        "MASSMAIL_KEEP_VALUES_DAYS": 400,
        "MASSMAIL_ORGANISATION": "Fernhill Supplies",
        "MASSMAIL_POSTAL_ADDRESS": "Fernhill Supplies, 12 Mill Lane, Brookford",
        **kept_secrets(folder),
        **written_by_running_demo(folder),
        **plugin_settings(environ),
    }
    return found


def plugin_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Every MASSMAIL_ variable that is meant for the plugin, as text."""
    return {
        name: value
        for name, value in environ.items()
        if name.startswith("MASSMAIL_") and not name.startswith("MASSMAIL_TEST_") and name not in HOST_ONLY
    }


def database_url(environ: Mapping[str, str], folder: Path) -> str:
    """MASSMAIL_DATABASE_URL with the psycopg driver named, else an SQLite file in the data folder."""
    url = environ.get("MASSMAIL_DATABASE_URL")
    if not url:
        return f"sqlite:///{folder / 'host.sqlite3'}"
    scheme, separator, rest = url.partition("://")
    return f"postgresql+psycopg{separator}{rest}" if scheme in {"postgres", "postgresql"} else url


def kept_secrets(folder: Path) -> dict[str, Any]:
    """The keys of this data folder, made on first use and readable by its owner alone."""
    path = folder / SECRETS_FILE
    fresh = {
        "SECRET_KEY": secrets.token_urlsafe(32),
        "MASSMAIL_SECRET_KEYS": [Fernet.generate_key().decode()],
    }
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(fresh, file)
    except FileExistsError:
        pass
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return kept


def written_by_running_demo(folder: Path) -> dict[str, Any]:
    """Addresses a running demo wrote down, for commands such as `flask massmail doctor` beside it."""
    try:
        written: dict[str, Any] = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))["config"]
    except FileNotFoundError:
        return {}
    return written
