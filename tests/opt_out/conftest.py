"""A host after a mailing went out, within an application context, on each database."""

from collections.abc import Iterator

import pytest
from flask import Flask

from massmail_plugin import opt_out
from massmail_plugin.consent.wishes.opt_outs import Wide, opted_out_of
from massmail_plugin.contracts import ContactRef
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


def state_of(mailed: MailedHost, message_id: int, language: str = "en") -> opt_out.PageState:
    return opt_out.page_state(mailed.host, message_id, language)


def opted_out(mailed: MailedHost, who: ContactRef) -> bool:
    return opted_out_of(mailed.host, who, Wide())
