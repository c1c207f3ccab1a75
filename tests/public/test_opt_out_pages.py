"""Opt-out over HTTP: the one-click POST, the page that asks, every state of it, and the choice of lists."""

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask, session
from flask.testing import FlaskClient
from flask_wtf import CSRFProtect
from sqlalchemy import select

from massmail_plugin.config import Config
from massmail_plugin.consent.stops import frequency
from massmail_plugin.models import OptOutReason, OutboxMessage, SubscriptionEvent
from massmail_plugin.signed_links import message_token
from massmail_plugin.upkeep.contacts import retire_contact
from tests.public.mailed_host import ANN, BEN, MailedHost, mailed_host

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def client(mailed: MailedHost) -> FlaskClient:
    return mailed.app.test_client()


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_one_click_post(mailed: MailedHost, client: FlaskClient, kind: str) -> None:
    for _ in range(2):
        answer = client.post(f"/m/u/{mailed.token(ANN)}", data=ONE_CLICK, content_type=kind)
        assert (answer.status_code, answer.mimetype) == (200, "text/plain")
        assert answer.text == "You are unsubscribed.\n"
        assert "Location" not in answer.headers
        assert "Set-Cookie" not in answer.headers
    assert mailed.lists_of(ANN) == ["events"]
    assert mailed.reports() == [("1", "removed", 0)]


def test_get_asks_and_changes_nothing(mailed: MailedHost, client: FlaskClient) -> None:
    answer = client.get(f"/m/u/{mailed.token(ANN)}?List-Unsubscribe=One-Click&stop=everything")
    assert answer.status_code == 200
    assert "Unsubscribe from “Monthly news” and “Offers &amp; &lt;deals&gt;”?" in answer.text
    assert "ann@example.org" not in answer.text
    assert "Ann" not in answer.text
    assert (mailed.events(), mailed.reports()) == ([], [])


@pytest.mark.parametrize("data", [{}, {"undo": "nonsense"}])
def test_undo_that_does_not_say_of_what_changes_nothing(
    mailed: MailedHost, client: FlaskClient, data: Mapping[str, str]
) -> None:
    client.post(f"/m/u/{mailed.token(ANN)}", data=ONE_CLICK)
    assert "You are already unsubscribed" in client.post(f"/m/u/{mailed.token(ANN)}/undo", data=data).text
    assert mailed.lists_of(ANN) == ["events"]


@pytest.mark.parametrize("data", [{}, {"stop": "nonsense"}, {"List-Unsubscribe": "Yes"}])
def test_post_that_says_nothing_only_asks(mailed: MailedHost, client: FlaskClient, data: Mapping[str, str]) -> None:
    answer = client.post(f"/m/u/{mailed.token(ANN)}", data=data)
    assert "Unsubscribe from" in answer.text
    assert mailed.events() == []


def test_post_that_is_no_form_only_asks(mailed: MailedHost, client: FlaskClient) -> None:
    assert client.post(f"/m/u/{mailed.token(ANN)}", json={"stop": "these"}).status_code == 200
    assert mailed.events() == []


def test_huge_form_is_refused(mailed: MailedHost, client: FlaskClient) -> None:
    answer = client.post(f"/m/u/{mailed.token(ANN)}", data={"stop": "x" * 100_000})
    assert answer.status_code == 413


def test_ask_done_already_out_and_back(mailed: MailedHost, client: FlaskClient) -> None:
    address = f"/m/u/{mailed.token(ANN)}"
    done = client.post(address, data={"stop": "these"})
    assert "<h1>You are unsubscribed</h1>" in done.text
    assert "no more mails of “Monthly news” and “Offers" in done.text
    assert f'action="{address}/undo"' in done.text
    assert mailed.lists_of(ANN) == ["events"]
    again = client.post(address, data={"stop": "these"})
    assert "You are already unsubscribed" in again.text
    assert "You are already unsubscribed" in client.get(address).text
    back = client.post(f"{address}/undo", data={"undo": "these"})
    assert "You are subscribed again" in back.text
    assert mailed.lists_of(ANN) == ["events", "news", "offers"]
    assert mailed.reports() == [("1", "removed", 0), ("1", "removed", 1)]
    assert client.get(f"{address}/undo").headers["Location"] == address


def test_stop_everything_and_back(mailed: MailedHost, client: FlaskClient) -> None:
    address = f"/m/u/{mailed.token(ANN)}"
    done = client.post(address, data={"stop": "everything"})
    assert "no more mails from Fernhill Supplies" in done.text
    assert mailed.lists_of(ANN) == []
    assert "You get no mails from Fernhill Supplies" in client.get(address).text
    client.post(f"{address}/undo", data={"undo": "everything"})
    assert mailed.lists_of(ANN) == ["events", "news", "offers"]


def test_reasons_are_asked_and_kept_and_change_nothing_else(mailed: MailedHost, client: FlaskClient) -> None:
    address = f"/m/u/{mailed.token(ANN)}"
    done = client.post(address, data={"stop": "these"})
    assert "Would you tell us why? You need not." in done.text
    thanks = client.post(f"{address}/why", data={"reason": "too_many", "comment": "<b>Two</b> a day"})
    assert "Thank you for your answer" in thanks.text
    assert f'action="{address}/undo"' in thanks.text
    kept = mailed.host.session.scalars(select(OptOutReason)).one()
    assert (kept.reason, kept.comment) == ("too_many", "<b>Two</b> a day")
    client.post(f"{address}/why", data={"comment": "only words"})
    mailed.host.session.refresh(kept)
    assert (kept.reason, kept.comment) == ("other", "only words")
    for nothing in ({}, {"reason": "nonsense"}, {"comment": "  "}):
        assert "You are already unsubscribed" in client.post(f"{address}/why", data=nothing).text
    assert mailed.events() == [("opt_out", False)]
    assert client.get(f"{address}/why").headers["Location"] == address


def test_where_the_wish_came_from_is_on_record(mailed: MailedHost, client: FlaskClient) -> None:
    client.post(f"/m/u/{mailed.token(ANN)}", data={"stop": "these"}, headers={"User-Agent": "Opera/9.8"})
    left = select(SubscriptionEvent).where(SubscriptionEvent.state == "unsubscribed")
    kept = mailed.host.session.scalars(left).all()
    assert {(row.way, row.origin) for row in kept} == {("page", "127.0.0.1 Opera/9.8")}


# --- Choices --------------------------------------------------------------------------------------------------


def ticked(page: str) -> list[int]:
    """Ids of the lists that are ticked on the page of choices."""
    return [int(number) for number in re.findall(r'name="list" value="(\d+)" checked', page)]


def test_preferences(mailed: MailedHost, client: FlaskClient) -> None:
    address = f"/m/p/{mailed.token(ANN)}"
    assert len(ticked(client.get(address).text)) == 3
    kept = mailed.list_id("events")
    saved = client.post(address, data={"act": "save", "list": [str(kept), "4711", "x", "9" * 5000, "-1"]})
    assert "Saved. We write to you as chosen below." in saved.text
    assert ticked(saved.text) == [kept]
    assert mailed.lists_of(ANN) == ["events"]
    stopped = client.post(address, data={"act": "stop"})
    assert "Saved. You will get no more mails from us." in stopped.text
    assert mailed.lists_of(ANN) == []
    assert "You get no mails from us at the moment." in client.get(address).text
    client.post(address, data={"act": "save", "list": [str(kept)]})
    assert mailed.lists_of(ANN) == ["events"]


def test_stopping_all_on_the_page_of_choices_can_be_undone_there(mailed: MailedHost, client: FlaskClient) -> None:
    token = mailed.token(ANN)
    stopped = client.post(f"/m/p/{token}", data={"act": "stop"})
    assert f'action="/m/u/{token}/undo"' in stopped.text
    client.post(f"/m/u/{token}/undo", data={"undo": "everything"})
    assert mailed.lists_of(ANN) == ["events", "news", "offers"]


def test_fewer_mails_and_a_break(mailed: MailedHost, client: FlaskClient) -> None:
    address, lists = f"/m/p/{mailed.token(BEN)}", [str(mailed.list_id("news"))]
    saved = client.post(address, data={"act": "save", "list": lists, "days": "7", "pause": "1"})
    assert "Saved. You get no mails from us until 10 April 2026." in saved.text
    assert 'value="7" checked' in saved.text
    assert "Until 10 April 2026, as now" in client.get(address).text
    over = client.post(address, data={"act": "save", "list": lists, "days": "0", "pause": ""})
    assert "Saved. We write to you as chosen below." in over.text
    assert 'value="0" checked' in over.text
    assert mailed.lists_of(BEN) == ["news"]


def test_saving_lists_keeps_the_days_that_somebody_else_noted(mailed: MailedHost, client: FlaskClient) -> None:
    """The page does not offer a fortnight: no days are ticked, so that a browser sends none."""
    address, lists = f"/m/p/{mailed.token(BEN)}", [str(mailed.list_id("news"))]
    frequency.want_fewer(mailed.host, BEN, 14)
    mailed.host.session.commit()
    assert not re.search(r'name="days" value="\d+" checked', client.get(address).text)
    draft = client.post(address, data={"lang": "it", "list": lists, "pause": "3"})
    assert '<option value="3" selected' in draft.text
    assert "Saved." in client.post(address, data={"act": "save", "list": lists, "pause": ""}).text
    assert frequency.wanted_days(mailed.host, BEN) == 14


@pytest.mark.parametrize("odd", [{"days": "5"}, {"days": "x"}, {"pause": "99"}, {"pause": "\0"}, {"days": "9" * 4000}])
def test_what_is_not_offered_is_not_saved(mailed: MailedHost, client: FlaskClient, odd: dict[str, str]) -> None:
    answer = client.post(f"/m/p/{mailed.token(ANN)}", data={"act": "save", **odd})
    assert (answer.status_code, "Saved" in answer.text) == (200, False)
    assert mailed.lists_of(ANN) == ["events", "news", "offers"]


def test_changing_the_language_shows_the_form_as_it_was_filled_in(mailed: MailedHost, client: FlaskClient) -> None:
    address, kept = f"/m/p/{mailed.token(ANN)}", mailed.list_id("events")
    shown = client.post(address, data={"lang": "it", "list": [str(kept)], "days": "30", "pause": "3"})
    assert 'lang="it"' in shown.text
    assert ticked(shown.text) == [kept]
    assert 'value="30" checked' in shown.text
    assert 'value="3" selected' in shown.text
    assert f'action="{address}?lang=it"' in shown.text
    assert mailed.lists_of(ANN) == ["events", "news", "offers"]
    saved = client.post(f"{address}?lang=it", data={"act": "save", "list": [str(kept)], "days": "30", "pause": ""})
    assert "Salvato. Ti scriveremo secondo le scelte qui sotto." in saved.text
    assert mailed.lists_of(ANN) == ["events"]


def test_preferences_post_without_act_changes_nothing(mailed: MailedHost, client: FlaskClient) -> None:
    client.post(f"/m/p/{mailed.token(ANN)}", data={"list": ["1"]})
    assert mailed.events() == []


# --- Whom nothing is sent to any more -------------------------------------------------------------------------


def test_who_is_gone_reads_so_on_every_page(mailed: MailedHost, client: FlaskClient) -> None:
    token = mailed.token(ANN)
    retire_contact(mailed.host, ANN)
    mailed.host.session.commit()
    pages = [client.get(f"/m/{where}/{token}") for where in "up"]
    pages += [
        client.post(f"/m/u/{token}", data={"stop": "these"}),
        client.post(f"/m/u/{token}/undo", data={"undo": "everything"}),
    ]
    pages += [client.post(f"/m/p/{token}", data={"act": "save"}), client.post(f"/m/p/{token}", data={"act": "stop"})]
    for page in pages:
        assert page.status_code == 200
        assert "Nothing is sent to you any more" in page.text
        assert 'action="/m/lost"' in page.text
    assert client.post(f"/m/u/{token}", data=ONE_CLICK).status_code == 200


def test_a_mail_of_which_nothing_is_kept_offers_a_new_link(mailed: MailedHost, client: FlaskClient) -> None:
    token = message_token(mailed.host.config, 4711, 1)
    for page in (
        client.get(f"/m/u/{token}"),
        client.get(f"/m/p/{token}"),
        client.post(f"/m/u/{token}/undo", data={"undo": "everything"}),
    ):
        assert page.status_code == 404
        assert "This mail is not known here any more" in page.text
        assert 'action="/m/lost"' in page.text
    assert client.post(f"/m/u/{token}", data=ONE_CLICK).status_code == 404


def test_old_links_work_when_the_mail_was_deleted_for_its_age_and_keys_were_rotated(mailed: MailedHost) -> None:
    config = mailed.host.config
    token, number = mailed.token(ANN), mailed.forget_by_age(ANN)
    later = mailed_with(mailed, replace(config, secret_keys=("n" * 40, *config.secret_keys)))
    answer = later.test_client().get(f"/m/u/{token}")
    assert "Unsubscribe from “Monthly news”" in answer.text
    assert later.test_client().post(f"/m/u/{token}", data=ONE_CLICK).status_code == 200
    assert mailed.lists_of(ANN) == ["events"]
    assert mailed.host.session.get(OutboxMessage, number) is None


def mailed_with(mailed: MailedHost, config: Config) -> Flask:
    """The same host, started again with other settings."""
    mailed.app.extensions["massmail"] = replace(mailed.host, config=config)
    return mailed.app


# --- What every page has in common ----------------------------------------------------------------------------


def test_test_mail_says_that_nothing_was_changed(mailed: MailedHost, client: FlaskClient) -> None:
    token = mailed.token(ANN, test=True)
    assert "nothing was changed" in client.post(f"/m/u/{token}", data={"stop": "these"}).text
    assert "nothing was changed" in client.post(f"/m/u/{token}/undo", data={"undo": "these"}).text
    assert "nothing was changed" in client.post(f"/m/p/{token}", data={"act": "stop"}).text
    assert client.post(f"/m/u/{token}", data=ONE_CLICK).status_code == 200
    assert mailed.lists_of(ANN) == ["events", "news", "offers"]
    assert mailed.events() == []


def test_every_page_has_its_headers(mailed: MailedHost, client: FlaskClient) -> None:
    for path in (f"/m/u/{mailed.token(BEN)}", f"/m/p/{mailed.token(BEN)}", "/m/u/wrong", "/m/lost", "/m/lost/asked"):
        headers = client.get(path).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Robots-Tag"] == "noindex, nofollow"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in headers["Cache-Control"]
        assert headers["Content-Language"] == "en"
        assert "Set-Cookie" not in headers


def test_broken_link_has_a_page(client: FlaskClient) -> None:
    answer = client.get("/m/u/broken")
    assert answer.status_code == 404
    assert "This link does not work" in answer.text
    assert 'action="/m/lost"' in answer.text


def test_forms_point_to_paths_whatever_the_host_header_says(mailed: MailedHost, client: FlaskClient) -> None:
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    assert "evil.example" not in client.get(f"/m/u/{mailed.token(ANN)}", headers=headers).text


# --- The host around the pages ----------------------------------------------------------------------------


def build(*, protect: str, dress: Any = None) -> MailedHost:
    app = Flask("host")
    app.config["SECRET_KEY"] = "s" * 32
    if protect == "before":
        CSRFProtect(app)
    made = mailed_host(app)
    if protect == "after":
        CSRFProtect(app)
    made.host.hooks.page_context = dress
    app.add_url_rule("/own", "own", lambda: "done", methods=["POST"])
    return made


@pytest.mark.parametrize("protect", ["before", "after"])
def test_pages_work_under_csrf_protect_and_the_hosts_own_stay_protected(protect: str) -> None:
    mailed = build(protect=protect)
    with mailed.app.app_context():
        client, token = mailed.app.test_client(), mailed.token(ANN)
        assert client.post(f"/m/u/{token}", data=ONE_CLICK).status_code == 200
        assert client.post(f"/m/u/{token}/undo", data={"undo": "everything"}).status_code == 200
        assert client.post(f"/m/u/{token}", data={"stop": "these"}).status_code == 200
        assert client.post(f"/m/p/{token}", data={"act": "stop"}).status_code == 200
        assert client.post("/own").status_code == 400
    assert mailed.app.config["WTF_CSRF_ENABLED"]


def test_session_of_the_host_is_left_alone() -> None:
    mailed = build(protect="before")
    mailed.app.add_url_rule("/login", "login", lambda: session.update(user=1) or "in")
    with mailed.app.app_context():
        client = mailed.app.test_client()
        client.get("/login")
        answer = client.post(f"/m/u/{mailed.token(ANN)}", data=ONE_CLICK)
    assert "Set-Cookie" not in answer.headers


def test_dress_of_the_host() -> None:
    mailed = build(
        protect="before",
        dress=lambda: {
            "organisation": "Müller & Söhne",
            "accent": "#FFDD00",
            "logo": "/static/logo.svg",
            "postal_address": "Hauptstraße 1",
            "state": "must not get in the way",
        },
    )
    with mailed.app.app_context():
        client = mailed.app.test_client()
        text = client.get(f"/m/u/{mailed.token(ANN)}").text
        sheet = client.get("/m/page.css")
    assert '<img src="/static/logo.svg" alt="Müller &amp; Söhne">' in text
    assert "Hauptstraße 1" in text
    assert "--accent: #ffdd00; --accent-ink: #1b2229; --link: #1b2229;" in sheet.text
    assert sheet.mimetype == "text/css"
    assert "max-age=604800" in sheet.headers["Cache-Control"]


@pytest.mark.parametrize("accent", ["red;} body{display:none", "url(https://evil.example)", "", None, 7])
def test_colour_that_is_none_is_not_used(accent: Any) -> None:
    mailed = build(protect="before", dress=lambda: {"accent": accent})
    with mailed.app.app_context():
        assert mailed.app.test_client().get("/m/page.css").text.startswith(":root { --accent: #1f5a8a;")


def test_dress_that_fails_does_not_stop_anybody_from_leaving(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> Mapping[str, Any]:
        raise RuntimeError("no logo today")

    mailed = build(protect="before", dress=fail)
    with mailed.app.app_context(), caplog.at_level(logging.ERROR):
        assert mailed.app.test_client().get(f"/m/u/{mailed.token(ANN)}").status_code == 200
    assert "page_context failed" in caplog.text


def test_own_prefix() -> None:
    app = Flask("prefix")
    mailed = mailed_host(app, config={"url_prefix": "/post/x"})
    with app.app_context():
        text = app.test_client().get(f"/post/x/u/{mailed.token(ANN)}").text
    assert 'action="/post/x/u/' in text
