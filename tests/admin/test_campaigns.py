"""The screens of campaigns: written, activated with or without those already there, watched, stopped."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from massmail_plugin import campaigns, consent
from massmail_plugin.consent.proof import Proof
from massmail_plugin.contracts import ContactRef
from massmail_plugin.models import Campaign, Enrolment
from massmail_plugin.vocabulary import CampaignState, ConsentWay
from tests.admin import mailing_rows as make
from tests.admin.conftest import Catalogue, faults, form_of

AT = "/admin/massmail/campaigns"


def post(client: Any, path: str, **values: Any) -> Any:
    """A POST as our own page makes it, followed to the page it leads to."""
    token = form_of(client.get(f"{AT}/new").text)
    return client.post(AT + path, data={**token, **values}, follow_redirects=True)


def welcome(built: Catalogue, *, people: int = 3) -> Campaign:
    """A series on days 0, 7 and 14 that could start."""
    make.add_people(built, people)
    list_, sender = make.add_list(built), make.add_sender(built)
    campaign = campaigns.create(
        built.host, name="Welcome", source_name="contact", by="all", list_ids=[list_.id], sender_id=sender.id
    )
    template = make.add_template(built)
    for day in (0, 7, 14):
        campaigns.add_step(built.host, campaign, day=day, template_id=template.id)
    built.host.session.commit()
    return campaign


def fresh(built: Catalogue, campaign_id: int) -> Campaign:
    built.host.session.expire_all()
    return built.host.session.get_one(Campaign, campaign_id)


def test_a_campaign_is_written_with_its_mails_in_order(small_host: Catalogue) -> None:
    list_, template, sender = make.add_list(small_host), make.add_template(small_host), make.add_sender(small_host)
    client = small_host.client()
    assert "No campaigns yet" in client.get(AT + "/").text
    page = post(client, "/new", name="Welcome", list_ids=list_.id, sender_id=sender.id, description="").text
    assert "Add at least one mail." in page
    campaign = small_host.host.session.scalars(select(Campaign)).one()
    for day in ("7", "0", "14"):
        page = post(client, f"/{campaign.id}/steps", day=day, template_id=template.id).text
    assert [page.index(f"<strong>Day {day}<") for day in (0, 7, 14)] == sorted(
        page.index(f"<strong>Day {day}<") for day in (0, 7, 14)
    )
    assert "day 0, 7, 14" in client.get(AT + "/").text


@pytest.mark.parametrize(
    ("day", "template", "words"),
    [
        ("7", "1", "has a mail on day 7 already"),
        ("-1", "1", "between 0 and"),
        ("x", "1", "Not a valid"),
        ("3", "", "Choose a template"),
    ],
)
def test_a_bad_mail_is_refused_at_its_field(small_host: Catalogue, day: str, template: str, words: str) -> None:
    campaign = welcome(small_host)
    answer = post(small_host.client(), f"/{campaign.id}/steps", day=day, template_id=template)
    assert answer.status_code == 422
    assert words in answer.text
    assert len(fresh(small_host, campaign.id).steps) == 3


def test_a_campaign_without_tracking_opens_mailings_without(small_host: Catalogue) -> None:
    campaign = welcome(small_host)
    client = small_host.client()
    list_ids, given = campaign.lists[0].id, {"name": "Welcome", "sender_id": campaign.sender_id, "description": ""}
    page = post(client, f"/{campaign.id}/edit", **given, list_ids=list_ids, untracked="y").text
    assert "no open pixel, plain links" in page
    campaigns.activate(small_host.host, fresh(small_host, campaign.id), by="all")
    small_host.host.session.commit()
    opened = [step.mailing for step in fresh(small_host, campaign.id).steps]
    assert [mailing.tracking for mailing in opened if mailing] == [False] * 3


def test_a_taken_name_is_refused(small_host: Catalogue) -> None:
    welcome(small_host)
    answer = post(small_host.client(), "/new", name="Welcome", description="", sender_id="")
    assert answer.status_code == 422
    assert "There is a campaign “Welcome” already" in answer.text


def test_a_mail_is_taken_out_after_a_question(small_host: Catalogue) -> None:
    campaign = welcome(small_host)
    path = f"/{campaign.id}/steps/{campaign.steps[1].id}/remove"
    assert "Take out the mail on day 7?" in small_host.client().get(AT + path).text
    assert len(fresh(small_host, campaign.id).steps) == 3
    post(small_host.client(), path)
    assert [step.day for step in fresh(small_host, campaign.id).steps] == [0, 14]


@pytest.mark.parametrize(("answer", "inside"), [("no", 0), ("yes", 5)])
def test_activation_asks_about_those_already_there(small_host: Catalogue, answer: str, inside: int) -> None:
    campaign = welcome(small_host)
    client = small_host.client()
    assert "5 contacts are on its lists already" in client.get(f"{AT}/{campaign.id}/activate").text
    assert fresh(small_host, campaign.id).state == CampaignState.DRAFT
    assert "The campaign is active." in post(client, f"/{campaign.id}/activate", present=answer).text
    assert len(small_host.host.session.scalars(select(Enrolment)).all()) == inside
    assert "cannot become active" in post(client, f"/{campaign.id}/activate", present="yes").text
    assert "Paused. Nobody enters" in post(client, f"/{campaign.id}/pause").text


def test_people_inside_and_those_who_left(small_host: Catalogue) -> None:
    campaign = welcome(small_host)
    campaigns.activate(small_host.host, campaign, by="all", include_present=True)
    small_host.host.session.commit()
    campaigns.advance(small_host.host)
    consent.withdraw(
        small_host.host, ContactRef("contact", "1"), list_ids=None, proof=Proof(ConsentWay.PERSON, evidence="asked")
    )
    small_host.host.session.commit()
    campaigns.advance(small_host.host)
    client = small_host.client()
    page = client.get(f"{AT}/{campaign.id}").text
    assert "Why they left: opted out 1." in page
    inside = client.get(f"{AT}/{campaign.id}/people/active").text
    assert inside.count("Day 7: Spring letter") == 4
    assert "29 Nov 2026, 12:00 UTC" in inside
    left = client.get(f"{AT}/{campaign.id}/people/left").text
    assert "Zoë" in left
    assert "opted out" in left
    assert "Spring mailing" not in client.get("/admin/massmail/mailings/?steps=1").text
    assert "Welcome, day 7" in client.get("/admin/massmail/mailings/?steps=1").text


def test_who_may(small_host: Catalogue) -> None:
    campaign = welcome(small_host)
    writer = small_host.client("writer")
    assert "may not start or stop campaigns" in writer.get(f"{AT}/{campaign.id}").text
    assert post(writer, f"/{campaign.id}/activate", present="yes").status_code == 403
    for path in ("/", f"/{campaign.id}", f"/{campaign.id}/people/active", "/new"):
        assert small_host.client("nobody").get(AT + path).status_code == 403
    for path in ("activate", "pause", "delete", "edit", "steps"):
        assert small_host.client().post(f"{AT}/{campaign.id}/{path}").status_code == 400
    assert fresh(small_host, campaign.id).state == CampaignState.DRAFT


@pytest.mark.parametrize("width", [1280, 390])
def test_the_screens_are_clean(small_host: Catalogue, open_page: Callable[..., Any], width: int) -> None:
    campaign = welcome(small_host)
    page = open_page(small_host, width=width)
    for path in ("/", "/new", f"/{campaign.id}", f"/{campaign.id}/edit", f"/{campaign.id}/activate"):
        page.goto(AT + path)
        assert faults(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.goto(f"{AT}/{campaign.id}")
    page.click("text=Activate")
    page.wait_for_selector("dialog[open]")
    page.check("text=Take all 5 in")
    page.click("text=Activate campaign")
    page.wait_for_selector("text=5 contacts are in it now.")
    assert faults(page) == []
    page.click(".mm-people-tiles >> text=In the campaign")
    page.wait_for_url("**/people/active")
    assert faults(page) == []
    assert page.troubles == []
