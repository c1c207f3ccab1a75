"""The CRM's pages: who may see them, what they show, what roles may change."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from sample_host.crm.models import Company, Contact, Status, db

PAGES = ("/admin/", "/contacts/", "/contacts/1", "/companies/", "/statuses/", "/catcher/")


@pytest.mark.parametrize("page", PAGES)
def test_visitors_are_sent_to_the_login_page(crm: Flask, page: str) -> None:
    answer = crm.test_client().get(page)
    assert answer.status_code == 302
    assert answer.location.startswith("/login?next=")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_has_one_main_and_one_heading(marketing: FlaskClient, page: str) -> None:
    answer = marketing.get(page)
    assert answer.status_code == 200
    assert '<html lang="en">' in answer.text
    assert answer.text.count("<main") == 1
    assert answer.text.count("<h1") == 1


def test_a_wrong_password_is_refused_and_named(crm: Flask) -> None:
    client = crm.test_client()
    answer = client.post("/login", data={"name": "developer", "password": "wrong"})
    assert answer.status_code == 401
    assert "Name or password is wrong." in answer.text
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("target", ["https://evil.test/", "//evil.test/", "\\\\evil.test", "javascript:alert(1)"])
def test_login_leads_to_own_pages_only(crm: Flask, target: str) -> None:
    data = {"name": "developer", "password": "developer-demo"}
    answer = crm.test_client().post("/login", query_string={"next": target}, data=data)
    assert answer.location == "/admin/"


def test_signing_out_ends_the_session(marketing: FlaskClient) -> None:
    assert marketing.post("/logout").status_code == 302
    assert marketing.get("/admin/").status_code == 302


def test_search_and_status_narrow_the_list(crm: Flask, marketing: FlaskClient) -> None:
    with crm.app_context():
        contact = db.session.get_one(Contact, 17)
        found = marketing.get("/contacts/", query_string={"q": contact.full_name, "status": contact.status}).text
        assert f'href="/contacts/{contact.id}"' in found
        new = db.session.scalar(select(func.count()).where(Contact.status == "new"))
    assert f"{new} contacts" in marketing.get("/contacts/?status=new").text
    assert "No contact fits." in marketing.get("/contacts/?q=%25").text
    assert "Page 52 of 52" in marketing.get("/contacts/?page=52").text


def test_marketing_reads_statuses_and_does_not_change_them(crm: Flask, marketing: FlaskClient) -> None:
    marketing.post("/statuses/new/", data={"name": "x", "label": "X", "color": "blue", "position": "20"})
    assert "/statuses/new/" not in marketing.get("/statuses/").text
    with crm.app_context():
        assert "x" not in Status.names()


def test_developers_add_a_status_with_a_known_tone(crm: Flask, developer: FlaskClient) -> None:
    data = {"name": "called_back", "label": "Called back", "color": "pink", "position": "20"}
    assert "Invalid value" in developer.post("/statuses/new/", data=data).text
    assert developer.post("/statuses/new/", data={**data, "color": "blue"}).status_code == 302
    with crm.app_context():
        assert "called_back" in Status.names()


def test_developers_change_a_company(crm: Flask, developer: FlaskClient) -> None:
    data = {"name": "Heron Works", "city": "Leeds", "segment": "Trade"}
    assert developer.post("/companies/edit/?id=1", data=data).status_code == 302
    with crm.app_context():
        assert db.session.get_one(Company, 1).name == "Heron Works"
