"""The screens of mailboxes: set up, tried out, deleted; the stored password never comes back out."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from massmail_plugin.feedback import mailboxes
from massmail_plugin.feedback.mailboxes import MailboxDraft
from massmail_plugin.models import Mailbox
from tests.admin.conftest import Catalogue, faults, form_of

MAILBOXES = "/admin/massmail/mailboxes/"
PASSWORD = "a-secret-word-of-this-test"
ENTERED = {
    "name": "Bounces",
    "kind": "imap",
    "host": "127.0.0.1",
    "port": "9",
    "security": "none",
    "username": "bounces",
    "secret": PASSWORD,
    "folder": "INBOX",
    "after": "delete",
    "active": "y",
}


@pytest.fixture
def mailbox(small_host: Catalogue) -> Mailbox:
    """One that cannot be reached."""
    draft = MailboxDraft(name="Bounces", host="127.0.0.1", port=9, username="bounces", secret=PASSWORD, security="none")
    made = mailboxes.save(small_host.host, None, draft)
    made.fault = "127.0.0.1, port 9: Connection refused <b>now</b>"
    small_host.host.session.commit()
    return made


def test_a_mailbox_is_set_up_and_its_password_stays_inside(small_host: Catalogue) -> None:
    client = small_host.client()
    token = form_of(client.get(MAILBOXES + "new").text)
    answer = client.post(MAILBOXES + "new", data={**ENTERED, **token}, follow_redirects=True)
    assert "The mailbox “Bounces” was saved." in answer.text
    row = small_host.host.session.scalars(select(Mailbox)).one()
    assert (row.secret, row.after, row.shared, row.active) == (PASSWORD, "delete", False, True)
    for page in ("", f"{row.id}", f"{row.id}/edit"):
        assert PASSWORD not in client.get(MAILBOXES + page).text


def test_what_is_wrong_stands_at_its_field_and_the_password_is_not_repeated(small_host: Catalogue) -> None:
    client = small_host.client()
    token = form_of(client.get(MAILBOXES + "new").text)
    answer = client.post(MAILBOXES + "new", data={**ENTERED, **token, "after": "move"})
    assert answer.status_code == 422
    assert "Enter the folder they are moved to." in answer.text
    assert PASSWORD not in answer.text
    answer = client.post(MAILBOXES + "new", data={**ENTERED, **token, "port": "x"})
    assert "Enter a whole number" in answer.text


def test_an_empty_password_keeps_the_stored_one(small_host: Catalogue, mailbox: Mailbox) -> None:
    client, mailbox_id = small_host.client(), mailbox.id
    token = form_of(client.get(f"{MAILBOXES}{mailbox_id}/edit").text)
    answer = client.post(f"{MAILBOXES}{mailbox_id}/edit", data={**ENTERED, **token, "secret": "", "shared": "y"})
    assert answer.status_code == 302
    small_host.host.session.expire_all()
    row = small_host.host.session.get_one(Mailbox, mailbox_id)
    assert (row.secret, row.shared, row.fault) == (PASSWORD, True, "")


def test_a_password_whose_key_is_lost_is_entered_anew(small_host: Catalogue, mailbox: Mailbox) -> None:
    mailbox_id, session = mailbox.id, small_host.host.session
    session.connection().exec_driver_sql("UPDATE massmail_mailbox SET secret = 'nonsense'")
    session.commit()
    client = small_host.client()
    page = client.get(f"{MAILBOXES}{mailbox_id}/edit").text
    assert "One is stored and never shown." in page
    answer = client.post(f"{MAILBOXES}{mailbox_id}/edit", data={**ENTERED, **form_of(page)})
    assert answer.status_code == 302
    session.expire_all()
    assert session.get_one(Mailbox, mailbox_id).secret == PASSWORD


def test_the_test_says_which_step_failed(small_host: Catalogue, mailbox: Mailbox) -> None:
    client, mailbox_id = small_host.client(), mailbox.id
    token = form_of(client.get(f"{MAILBOXES}{mailbox_id}").text)
    answer = client.post(f"{MAILBOXES}{mailbox_id}/test", data=token)
    assert "The test failed." in answer.text
    assert re.search(r"mm-bad\"><strong>Connect</strong>", answer.text)
    assert "<b>now</b>" not in answer.text


def test_deleting_is_asked_and_done(small_host: Catalogue, mailbox: Mailbox) -> None:
    client, mailbox_id = small_host.client(), mailbox.id
    question = client.get(f"{MAILBOXES}{mailbox_id}/delete").text
    assert "What was read from it stays." in question
    client.post(f"{MAILBOXES}{mailbox_id}/delete", data=form_of(question))
    assert small_host.host.session.scalars(select(Mailbox)).all() == []


@pytest.mark.parametrize("place", ["", "new", "1", "1/edit", "1/delete"])
def test_only_who_manages_senders_may(small_host: Catalogue, mailbox: Mailbox, place: str) -> None:
    assert small_host.client("writer").get(MAILBOXES + place).status_code == 403
    assert small_host.client("").get(MAILBOXES + place).status_code in (302, 401)


def test_maildirs_are_offered_only_below_a_root(make_host: Callable[..., Catalogue]) -> None:
    assert "Maildir" not in make_host("without").client().get(MAILBOXES + "new").text
    assert "Maildir" in make_host("with", MASSMAIL_MAILDIR_ROOT="/var/mail").client().get(MAILBOXES + "new").text


@pytest.mark.parametrize("width", [1280, 390])
def test_every_screen_in_a_browser(
    small_host: Catalogue, mailbox: Mailbox, open_page: Callable[..., Page], width: int
) -> None:
    page = open_page(small_host, width=width)
    for name in ("", "new", f"{mailbox.id}", f"{mailbox.id}/edit", f"{mailbox.id}/delete"):
        page.goto(MAILBOXES + name)
        assert faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.troubles == []  # type: ignore[attr-defined]


def test_an_empty_list_says_whose_bounces_nobody_reads(small_host: Catalogue, open_page: Callable[..., Page]) -> None:
    page = open_page(small_host)
    page.goto(MAILBOXES)
    expect(page.get_by_role("heading", name="No mailbox yet")).to_be_visible()
    assert faults(page) == []
