"""With and without what other hosts have installed: CSRFProtect, flask-babel, Flask-Migrate, a nonce CSP."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, g
from flask_admin import Admin
from flask_babel import Babel
from flask_migrate import Migrate
from flask_wtf import CSRFProtect

from massmail_plugin.hosting import include_object
from tests.mounting.conftest import ADMIN, Hosts, migrate, plugin, visitor

CHECKOUT = Path(__file__).resolve().parents[2]


def mounted(hosts: Hosts, **config: Any) -> Flask:
    app = hosts.app(**config)
    plugin().init_app(app, db=hosts.db(app), admin=Admin(app))
    migrate(app)
    return app


def assert_works(app: Flask) -> None:
    """A page opens, a post with its token changes something, one without it does not."""
    client = visitor(app)
    page = client.get(f"{ADMIN}lists/new")
    assert page.status_code == 200, page.text
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    assert client.post(f"{ADMIN}lists/new", data={"name": "x"}).status_code == 400
    made = client.post(f"{ADMIN}lists/new", data={"name": "x", "active": "y", "csrf_token": token})
    assert made.status_code == 302
    assert client.get(made.location).status_code == 200
    # The recipients' pages ask for no token, with CSRFProtect or without: the link itself is the proof.
    assert app.test_client().post("/m/u/forged", data={"List-Unsubscribe": "One-Click"}).status_code == 404


def test_alone(hosts: Hosts) -> None:
    assert_works(mounted(hosts))


@pytest.mark.parametrize("first", [True, False])
def test_beside_csrf_protect_set_up_before_or_after(hosts: Hosts, first: bool) -> None:
    app = hosts.app()
    if first:
        CSRFProtect(app)
    plugin().init_app(app, db=hosts.db(app), admin=Admin(app))
    if not first:
        CSRFProtect(app)
    migrate(app)
    assert_works(app)


def test_beside_flask_babel(hosts: Hosts) -> None:
    app = hosts.app(BABEL_DEFAULT_LOCALE="it")
    Babel(app)
    plugin().init_app(app, db=hosts.db(app), admin=Admin(app))
    migrate(app)
    assert_works(app)


def test_beside_flask_migrate(hosts: Hosts) -> None:
    app = hosts.app()
    db = hosts.db(app)
    Migrate(app, db, include_object=include_object)
    plugin().init_app(app, db=db, admin=Admin(app))
    migrate(app)
    assert_works(app)
    assert {"db", "massmail"} <= set(app.cli.commands)


def test_under_a_nonce_policy(hosts: Hosts) -> None:
    app = hosts.app()

    @app.before_request
    def draw() -> None:
        g.nonce = "abc123"

    admin = Admin(app, csp_nonce_generator=lambda: g.nonce)
    plugin().init_app(app, db=hosts.db(app), admin=admin)
    migrate(app)
    assert_works(app)
    page = visitor(app).get(ADMIN).text
    ours = re.findall(r"<(?:script|link)[^>]*massmail[^>]*>", page)
    assert ours
    assert all('nonce="abc123"' in tag for tag in ours if "stylesheet" in tag or "<script" in tag)


WITHOUT = """
    import sys

    sys.modules[{module!r}] = None  # as if it were not installed

    from pathlib import Path

    from flask_admin import Admin

    from tests.mounting.conftest import Hosts, migrate, plugin, visitor

    hosts = Hosts(Path(sys.argv[1]))
    app = hosts.app()
    plugin().init_app(app, db=hosts.db(app), admin=Admin(app))
    migrate(app)
    for section in ("", "mailings/", "mailings/new", "templates/new", "criteria/new", "senders/new"):
        answer = visitor(app).get("/admin/massmail/" + section)
        assert answer.status_code == 200, (section, answer.text)
    print("works")
"""


@pytest.mark.parametrize("module", ["flask_babel", "flask_migrate"])
def test_where_it_is_not_installed(tmp_path: Path, module: str) -> None:
    program = textwrap.dedent(WITHOUT.format(module=module))
    command = [sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "works\n", done.stderr
