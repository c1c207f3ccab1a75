"""The webhook screens: made with a secret shown once, tested against a real receiver, log read, switched, deleted."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from massmail_plugin.models import OutcomeReport, Webhook, WebhookDelivery
from tests.admin.conftest import NOON, SENDING, Catalogue, build, faults, form_of
from tests.admin.test_system import report
from tests.outcomes.receiving import receiving, status

__all__ = ["report"]

HOOKS = "/admin/massmail/webhooks/"


@pytest.fixture
def small_host(tmp_path):
    """A host that lets webhooks go to this machine."""
    built = build(tmp_path, MASSMAIL_WEBHOOK_INTERNAL_HOSTS="127.0.0.1")
    with built.app.app_context():
        yield built


def made(small_host: Catalogue, url: str = "https://crm.example.org/in", **values: Any) -> str:
    """A webhook made through the form; its secret."""
    client = small_host.client()
    form = form_of(client.get(HOOKS + "new").text)
    page = client.post(HOOKS + "new", data={**form, "name": "CRM", "url": url, **values})
    assert page.status_code == 200, page.text
    return re.search(r"whsec_[A-Za-z0-9+/=]+", page.text.replace("&#43;", "+")).group()


def hook(small_host: Catalogue) -> Webhook:
    small_host.host.session.rollback()
    return small_host.host.session.scalars(select(Webhook).execution_options(populate_existing=True)).one()


def logged(small_host: Catalogue, report: OutcomeReport) -> None:
    """Two lines of the log."""
    for state, problem in (("set_aside", "HTTP 422: it did not take it. It said: <b>no</b>"), ("delivered", "")):
        small_host.host.session.add(
            WebhookDelivery(
                webhook_id=1,
                report_id=report.id if state == "delivered" else 0,
                state=state,
                attempts=9,
                due_at=NOON,
                tried_at=NOON,
                code=200,
                problem=problem,
            )
        )
    small_host.host.session.commit()


def test_the_secret_is_shown_once(small_host: Catalogue) -> None:
    assert "No webhook yet" in small_host.client().get(HOOKS).text
    secret = made(small_host, outcomes=["clicked", "complained"])
    assert hook(small_host).secret == secret
    assert hook(small_host).outcomes == ["clicked", "complained"]
    for path in ("", "1", "1/edit"):
        assert secret not in small_host.client().get(HOOKS + path).text


@pytest.mark.parametrize("url", ["http://crm.example.org/", "https://", "https://u:p@crm.example.org/", "file:///x"])
def test_an_address_that_may_not_be_used_is_refused_at_the_field(small_host: Catalogue, url: str) -> None:
    client = small_host.client()
    form = form_of(client.get(HOOKS + "new").text)
    page = client.post(HOOKS + "new", data={**form, "name": "CRM", "url": url})
    assert page.status_code == 422
    assert 'id="url-error"' in page.text


def test_the_test_button_says_what_came(small_host: Catalogue) -> None:
    with receiving() as there:
        made(small_host, there.url)
        client = small_host.client()
        form = form_of(client.get(HOOKS + "1").text)
        page = client.post(HOOKS + "1/test", data=form, follow_redirects=True)
        assert "It took the test: HTTP 200." in page.text
        there.answer = status(500, body=b"<script>x</script>")
        page = client.post(HOOKS + "1/test", data=form, follow_redirects=True)
        assert "HTTP 500" in page.text
        assert "<script>x" not in page.text
        assert len(there.requests) == 2


def test_a_new_secret_another_address_and_the_switch(small_host: Catalogue) -> None:
    first = made(small_host)
    client = small_host.client()
    form = form_of(client.get(HOOKS + "1/secret").text)
    assert hook(small_host).secret == first
    assert "whsec_" in client.post(HOOKS + "1/secret", data=form).text
    assert hook(small_host).former_secret == first
    page = client.post(HOOKS + "1/edit", data={**form, "name": "CRM", "url": "https://other.example.org/"})
    assert "whsec_" in page.text
    assert hook(small_host).former_secret is None
    client.post(HOOKS + "1/switch", data=form)
    assert not hook(small_host).active
    client.post(HOOKS + "1/switch", data={**form, "on": "yes"})
    assert hook(small_host).active


def test_the_log_is_read_and_sent_again(small_host: Catalogue, report: OutcomeReport) -> None:
    made(small_host)
    logged(small_host, report)
    client = small_host.client()
    page = client.get(HOOKS + "1").text
    assert "&lt;b&gt;no&lt;/b&gt;" in page
    assert "Winter fair" in page
    client.post(HOOKS + "1/retry/1", data=form_of(page))
    small_host.host.session.rollback()
    assert small_host.host.session.get_one(WebhookDelivery, 1, populate_existing=True).state == "waiting"
    client.post(HOOKS + "1/retry", data=form_of(page))
    client.post(HOOKS + "1/delete", data=form_of(page))
    small_host.host.session.rollback()
    assert small_host.host.session.scalars(select(WebhookDelivery)).all() == []


@pytest.mark.parametrize("path", ["", "new", "1", "1/edit", "1/secret", "1/delete"])
def test_they_are_not_for_writers(small_host: Catalogue, path: str) -> None:
    made(small_host)
    assert "webhook.manage" in {act.value for act in SENDING}
    assert small_host.client("writer").get(HOOKS + path).status_code == 403
    assert small_host.client("nobody").get(HOOKS + path).status_code == 403


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", ["", "new", "1", "1/secret", "1/delete"])
def test_the_pages_are_clean(
    small_host: Catalogue, report: OutcomeReport, open_page: Callable[..., Any], path: str, width: int
) -> None:
    made(small_host)
    logged(small_host, report)
    page = open_page(small_host, width=width)
    page.goto(HOOKS + path)
    assert faults(page) == []
    assert page.troubles == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
