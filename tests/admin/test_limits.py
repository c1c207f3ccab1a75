"""A contact source limited to what a user may see, through every screen that shows or finds contacts."""

from dataclasses import replace
from typing import Any

import pytest

from massmail_plugin.admin import contact_panel
from massmail_plugin.contracts import ContactRef
from massmail_plugin.models import (
    Campaign,
    Chunk,
    Criterion,
    Enrolment,
    Event,
    Link,
    List,
    Mailing,
    OutboxMessage,
    OutcomeReport,
    Received,
    Sender,
    Subscription,
    SubscriptionEvent,
    Suppression,
    Template,
    TemplateVersion,
)
from tests.admin.conftest import Catalogue

ADMIN = "/admin/massmail/"
SEEN, HIDDEN = "zoe@example.org", "ada@example.org"


@pytest.fixture
def limited(small_host: Catalogue) -> Catalogue:
    """“all” sees everybody, others only Lyon; both contacts are everywhere they can be."""
    host, contact = small_host.host, small_host.contact
    source = host.sources["contact"]
    host.hooks.may = lambda user, act, subject: True

    def sees(user: Any) -> Any:
        return True if user.name == "all" else contact.city == "Lyon"

    host.sources["contact"] = replace(source, limit=sees)  # type: ignore[index]
    _fill(small_host)
    return small_host


def _fill(small_host: Catalogue) -> None:
    host, now = small_host.host, small_host.host.clock()
    session = host.session
    news = List(id=1, name="News", created_at=now)
    sender = Sender(id=1, name="Shop", host="mail.test", from_address="shop@x.test", created_at=now)
    template = Template(id=1, name="Letter", created_at=now, updated_at=now)
    template.versions.append(TemplateVersion(number=1, subject="Hi", html="<p>Hi</p>", text="Hi", saved_at=now))
    session.add_all([news, sender, template, List(id=2, name="Other", created_at=now)])
    session.flush()
    rule = {"all": [{"field": "first_name", "op": "is_not_empty"}]}
    session.add(Criterion(id=1, name="All", contact_source="contact", rule=rule, created_at=now, updated_at=now))
    begun = {"contact_source": "contact", "created_at": now, "launched_at": now}
    session.add(Mailing(id=1, name="Spring", template_id=1, sender_id=1, state="finished", lists=[news], **begun))
    session.add(Mailing(id=2, name="Draft", state="draft", lists=[news], contact_source="contact", created_at=now))
    session.add(Campaign(id=1, name="Series", contact_source="contact", created_at=now))
    session.flush()
    session.add(Link(id=1, mailing_id=1, number=1, target="https://shop.test/"))
    session.add(Chunk(mailing_id=1, number=1, sent=2))
    session.flush()
    for key, address in (("1", SEEN), ("2", HIDDEN)):
        who = {"contact_source": "contact", "contact_key": key}
        session.add_all(
            [Subscription(list_id=1, since=now, **who), SubscriptionEvent(list_id=1, state="on", at=now, **who)]
        )
        session.add(Suppression(scope="list", list_id=2, reason="by_person", created_at=now, **who))
        session.add(Enrolment(campaign_id=1, entered_at=now, **who))
        sent = {"state": "sent", "handed_at": now, "settled_at": now, "address_role": "main", "address": address}
        session.add(OutboxMessage(id=int(key), mailing_id=1, chunk=1, list_id=1, **sent, **who))
        session.flush()
        clicked = {"kind": "click", "link_id": 1, "at": now}
        session.add(Event(message_id=int(key), mailing_id=1, **clicked))
        failed = {"outcome": "sent", "at": now, "due_at": now, "attempts": 1, "problem": "Fault"}
        session.add(OutcomeReport(message_id=int(key), mailing_id=1, **failed, **who))
        came = {"state": "matched", "kind": "bounce", "origin": "file", "origin_id": key, "at": now}
        session.add(Received(id=int(key), message_id=int(key), address=address, **came))
    session.commit()


SCREENS = (
    "criteria/1?count=1",
    "criteria/1/finds",
    "lists/1",
    "lists/1/history",
    "lists/1/export",
    "suppressions/",
    "mailings/1/people/sent",
    "mailings/1/people/clicked",
    "mailings/1/links/1",
    "mailings/1/download/recipients.csv",
    "mailings/2/audience/will_get",
    "campaigns/1/people/active",
    "received/",
    "outcomes/",
)
"""Where both contacts would be shown."""
OF_ONE = (
    "statistics/contacts/contact/{}",
    "mailings/received/{}",
    "received/{}",
    "lists/1/person?contact_source=contact&contact_key={}",
)
"""About one contact, by its key."""


def shown(text: str) -> set[str]:
    """Which of the two a page shows, by address or by name."""
    return {
        name
        for name, signs in {"zoe": (SEEN, "Zoë"), "ada": (HIDDEN, "Ada")}.items()
        if any(one in text for one in signs)
    }


def test_nobody_outside_the_limit_is_shown(limited: Catalogue) -> None:
    sees_all, of_lyon = limited.client("all"), limited.client("of-lyon")
    lacking = [
        address for address in SCREENS if shown(sees_all.get(ADMIN + address, buffered=True).text) != {"zoe", "ada"}
    ]
    telling = [address for address in SCREENS if shown(of_lyon.get(ADMIN + address, buffered=True).text) != {"zoe"}]
    assert (lacking, telling) == ([], [])


def test_a_file_of_suppressions_names_no_hidden_address(limited: Catalogue) -> None:
    session = limited.host.session
    session.add(
        Suppression(address=HIDDEN, scope="list", list_id=2, reason="by_person", created_at=limited.host.clock())
    )
    session.commit()
    export = f"{ADMIN}suppressions/export"
    files = {name: limited.client(name).get(export, buffered=True).text for name in ("all", "of-lyon")}
    assert HIDDEN in files["all"]
    assert HIDDEN not in files["of-lyon"]
    assert ",contact,1," in files["of-lyon"]


def test_pages_about_one_contact_are_not_there(limited: Catalogue) -> None:
    sees_all, of_lyon = limited.client("all"), limited.client("of-lyon")
    for address in OF_ONE:
        assert sees_all.get(ADMIN + address.format(2)).status_code == 200, address
        assert of_lyon.get(ADMIN + address.format(1)).status_code == 200, address
        hidden = of_lyon.get(ADMIN + address.format(2))
        assert (hidden.status_code, shown(hidden.text)) == (404, set()), address


def test_a_search_finds_nobody_outside(limited: Catalogue) -> None:
    for address in (
        "suppressions/?q=ada",
        "lists/1?q=ada",
        "templates/1?q=Ada&contact=2",
        "mailings/2/why?q=ada",
    ):
        answer = limited.client("of-lyon").get(ADMIN + address)
        assert answer.status_code == 200, address
        assert HIDDEN not in answer.text, address


def test_the_record_in_the_page_of_the_host(limited: Catalogue) -> None:
    host = limited.host
    limited.app.add_url_rule("/record/<key>", "record", lambda key: contact_panel(host, ContactRef("contact", key)))
    assert "Spring" in limited.client("of-lyon").get("/record/1").text
    assert limited.client("of-lyon").get("/record/2").text == ""
    assert "Spring" in limited.client("all").get("/record/2").text
