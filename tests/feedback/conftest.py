"""A host after a mailing went out, within an application context."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.public.mailed_host import MailedHost, mailed_host


@pytest.fixture
def mailed() -> Iterator[MailedHost]:
    app = Flask("mailed")
    made = mailed_host(app)
    with app.app_context():
        yield made
