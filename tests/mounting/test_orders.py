"""Object now and app later, several applications in one process, an Admin that is ready, not ready, or not there."""

from typing import Any

import pytest
from flask import Flask
from flask_admin import Admin
from sqlalchemy import select

from massmail_plugin import MassMail, SetupError
from massmail_plugin.contracts import Host
from massmail_plugin.models import List
from tests.mounting.conftest import ADMIN, Hosts, Member, migrate, plugin, visitor


def open_overview(app: Flask, path: str = ADMIN) -> str:
    migrate(app)
    answer = visitor(app).get(path)
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def test_object_first_application_later(hosts: Hosts) -> None:
    massmail = plugin()
    app = hosts.app()
    massmail.init_app(app, db=hosts.db(app), admin=Admin(app, name="Members"))
    assert "Mailing" in open_overview(app)


def test_an_admin_that_gets_its_application_later(hosts: Hosts) -> None:
    app, admin = hosts.app(), Admin(name="Members")
    plugin().init_app(app, db=hosts.db(app), admin=admin)
    admin.init_app(app)
    assert "Mailing" in open_overview(app)


def test_without_naming_the_admin_the_hosts_own_is_taken(hosts: Hosts) -> None:
    app = hosts.app()
    Admin(app, name="Members")
    plugin().init_app(app, db=hosts.db(app))
    assert "Members" in open_overview(app)


def test_a_host_without_flask_admin_gets_one_for_the_plugin(hosts: Hosts) -> None:
    app = hosts.app()
    plugin().init_app(app, db=hosts.db(app))
    assert "Mailing" in open_overview(app, "/massmail-admin/massmail/")
    assert app.test_client().get("/admin/").status_code == 404


def test_two_applications_in_one_process_keep_to_their_own_database(hosts: Hosts) -> None:
    massmail, apps = plugin(), []
    for name in ("one", "two"):
        app = hosts.app()
        db = hosts.db(app)
        massmail.init_app(app, db=db, admin=Admin(app))
        migrate(app)
        apps.append(app)
        with app.app_context():
            db.session.add(Member(email=f"{name}@x.example", name=name))
            db.session.commit()
        answer = visitor(app).post(f"{ADMIN}lists/new", data={"name": f"List of {name}", "csrf_token": token(app)})
        assert answer.status_code == 400, "a token of another session counts for nobody"
        make_list(app, f"List of {name}")
    for app, name in zip(apps, ("one", "two"), strict=True):
        with app.app_context():
            host: Host = app.extensions["massmail"]
            assert host.session.scalars(select(List.name)).all() == [f"List of {name}"]
        text = visitor(app).get(f"{ADMIN}lists/1/add?q=@x.example").text
        assert f"{name}@x.example" in text
        assert {"one": "two", "two": "one"}[name] + "@x.example" not in text


def token(app: Flask, client: Any = None) -> str:
    page = (client or visitor(app)).get(f"{ADMIN}lists/new").text
    return str(page.split('name="csrf_token" value="')[1].split('"')[0])


def make_list(app: Flask, name: str) -> None:
    client = visitor(app)
    answer = client.post(f"{ADMIN}lists/new", data={"name": name, "active": "y", "csrf_token": token(app, client)})
    assert answer.status_code == 302, answer.text


def test_a_second_registration_is_refused(hosts: Hosts) -> None:
    app = hosts.app()
    db = hosts.db(app)
    massmail: MassMail = plugin()
    massmail.init_app(app, db=db, admin=Admin(app))
    for again in (massmail, plugin()):
        with pytest.raises(SetupError, match="already mounted on this application"):
            again.init_app(app, db=db)


def test_closed_while_no_permission_hook_is_set(hosts: Hosts) -> None:
    app = hosts.app()
    plugin(permission=False).init_app(app, db=hosts.db(app), admin=Admin(app))
    migrate(app)
    answer = visitor(app).get(ADMIN)
    assert answer.status_code == 403
    assert "massmail.may" in answer.text
    assert 'href="/admin/massmail' not in visitor(app).get("/admin/").text


def test_who_is_not_signed_in_is_told_so_where_the_host_has_no_login_page(hosts: Hosts) -> None:
    app = hosts.app()
    plugin().init_app(app, db=hosts.db(app), admin=Admin(app))
    assert visitor(app, "").get(ADMIN).status_code == 401
    assert visitor(app, "somebody").get(ADMIN).status_code == 403
