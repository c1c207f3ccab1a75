"""A host after a mailing went out, within an application context, on each database."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.public.mailed_host import MailedHost, mailed_host


@pytest.fixture(params=["sqlite", "postgresql"])
def mailed(request: pytest.FixtureRequest) -> Iterator[MailedHost]:
    app = Flask("mailed")
    if request.param == "postgresql":
        app.config["SQLALCHEMY_DATABASE_URI"] = request.getfixturevalue("postgres_url_with_tables")
    made = mailed_host(app)
    with app.app_context():
        yield made
        made.host.session.remove()
        made.host.db.engine.dispose()
