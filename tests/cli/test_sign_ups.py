"""`flask massmail sign-up`: what it shows, and asking once more."""

import csv
import io
from datetime import timedelta

import pytest

from massmail_plugin.models import List, OutboxMessage, SignUp
from massmail_plugin.vocabulary import SignUpState
from tests.cli.conftest import Terminal


@pytest.fixture
def signed(terminal: Terminal) -> Terminal:
    """Somebody waits and somebody confirmed."""
    host = terminal.host
    list_ = host.session.get_one(List, terminal.world.list_id)
    list_.name, list_.sign_up = "News", True
    now = host.clock()
    host.session.add_all(
        SignUp(list_id=list_.id, address=f"{state}@example.org", state=state.value, created_at=now, times_asked=1)
        for state in SignUpState
    )
    host.session.commit()
    return terminal


def test_who_signed_up(signed: Terminal) -> None:
    rows = signed.json("sign-up", "list", "News")
    assert [row["state"] for row in rows] == ["expired", "confirmed", "waiting"]
    assert "waiting@example.org" in signed.run("sign-up", "list", "News", "--state", "waiting")
    assert "Did you mean “News”?" in signed.run("sign-up", "list", "Newz", code=1)


def test_all_as_a_file(signed: Terminal) -> None:
    rows = list(csv.DictReader(io.StringIO(signed.run("sign-up", "export", "News").removeprefix("\ufeff"))))
    assert [row["address"].partition("@")[0] for row in rows] == ["waiting", "confirmed", "expired"]


def test_the_form_for_a_web_site(signed: Terminal) -> None:
    said = signed.run("sign-up", "form", "News")
    address = said.splitlines()[0]
    assert f'<form action="{address}?lang=' in said
    assert "do not speak" in signed.run("sign-up", "form", "News", "--lang", "xx", code=1)
    signed.host.session.query(List).update({"sign_up": False})
    signed.host.session.commit()
    assert "its form is closed" in signed.run("sign-up", "form", "News")


def test_asking_once_more(signed: Terminal) -> None:
    waiting, confirmed = signed.host.session.query(SignUp).order_by(SignUp.id).limit(2)
    assert "is asked once more" in signed.run("sign-up", "ask", str(waiting.id))
    assert signed.host.session.query(OutboxMessage.address).all() == [("waiting@example.org",)]
    assert "does not wait" in signed.run("sign-up", "ask", str(confirmed.id), code=1)
    assert "There is no sign-up" in signed.run("sign-up", "ask", "4711", code=1)
    waiting.created_at -= timedelta(days=20)
    signed.host.session.commit()
    assert "does not wait" in signed.run("sign-up", "ask", str(waiting.id), code=1)
