"""The panel on the host's page of a contact: what it got and did, what it agreed to, and who may see that."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import render_template_string

from massmail_plugin import campaigns, consent
from massmail_plugin.admin import contact_of, contact_panel
from massmail_plugin.consent.proof import Proof
from massmail_plugin.contracts import ContactRef
from massmail_plugin.errors import SetupError
from massmail_plugin.models import OutboxMessage
from massmail_plugin.outcomes import NewEvent, keep_events
from massmail_plugin.vocabulary import ConsentWay, EventKind, MailingKind, MessageState
from tests.admin import mailing_rows as make
from tests.admin.conftest import Catalogue, faults

PAGE = (
    '<!doctype html><html lang="en"><title>A contact</title><meta name="viewport" content="width=device-width">'
    "<main><h1>A contact</h1><h2>Mailings</h2>{{ panel }}</main></html>"
)
ZOE = ContactRef("contact", "1")


@pytest.fixture
def host_page(small_host: Catalogue) -> Catalogue:
    """The small host with a page of its own that shows the panel, twice on /twice."""
    app, host = small_host.app, small_host.host

    @app.get("/contacts/<key>")
    def contact(key: str) -> str:
        return render_template_string(PAGE, panel=contact_panel(host, ContactRef("contact", key)))

    @app.get("/twice")
    def twice() -> str:
        return render_template_string(PAGE, panel=contact_panel(host, ZOE) + contact_panel(host, ZOE))

    return small_host


def busy(built: Catalogue) -> None:
    """Zoë got two mails, read and clicked one, opted out through it."""
    mailing = make.running(built, "<i>Spring</i>", people=1)
    make.settle(built, mailing, [MessageState.SENT] * 3)
    row = next(row for row in make.rows(built, mailing) if row.contact_key == "1")
    make.respond(built, row, EventKind.OPEN)
    make.respond(built, row, EventKind.CLICK)
    make.respond(built, row, EventKind.OPT_OUT)
    consent.withdraw(
        built.host, ZOE, list_ids=None, proof=Proof(ConsentWay.PAGE, evidence="a link in “Spring”", message_id=row.id)
    )
    built.host.session.commit()


def test_an_empty_panel_says_so(host_page: Catalogue) -> None:
    page = host_page.client().get("/contacts/1").text
    assert "No mail has been sent to this contact yet." in page
    assert "This contact is on no list." in page


def test_it_shows_mails_clicks_lists_and_opt_outs(host_page: Catalogue) -> None:
    busy(host_page)
    page = host_page.client().get("/contacts/1").text
    assert "&lt;i&gt;Spring&lt;/i&gt;" in page
    assert "22 Nov 2026, 11:57 UTC" in page, "sent"
    assert page.count("22 Nov 2026, 11:59 UTC") == 3, "read, clicked, opted out"
    assert "see our spring seeds" in page
    assert "Unsubscribed since" in page
    assert "gets no mailing since" in page
    assert "Ada" not in page


def test_it_shows_campaigns_and_what_comes_next(host_page: Catalogue) -> None:
    list_, sender = make.add_list(host_page), make.add_sender(host_page)
    campaign = campaigns.create(
        host_page.host, name="Welcome", source_name="contact", by="all", list_ids=[list_.id], sender_id=sender.id
    )
    campaigns.add_step(host_page.host, campaign, day=7, template_id=make.add_template(host_page).id)
    campaigns.activate(host_page.host, campaign, by="all", include_present=True)
    host_page.host.session.commit()
    page = host_page.client().get("/contacts/1").text
    assert "Welcome" in page
    assert "next: Spring letter, " in page


def test_tests_are_left_out(host_page: Catalogue) -> None:
    mailing = make.running(host_page, people=0)
    assert "Spring mailing" in host_page.client().get("/contacts/1").text
    mailing.kind = MailingKind.TEST.value
    host_page.host.session.commit()
    assert "No mail has been sent" in host_page.client().get("/contacts/1").text


@pytest.mark.parametrize("name", ["nobody", ""])
def test_others_see_nothing(host_page: Catalogue, name: str) -> None:
    busy(host_page)
    page = host_page.client(name).get("/contacts/1").text
    assert "massmail" not in page


def test_the_style_comes_once(host_page: Catalogue) -> None:
    assert host_page.client().get("/twice").text.count("contact_panel.css") == 1


@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_clean_in_the_hosts_page(host_page: Catalogue, open_page: Callable[..., Any], width: int) -> None:
    busy(host_page)
    page = open_page(host_page, width=width)
    page.goto("/contacts/1")
    assert faults(page) == []
    assert page.troubles == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_says_what_bounced_and_which_lists_were_left_when(host_page: Catalogue) -> None:
    mailing = make.running(host_page, people=0)
    make.settle(host_page, mailing, [MessageState.SENT] * 2)
    row = next(row for row in make.rows(host_page, mailing) if row.contact_key == "1")
    at = host_page.host.clock()
    bounce = NewEvent(message_id=row.id, kind=EventKind.BOUNCE, at=at, detail="550 5.1.1 no such user <i>zoe</i>")
    keep_events(host_page.host, [bounce, NewEvent(message_id=row.id, kind=EventKind.REPLY, at=at)])
    list_ids = [list_.id for list_ in mailing.lists]
    consent.withdraw(
        host_page.host,
        ZOE,
        list_ids=list_ids,
        proof=Proof(ConsentWay.PAGE, evidence="the opt-out page", message_id=row.id),
    )
    host_page.host.session.commit()
    page = host_page.client().get("/contacts/1").text
    assert "no such user &lt;i&gt;zoe&lt;/i&gt;" in page
    assert "Answered" in page
    left = page.partition("<h3>History of the lists</h3>")[2]
    for words in ("Newsletter", "Unsubscribed", "22 Nov 2026, 12:00 UTC", "the opt-out page", "Chose it on a page"):
        assert words in left


@pytest.mark.parametrize(("channel", "words"), [("sms", "Text message"), ("fax", "Fax")])
def test_messages_and_faxes_stand_beside_mails(host_page: Catalogue, channel: str, words: str) -> None:
    mailing = make.running(host_page, people=0)
    make.settle(host_page, mailing, [MessageState.SENT] * 2, channel=channel)
    page = host_page.client().get("/contacts/1").text
    assert f"<small>{words}</small>" in page
    assert "What was sent" not in page


def test_more_than_twenty_mails_lead_to_the_whole_record(host_page: Catalogue) -> None:
    mailing = make.running(host_page, people=0)
    row = make.rows(host_page, mailing)[0]
    columns = ("mailing_id", "chunk", "contact_source", "contact_key", "address_role", "address", "state")
    values = {name: getattr(row, name) for name in columns}
    host_page.host.session.add_all(OutboxMessage(**values, occurrence=number) for number in range(1, 45))
    host_page.host.session.commit()
    client, url = host_page.client(), f"/admin/massmail/statistics/contacts/contact/{row.contact_key}"
    assert url in client.get(f"/contacts/{row.contact_key}").text
    seen, pages = 0, 0
    while url:
        page = client.get(url).text
        seen, pages = seen + page.count('<td data-label="Mailing">'), pages + 1
        older = re.search(r'href="([^"]+before=[0-9]+)">Older mails', page)
        url = older[1] if older else ""
    assert (seen, pages) == (45, 3)


def test_a_contact_is_known_by_its_row(small_host: Catalogue) -> None:
    zoe = small_host.host.session.get_one(small_host.contact, 1)
    assert contact_of(small_host.host, zoe) == ZOE
    with pytest.raises(SetupError, match=r"takes a contact \(Contact\), not str"):
        contact_of(small_host.host, "Zoë")
