"""Every page of the running demo, as wide as a desk and as a phone: it opens, nothing sticks out, axe finds nothing.

Where MASSMAIL_SCREENSHOTS names a folder, a picture of each lies there for somebody to look at.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page
from sqlalchemy import select

from massmail_plugin import campaigns, mailings
from massmail_plugin.campaigns import series
from massmail_plugin.models import List, Template
from sample_host import demo_mailing
from sample_host.crm.models import db
from sample_host.recipients import Letter, follow_link, letters_in, show_pictures, unsubscribe
from sample_host.running import Running, wait

pytestmark = pytest.mark.xdist_group("demo")

AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
MAIL = "/admin/massmail"
WIDTHS = (1280, 390)

PAGES: Mapping[str, str] = {
    "crm-home": "/admin/",
    "crm-contacts": "/contacts/",
    "crm-contact": "/contacts/{contact}",
    "crm-companies": "/companies/",
    "crm-statuses": "/statuses/",
    "catcher": "/catcher/",
    "overview": MAIL + "/",
    "mailings": MAIL + "/mailings/",
    "mailing-new": MAIL + "/mailings/new",
    "mailing-1-message": MAIL + "/mailings/{draft}/message",
    "mailing-2-recipients": MAIL + "/mailings/{draft}/recipients",
    "mailing-3-schedule": MAIL + "/mailings/{draft}/schedule",
    "mailing-4-check": MAIL + "/mailings/{draft}/check",
    "mailing-5-send": MAIL + "/mailings/{draft}/send",
    "mailing-6-question": MAIL + "/mailings/{draft}/launch",
    "mailing-delete": MAIL + "/mailings/{draft}/delete",
    "mailing-run": MAIL + "/mailings/{run}",
    "mailing-map": MAIL + "/mailings/{run}/map",
    "mailing-breakdown": MAIL + "/mailings/{run}/breakdown",
    "mailing-download": MAIL + "/mailings/{run}/download",
    "mailings-compare": MAIL + "/mailings/compare?mailing={run}",
    "statistics": MAIL + "/statistics/",
    "statistics-by-domain": MAIL + "/statistics/?by=domain",
    "template-log": MAIL + "/statistics/templates/1",
    "record": MAIL + "/statistics/contacts/contact/{contact}",
    "mailing-people-sent": MAIL + "/mailings/{run}/people/sent",
    "mailing-people-skipped": MAIL + "/mailings/{run}/people/skipped",
    "mailing-people-clicked": MAIL + "/mailings/{run}/people/clicked",
    "campaigns": MAIL + "/campaigns/",
    "campaign-new": MAIL + "/campaigns/new",
    "campaign": MAIL + "/campaigns/{campaign}",
    "campaign-edit": MAIL + "/campaigns/{campaign}/edit",
    "campaign-activate": MAIL + "/campaigns/{campaign}/activate",
    "templates": MAIL + "/templates/",
    "template-new": MAIL + "/templates/new",
    "template": MAIL + "/templates/1",
    "template-phone": MAIL + "/templates/1?view=phone",
    "template-text": MAIL + "/templates/1?view=text",
    "template-source": MAIL + "/templates/1?view=source",
    "template-headers": MAIL + "/templates/1?view=headers",
    "template-edit": MAIL + "/templates/1/edit",
    "template-test": MAIL + "/templates/1/test",
    "template-delete": MAIL + "/templates/1/delete",
    "lists": MAIL + "/lists/",
    "list-new": MAIL + "/lists/new",
    "list": MAIL + "/lists/1",
    "list-unsubscribed": MAIL + "/lists/1?state=unsubscribed",
    "list-history": MAIL + "/lists/1/history",
    "list-add": MAIL + "/lists/1/add?q=anna",
    "list-by-criterion": MAIL + "/lists/2/by-criterion?criterion=1",
    "list-words": MAIL + "/lists/1/words",
    "list-person": MAIL + "/lists/1/person?contact_source=contact&contact_key=1",
    "list-archive": MAIL + "/lists/1/archive",
    "list-topics": MAIL + "/lists/topics/",
    "list-topic": MAIL + "/lists/topics/1/edit",
    "list-opt-outs": MAIL + "/lists/opt-outs?criterion=1",
    "imports": MAIL + "/imports/",
    "import-new": MAIL + "/imports/new?list_id=1",
    "criteria": MAIL + "/criteria/",
    "criterion-new": MAIL + "/criteria/new",
    "criterion": MAIL + "/criteria/2",
    "criterion-edit": MAIL + "/criteria/2/edit",
    "senders": MAIL + "/senders/",
    "sender-new": MAIL + "/senders/new",
    "sender": MAIL + "/senders/1",
    "sender-edit": MAIL + "/senders/1/edit",
    "sender-keys": MAIL + "/senders/1/keys",
    "mailboxes": MAIL + "/mailboxes/",
    "mailbox-new": MAIL + "/mailboxes/new",
    "received": MAIL + "/received/",
    "uncertain": MAIL + "/mailings/uncertain",
    "mailing-uncertain": MAIL + "/mailings/{run}/uncertain",
    "suppressions": MAIL + "/suppressions/",
    "suppression-new": MAIL + "/suppressions/new",
    "privacy": MAIL + "/privacy/",
    "privacy-person": MAIL + "/privacy/contact?contact_source=contact&contact_key={contact}",
    "privacy-retention": MAIL + "/privacy/retention?count=1",
    "system": MAIL + "/system/",
    "no-such-mailing": MAIL + "/mailings/99999",
}


@pytest.fixture(scope="module")
def filled(demo: Running) -> Mapping[str, str]:
    """The demo with a mailing that was sent and answered, a draft, and a campaign; what the paths of the pages need."""
    with demo.app.app_context():
        run = demo_mailing.launch("An evening in the workshop", demo_mailing.CATALOGUE, demo_mailing.NEIGHBOURS)
        ids = {"run": str(run), **drafts()}
    wait(demo, lambda: demo_mailing.progress(run).finished, 120, "The mailing did not finish")
    letters = letters_in(demo.folder / "caught")
    for act, some in ((show_pictures, letters[:9]), (follow_link, letters[:4]), (unsubscribe, letters[-2:])):
        for letter in some:
            act(letter)
    with demo.app.app_context():
        ids["contact"] = str(demo_mailing.results(run)[demo_mailing.Outcome.SENT][letters[0].rcpt_to])
    return {**ids, "token": token_of(letters[20])}


def drafts() -> dict[str, str]:
    """A mailing that could be sent and a series of three mails."""
    host = demo_mailing.host_here()
    lists = [db.session.scalars(select(List.id).where(List.name == demo_mailing.TRADE)).one()]
    template, second = db.session.scalars(select(Template.id).order_by(Template.id).limit(2))
    draft = mailings.create(
        host,
        name="Winter prices for the trade",
        contact_source=demo_mailing.SOURCE,
        by="developer",
        list_ids=lists,
        template_id=template,
        address_roles=["main"],
    )
    series_ = campaigns.series.create(
        host, name="Welcome to Fernhill", source_name=demo_mailing.SOURCE, by="developer", list_ids=lists
    )
    for day, one in ((0, template), (7, second), (14, template)):
        series.add_step(host, series_, day=day, template_id=one)
    db.session.commit()
    return {"draft": str(draft.id), "campaign": str(series_.id)}


def token_of(letter: Letter) -> str:
    found = re.search(r"/u/([^/?]+)", letter.one_click)
    assert found
    return found.group(1)


def sign_in(page: Page, demo: Running) -> None:
    page.goto(demo.address + "/login")
    page.get_by_label("Name").fill("developer")
    page.get_by_label("Password").fill("developer-demo")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/admin/")


def look(page: Page, name: str) -> list[str]:
    """What is wrong with the page that is open, at both widths; pictures of it are kept where they are wanted."""
    folder = os.environ.get("MASSMAIL_SCREENSHOTS")
    page.wait_for_load_state()
    wrong = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        if folder:
            page.screenshot(path=Path(folder) / f"{width}-{name}.png", full_page=True)
        overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if overflow > 0:
            wrong.append(f"{name} at {width}: sticks out by {overflow} pixels")
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    if page.locator("main.massmail").count():
        found = Axe().run(page, context="main.massmail", options={"runOnly": {"type": "tag", "values": AXE_TAGS}})
        wrong += [f"{name}: {fault['id']} {fault['nodes'][0]['target']}" for fault in found.response["violations"]]
    return wrong


def test_every_page(demo: Running, visitor: BrowserContext, filled: Mapping[str, str]) -> None:
    page = visitor.new_page()
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(demo.address + "/login")
    wrong = look(page, "crm-login")
    sign_in(page, demo)
    for name, path in PAGES.items():
        answer = page.goto(demo.address + path.format(**filled))
        assert answer is not None
        if answer.status != (404 if name.startswith("no-such") else 200):
            wrong.append(f"{name}: answered {answer.status}")
        wrong += look(page, name)
    page.goto(demo.address + "/catcher/")
    page.locator(".mails a").first.click()
    wrong += look(page, "catcher-mail")
    wrong += recipients_pages(page, demo, filled["token"])
    assert wrong == []
    assert said == []


def recipients_pages(page: Page, demo: Running, token: str) -> list[str]:
    """What who gets the mail can see."""
    wrong = []
    page.goto(f"{demo.address}/m/u/{token}")
    wrong += look(page, "public-ask")
    page.goto(f"{demo.address}/m/p/{token}")
    wrong += look(page, "public-preferences")
    page.goto(f"{demo.address}/m/u/{token}x")
    wrong += look(page, "public-broken")
    page.goto(f"{demo.address}/m/u/{token}")
    page.get_by_role("button", name="Unsubscribe", exact=True).click()
    wrong += look(page, "public-done")
    page.get_by_role("button", name="Undo").click()
    wrong += look(page, "public-back")
    return wrong
