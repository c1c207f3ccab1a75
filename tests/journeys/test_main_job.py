"""The main job as people do it, in a real Chromium against real processes: from the empty template to the opt-out."""

import re
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from sample_host.crm.models import Contact, db
from sample_host.running import Running

pytestmark = pytest.mark.xdist_group("demo")

TOWN = "Växjö"
MAILING, TEMPLATE, LIST, CRITERION = "Kiln opening", "Kiln letter", "Kiln friends", "Businesses of ours"
SHOP = "https://shop.example/kiln"
SECONDS = 45_000


@dataclass
class Walk:
    """One person's way through the pages; remembers the errors that the browser's console showed."""

    page: Page
    address: str
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda said: self._heard(said.type, said.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _heard(self, kind: str, text: str) -> None:
        # A form that is refused answers 422, which the console calls a resource that failed to load.
        if kind == "error" and "422" not in text:
            self.errors.append(text)

    def go(self, path: str) -> None:
        self.page.goto(self.address + path)

    def menu(self, entry: str) -> None:
        """By the menu, as people do, who wait until the page is there."""
        self.page.wait_for_load_state()
        self.page.get_by_role("link", name="Mailing", exact=True).or_(
            self.page.get_by_role("button", name="Mailing", exact=True)
        ).first.click()
        self.page.get_by_role("link", name=entry, exact=True).first.click()
        self.heading(entry)

    def heading(self, words: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_role("heading", level=1, name=words)).to_be_visible()

    def press(self, name: str | re.Pattern[str]) -> None:
        self.page.get_by_role("button", name=name, exact=isinstance(name, str)).click()

    def follow(self, name: str | re.Pattern[str]) -> None:
        self.page.get_by_role("link", name=name, exact=isinstance(name, str)).click()

    def fill(self, label: str | re.Pattern[str], value: str) -> None:
        self.page.get_by_label(label).fill(value)

    def reads(self, words: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_text(words).first).to_be_visible(timeout=SECONDS)


@pytest.fixture
def walk(visitor: BrowserContext, demo: Running) -> Walk:
    return Walk(visitor.new_page(), demo.address)


@dataclass(frozen=True)
class Guest:
    """A contact of the town."""

    contact_id: int
    name: str
    first_name: str
    address: str


def guests(app: Flask) -> list[Guest]:
    """Those of the town who can be written to: businesses only, with an address that nobody else has."""
    with app.app_context():
        query = select(Contact).where(
            Contact.city == TOWN,
            Contact.type == "Business",
            Contact.active,
            ~Contact.do_not_mail,
            Contact.email1.is_not(None),
            Contact.first_name != "",
        )
        found = [
            Guest(c.id, c.full_name, c.first_name, c.email1) for c in db.session.scalars(query.order_by(Contact.id))
        ]
    return list({guest.address.lower(): guest for guest in found}.values())


def consumers(app: Flask) -> list[str]:
    """Addresses in the town that the criterion leaves out."""
    with app.app_context():
        query = select(Contact.email1).where(
            Contact.city == TOWN, Contact.type == "Consumer", Contact.email1.is_not(None)
        )
        return [address for address in db.session.scalars(query.limit(5)) if address]


def test_from_the_template_to_the_opt_out(walk: Walk, visitor: BrowserContext, demo: Running, tmp_path: Path) -> None:
    people = guests(demo.app)
    assert 8 <= len(people) <= 40
    reader = people[0]
    sign_in(walk)
    write_template(walk)
    make_list(walk, [*(guest.address for guest in people), *consumers(demo.app), "nobody@example.org"], tmp_path)
    make_criterion(walk)
    make_mailing(walk, len(people))
    preview(walk, reader)
    send_test(walk, reader)
    send(walk, len(people))
    status_of(walk, reader, "Mail sent")
    open_and_click(walk, visitor, reader)
    status_of(walk, reader, "Interested")
    assert_counted(walk, len(people), read=1, clicked=1)
    opt_out(walk, visitor, reader)
    status_of(walk, reader, "Removed")
    assert_off_the_list(walk, reader, len(people))
    assert walk.errors == []


def test_marketing_prepares_what_operations_may_send(walk: Walk, demo: Running) -> None:
    sign_in(walk, "marketing")
    walk.menu("Mailings")
    walk.follow("New mailing")
    walk.page.get_by_label("Name", exact=True).fill("Prepared by marketing")
    walk.press("Make the draft")
    walk.page.get_by_label("Template", exact=True).select_option(label="Workshop hours")
    walk.press("Save and go on to Recipients")
    walk.page.get_by_role("checkbox", name=re.compile("^Trade prices ")).check()
    walk.press("Save and go on to Sender & schedule")
    walk.press("Save and go on to Check")
    walk.follow("Go on to Send")
    walk.reads("You cannot send this yourself")
    expect(walk.page.get_by_role("link", name=re.compile("^Send to "))).to_have_count(0)
    refused = walk.page.goto(walk.page.url.replace("/send", "/launch"))
    assert refused is not None
    assert refused.status == 403
    walk.reads("Your account may not")
    assert walk.page.get_by_role("link", name="Senders", exact=True).count() == 0


def sign_in(walk: Walk, name: str = "developer") -> None:
    walk.go("/")
    walk.fill("Name", name)
    walk.fill("Password", f"{name}-demo")
    walk.press("Sign in")
    expect(walk.page.get_by_role("heading", level=1, name="Sign in")).not_to_be_visible()


def write_template(walk: Walk) -> None:
    walk.menu("Templates")
    walk.follow("New template")
    walk.page.get_by_label("Name", exact=True).fill(TEMPLATE)
    subject = walk.page.get_by_label("Subject", exact=True)
    subject.fill("The kiln is hot, ")
    pick(walk, "Insert field into the subject", "First name", default="friend")
    assert subject.input_value() == 'The kiln is hot, {{ contact.first_name | default: "friend" }}'
    walk.page.get_by_label("HTML", exact=True).fill("<html><body><h1>Hello </h1>")
    pick(walk, "Insert field into the HTML", "Company", default="your workshop")
    html = walk.page.get_by_label("HTML", exact=True)
    written = html.input_value()
    assert "{{ contact.company.name | default:" in written
    html.fill(
        written + f'<p>Come and see <a href="{SHOP}">what came out</a>, {{{{ contact.citty }}}}.</p></body></html>'
    )
    walk.press("Save template")
    walk.reads("Did you mean “contact.city”?")
    html.fill(html.input_value().replace("citty", "city"))
    walk.press("Save template")
    walk.reads(f"“{TEMPLATE}” was saved as version 1.")


def pick(walk: Walk, button: str, field_label: str, default: str) -> None:
    walk.press(button)
    dialog = walk.page.get_by_role("dialog", name="Insert a field")
    dialog.get_by_role("combobox", name="Find a field").fill(field_label)
    dialog.get_by_role("option").first.click()
    dialog.get_by_label("If a contact has none, print").fill(default)
    dialog.get_by_role("button", name="Insert", exact=True).click()
    expect(dialog).not_to_be_visible()


def make_list(walk: Walk, addresses: list[str], folder: Path) -> None:
    file = folder / "kiln.csv"
    file.write_text("\n".join(["Who,Mail", *(f"Somebody,{address}" for address in addresses)]), encoding="utf-8")
    walk.menu("Lists")
    walk.follow("New list")
    walk.page.get_by_label("Name", exact=True).fill(LIST)
    walk.press("Save list")
    walk.heading(LIST)
    walk.follow("Import")
    walk.page.get_by_label("File", exact=True).set_input_files(file)
    walk.press("Upload")
    expect(walk.page.get_by_label("Column with it")).to_have_value("1")
    walk.fill(re.compile("How do you know"), "They asked at the open day.")
    walk.press("Check the file")
    expect(walk.page.get_by_role("listitem").filter(has_text="belong to no contact")).to_contain_text(
        "1", timeout=SECONDS
    )
    walk.press(re.compile(r"^Add \d+ contacts"))
    expect(walk.page.get_by_text("The import is finished")).to_be_visible(timeout=SECONDS)


def make_criterion(walk: Walk) -> None:
    walk.menu("Criteria")
    walk.follow("New criterion")
    walk.page.get_by_label("Name", exact=True).fill(CRITERION)
    choose(walk, re.compile("^What .* asks for$"), "Type")
    choose(walk, re.compile("^How .* compares$"), "is")
    choose(walk, re.compile("^Value of"), "Business")
    expect(walk.page.get_by_role("region", name="Whom it finds")).to_contain_text("Type is “Business”")
    walk.press("Save criterion")
    walk.heading(CRITERION)


def choose(walk: Walk, label: re.Pattern[str], option: str) -> None:
    """A choice in the builder; nobody is quick enough to make one before the page has come, or has settled again."""
    walk.page.wait_for_load_state()
    walk.page.get_by_label(label).select_option(label=option)
    expect(walk.page.locator(".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added")).to_have_count(0)


def make_mailing(walk: Walk, recipients: int) -> None:
    walk.menu("Mailings")
    walk.follow("New mailing")
    walk.page.get_by_label("Name", exact=True).fill(MAILING)
    walk.press("Make the draft")
    walk.page.get_by_label("Template", exact=True).select_option(label=TEMPLATE)
    walk.press("Save and go on to Recipients")
    walk.page.get_by_role("checkbox", name=re.compile(f"^{LIST} ")).check()
    walk.page.get_by_label("Criterion", exact=True).select_option(label=CRITERION)
    walk.press(re.compile("^Save$"))
    funnel = walk.page.get_by_role("region", name="Who will get it")
    expect(funnel.get_by_role("listitem").last).to_contain_text(str(recipients))
    walk.press("Save and go on to Sender & schedule")
    walk.page.get_by_label("Sender", exact=True).select_option(label="Mail catcher")
    walk.press("Save and go on to Check")
    walk.reads("Nothing stands in the way")


def section(walk: Walk, name: str) -> None:
    sections = walk.page.get_by_role("navigation", name="Sections of the mailing")
    sections.get_by_role("link", name=re.compile(f"^{name} ")).click()


def preview(walk: Walk, reader: Guest) -> None:
    walk.menu("Templates")
    walk.follow(TEMPLATE)
    walk.fill("Find a contact", reader.address)
    walk.press("Find")
    walk.reads(f"The kiln is hot, {reader.first_name}")
    frame = walk.page.frame_locator("iframe[title^='The mail as']")
    expect(frame.get_by_role("heading", level=1)).to_contain_text("Hello")
    expect(frame.get_by_role("paragraph").first).to_contain_text(TOWN)


def send_test(walk: Walk, reader: Guest) -> None:
    walk.menu("Mailings")
    walk.follow(MAILING)
    section(walk, "Check")
    walk.fill("Send a test to", "colleague@example.net")
    walk.fill(re.compile("^As it would look for"), reader.address)
    walk.press("Send the test")
    walk.reads("The test is on its way.")
    expect(walk.page.locator("#mailing-head")).to_contain_text("Finished", timeout=SECONDS)
    caught(walk, "colleague@example.net", f"[TEST] The kiln is hot, {reader.first_name}")


def caught(walk: Walk, address: str, subject: str) -> None:
    """The mail is in the catcher, and its page is open."""
    mail = walk.page.get_by_role("link").filter(has_text=subject).filter(has_text=address)
    give_up = time.monotonic() + SECONDS / 1000
    while True:
        walk.go(f"/catcher/?to={address}")
        if mail.count():
            break
        assert time.monotonic() < give_up, f"No mail “{subject}” to {address} was caught."
        time.sleep(0.5)
    assert mail.count() == 1
    mail.click()
    walk.heading(subject)


def send(walk: Walk, recipients: int) -> None:
    """One confirm with the exact number; then the panel gets to the end by itself, on the same page."""
    walk.menu("Mailings")
    walk.follow(MAILING)
    section(walk, "Send")
    button = f"Send to {recipients} contacts"
    walk.follow(button)
    dialog = walk.page.get_by_role("dialog", name=f"Send “{MAILING}”?")
    expect(dialog).to_contain_text(f"{recipients} from {LIST}, only “{CRITERION}”")
    dialog.get_by_role("button", name=button).click()
    walk.reads("It is on its way.")
    walk.page.evaluate("window.stayed = true")
    walk.reads(f"{recipients} of {recipients} · 100 %")
    expect(walk.page.locator("#mailing-head")).to_contain_text("Finished", timeout=SECONDS)
    tile(walk, "Sent", recipients)
    tile(walk, "To send", 0)
    tile(walk, "Failed", 0)
    assert walk.page.evaluate("window.stayed"), "The page was loaded anew."


def tile(walk: Walk, label: str, value: int) -> None:
    found = walk.page.get_by_role("listitem").filter(has=walk.page.get_by_text(label, exact=True))
    expect(found).to_have_text(re.compile(rf"^\s*{label}\s*{value}(\s+[\d.]+ %)?\s*$"))


def status_of(walk: Walk, reader: Guest, status: str) -> None:
    """The contact's page in the CRM shows it, as soon as the worker has told."""
    give_up = time.monotonic() + SECONDS / 1000
    while True:
        walk.go(f"/contacts/{reader.contact_id}")
        walk.heading(reader.name)
        if walk.page.get_by_text(status, exact=True).count():
            return
        assert time.monotonic() < give_up, f"The status did not become “{status}”."
        time.sleep(0.5)


def open_and_click(walk: Walk, visitor: BrowserContext, reader: Guest) -> None:
    caught(walk, reader.address, f"The kiln is hot, {reader.first_name}")
    mail = walk.page.frame_locator("iframe[title='The mail as HTML']")
    expect(mail.get_by_role("heading", level=1)).to_contain_text("Hello")
    with visitor.expect_page() as opened:
        mail.get_by_role("link", name="what came out").click()
    opened.value.wait_for_url(SHOP)
    opened.value.close()


def assert_counted(walk: Walk, recipients: int, *, read: int, clicked: int) -> None:
    walk.menu("Mailings")
    walk.follow(MAILING)
    tile(walk, "Total", recipients)
    tile(walk, "Sent", recipients)
    tile(walk, "Read", read)
    tile(walk, "Clicked", clicked)


def opt_out(walk: Walk, visitor: BrowserContext, reader: Guest) -> None:
    caught(walk, reader.address, f"The kiln is hot, {reader.first_name}")
    mail = walk.page.frame_locator("iframe[title='The mail as HTML']")
    with visitor.expect_page() as opened:
        mail.get_by_role("link", name=re.compile("unsubscribe", re.IGNORECASE)).click()
    page = opened.value
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Unsubscribe from “{LIST}”?")
    page.get_by_role("button", name="Unsubscribe", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are unsubscribed")
    page.close()


def assert_off_the_list(walk: Walk, reader: Guest, recipients: int) -> None:
    walk.menu("Lists")
    walk.follow(LIST)
    walk.follow(re.compile("^Unsubscribed 1$"))
    expect(walk.page.get_by_role("table", name="Contacts")).to_contain_text(reader.name)
    walk.go(f"/contacts/{reader.contact_id}")
    lists = walk.page.get_by_role("region", name="Mailings").get_by_role("listitem").filter(has_text=LIST)
    expect(lists.filter(has_text="Unsubscribed since")).to_have_count(1)
