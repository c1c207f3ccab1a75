"""Templates: saving refuses what cannot work, at its place; preview, picker, copy, delete, test mail."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from massmail_plugin.mailings import library
from massmail_plugin.models import Mailing, OutboxMessage, Sender, Template, Topic
from tests.admin.conftest import NOON, Catalogue, faults, form_of

TEMPLATES = "/admin/massmail/templates/"
HTML = (
    '<style>.big{font-size:30px}</style><p class="big" style="color:#0b665c">Dear {{ contact.first_name }}</p>'
    '<script>parent.document.title = "taken over"</script><p><a href="{{ unsubscribe_url }}">Unsubscribe</a></p>'
)


@pytest.fixture
def template(small_host: Catalogue) -> Template:
    topic = Topic(name="Catalogue")
    small_host.host.session.add(topic)
    small_host.host.session.flush()
    draft = library.TemplateDraft(name="Autumn", subject="For {{ contact.first_name }}", html=HTML, topic_id=topic.id)
    made = library.save(small_host.host, None, draft, by="ada")
    small_host.host.session.commit()
    return made


@pytest.fixture
def sender(small_host: Catalogue) -> Sender:
    made = Sender(name="News", host="127.0.0.1", from_address="news@example.org", created_at=NOON)
    small_host.host.session.add(made)
    small_host.host.session.commit()
    return made


def posted(client: Any, address: str, **values: str) -> Any:
    """The form at `address`, sent with `values` in place of what stands in it."""
    page = client.get(address).text
    old = dict(re.findall(r'<input[^>]*\bname="(\w+)"[^>]*\bvalue="([^"]*)"', page))
    filled = {**old, "format": "html", **form_of(page), **values}
    return client.post(address, data=filled)


def test_an_empty_list_offers_the_first_step(small_host: Catalogue) -> None:
    assert "Write the first template" in small_host.client().get(TEMPLATES).text


def test_every_save_is_a_version(small_host: Catalogue, template: Template) -> None:
    answer = posted(
        small_host.client(), f"{TEMPLATES}{template.id}/edit", subject="New {{ contact.city }}", html="<p>Hi</p>"
    )
    assert answer.status_code == 302
    small_host.host.session.expire_all()
    assert [(v.number, v.subject) for v in template.versions] == [
        (1, "For {{ contact.first_name }}"),
        (2, "New {{ contact.city }}"),
    ]
    assert template.versions[1].saved_by == "all"


def test_an_unknown_name_is_refused_at_its_place(small_host: Catalogue) -> None:
    answer = posted(
        small_host.client(), f"{TEMPLATES}new", name="One", subject="Hello", html="<p>\n{{ contact.frist_name }}</p>"
    )
    assert answer.status_code == 422
    assert "Line 2, column" in answer.text
    assert "first_name" in answer.text
    assert small_host.host.session.scalar(select(Template)) is None
    assert "contact.frist_name" in answer.text, "what was written is still there"


def test_a_save_over_somebody_elses_is_refused(small_host: Catalogue, template: Template) -> None:
    answer = posted(small_host.client(), f"{TEMPLATES}{template.id}/edit", html="<p>x</p>", based_on="0")
    assert answer.status_code == 422
    assert "ada saved version 1 while you were writing" in answer.text


def test_overrides_of_statuses_are_kept_and_unknown_ones_refused(small_host: Catalogue, template: Template) -> None:
    address = f"{TEMPLATES}{template.id}/edit"
    posted(
        small_host.client(), address, html="<p>x</p>", **{"status-sent": "status:interested", "status-read": "leave"}
    )
    small_host.host.session.expire_all()
    assert template.statuses == {"sent": "interested", "read": None}
    answer = posted(small_host.client(), address, html="<p>x</p>", **{"status-sent": "status:gone"})
    assert answer.status_code == 409
    assert "gone" in answer.text


def test_copy_makes_another(small_host: Catalogue, template: Template) -> None:
    client = small_host.client()
    token = form_of(client.get(TEMPLATES).text)
    client.post(f"{TEMPLATES}{template.id}/copy", data=token)
    client.post(f"{TEMPLATES}{template.id}/copy", data=token)
    names = small_host.host.session.scalars(select(Template.name).order_by(Template.name)).all()
    assert names == ["Autumn", "Copy of Autumn", "Copy of Autumn (2)"]


def test_delete_says_who_needs_it(small_host: Catalogue, template: Template) -> None:
    mailing = Mailing(name="Winter fair", contact_source="contact", created_at=NOON, template=template)
    small_host.host.session.add(mailing)
    small_host.host.session.commit()
    client = small_host.client()
    address = f"{TEMPLATES}{template.id}/delete"
    asked = client.get(address).text
    assert "the mailing “Winter fair”" in asked
    assert "Delete template</button>" not in asked
    assert client.post(address, data=form_of(asked)).status_code == 409
    mailing.kind = "test"
    small_host.host.session.commit()
    assert client.post(address, data=form_of(asked)).status_code == 302
    assert small_host.host.session.scalar(select(Template)) is None


def test_changes_need_a_post_with_a_token_and_the_right(small_host: Catalogue, template: Template) -> None:
    copy = f"{TEMPLATES}{template.id}/copy"
    assert small_host.client().get(copy).status_code == 405
    assert small_host.client().post(copy).status_code == 400
    assert small_host.client("nobody").post(copy).status_code == 403


@pytest.mark.parametrize("protect", [True, False])
def test_forms_work_with_and_without_the_hosts_protection(make_host: Callable[..., Catalogue], protect: bool) -> None:
    client = make_host(f"protect-{protect}", protect=protect).client()
    assert client.post(f"{TEMPLATES}new", data={"name": "One"}).status_code == 400
    assert posted(client, f"{TEMPLATES}new", name="One", subject="Hi", html="<p>x</p>").status_code == 302


def test_preview_shows_the_mail_as_a_contact(
    small_host: Catalogue, template: Template, open_page: Callable[..., Any]
) -> None:
    page = open_page(small_host)
    page.goto(f"{TEMPLATES}{template.id}?q=Zo")
    page.get_by_text("For Zoë", exact=True).wait_for()
    inside = page.frame_locator("iframe")
    words = inside.get_by_text("Dear Zoë")
    assert words.evaluate("e => getComputedStyle(e).color") == "rgb(11, 102, 92)", (
        "style attributes live under the policy"
    )
    assert words.evaluate("e => getComputedStyle(e).fontSize") == "30px"
    assert "taken over" not in page.title(), "scripts of a template never run"
    page.get_by_role("link", name="Text", exact=True).click()
    page.get_by_text("Dear Zoë").wait_for()
    page.get_by_role("link", name="Headers").click()
    page.get_by_text("List-Unsubscribe:").wait_for()


def test_a_contacts_name_stays_text(small_host: Catalogue) -> None:
    draft = library.TemplateDraft(
        name="Names", subject="{{ contact.last_name }}", html="<p>{{ contact.last_name }}</p>"
    )
    made = library.save(small_host.host, None, draft, by="ada")
    small_host.host.session.commit()
    page = small_host.client().get(f"{TEMPLATES}{made.id}?q=Ada").text
    assert "<b>Bold</b>" not in page
    assert "&lt;b&gt;Bold&lt;/b&gt;" in page


def test_a_field_is_picked_with_the_keyboard(small_host: Catalogue, open_page: Callable[..., Any]) -> None:
    page = open_page(small_host)
    page.goto(f"{TEMPLATES}new")
    subject = page.get_by_label("Subject", exact=True)
    subject.fill("Dear , hello")
    subject.evaluate("e => e.setSelectionRange(5, 5)")
    page.get_by_role("button", name="Insert field into the subject").press("Enter")
    page.keyboard.type("first")
    page.get_by_label("If a contact has none").fill("customer")
    page.keyboard.press("Enter")
    assert subject.input_value() == 'Dear {{ contact.first_name | default: "customer" }}, hello'
    assert page.evaluate("document.activeElement.id") == "subject"
    assert page.troubles == []


def test_delete_asks_in_a_dialog_or_on_a_page(
    small_host: Catalogue, template: Template, open_page: Callable[..., Any]
) -> None:
    page = open_page(small_host)
    page.goto(TEMPLATES)
    page.get_by_role("link", name="Delete Autumn").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete template").wait_for()
    assert faults(page) == []
    page.get_by_role("link", name="Cancel").click()
    assert page.get_by_role("dialog").count() == 0
    plain = open_page(small_host, scripts=False)
    plain.goto(TEMPLATES)
    plain.get_by_role("link", name="Delete Autumn").click()
    plain.get_by_role("button", name="Delete template").click()
    plain.get_by_text("The template “Autumn” was deleted.").wait_for()


def test_a_test_mail_goes_out_and_its_answers_appear(
    small_host: Catalogue, template: Template, sender: Sender, open_page: Callable[..., Any]
) -> None:
    page = open_page(small_host)
    page.goto(f"{TEMPLATES}{template.id}")
    page.get_by_role("link", name="Send a test").click()
    page.get_by_label("Send to").fill("me@example.org, you@example.org")
    page.get_by_label("Through").select_option(label="News")
    page.get_by_role("button", name="Send test").click()
    page.get_by_role("cell", name="me@example.org").wait_for()
    assert "send" in small_host.woken
    rows = small_host.host.session.scalars(select(OutboxMessage)).all()
    assert [row.address for row in rows] == ["me@example.org", "you@example.org"]
    for row in rows:
        row.state, row.reply_code, row.reply_text = "refused", 550, "5.1.1 <script>no</script>"
    small_host.host.session.commit()
    page.get_by_text("Every address has its answer.").wait_for()
    assert page.locator("#tested[hx-get]").count() == 0, "nothing asks again once all is final"
    assert page.get_by_text("550 5.1.1 <script>no</script>").count() == 2


def test_a_test_without_address_says_so(small_host: Catalogue, template: Template, sender: Sender) -> None:
    client = small_host.client()
    address = f"{TEMPLATES}{template.id}/test"
    answer = client.post(address, data={**form_of(client.get(address).text), "addresses": "not an address"})
    assert answer.status_code == 422
    assert "No test was sent" in answer.text
    assert small_host.host.session.scalar(select(Mailing)) is None


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(
    "path", ["", "new", "{id}", "{id}?view=phone", "{id}?view=source", "{id}/edit", "{id}/test", "{id}/delete"]
)
def test_screens_are_clean(
    small_host: Catalogue, template: Template, open_page: Callable[..., Any], path: str, width: int
) -> None:
    page = open_page(small_host, width=width)
    page.goto(TEMPLATES + path.format(id=template.id))
    assert faults(page) == []
    assert [t for t in page.troubles if "sandboxed" not in t and "script-src" not in t] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
