"""The pages inside the host's own layout: its blocks, its style, and what happens where it fails."""

import logging
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.public.mailed_host import ANN, BEN, MailedHost, mailed_host

LAYOUT = """<!doctype html><html><head><title>{% block title %}{% endblock %} | Shop</title>
<style>body { color: red }</style>{% block head %}<meta name="shop" content="1">{% endblock %}</head>
<body><nav>Our shop</nav>{% block content %}{% endblock %}</body></html>"""
BRIDGE = """{% extends "shop.html" %}
{% block name_of_page %}{% block title %}{% endblock %}{% endblock %}
{% block main %}{% block content %}{% endblock %}{% endblock %}"""
SHOP = "<html><title>{% block name_of_page %}{% endblock %}</title><p>Shop</p>{% block main %}{% endblock %}</html>"


def shop(tmp_path: Path, templates: dict[str, str], layout: str) -> tuple[FlaskClient, MailedHost]:
    for name, text in templates.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    app = Flask("shop", template_folder=str(tmp_path))
    made = mailed_host(app, config={"public_layout": layout})
    app.app_context().push()
    return app.test_client(), made


def test_the_host_gives_the_page_and_we_what_stands_in_it(tmp_path: Path) -> None:
    client, mailed = shop(tmp_path, {"mail.html": LAYOUT}, "mail.html")
    page = client.get(f"/m/u/{mailed.token(BEN)}")
    assert "<title>Unsubscribe | Shop</title>" in page.text
    assert "<nav>Our shop</nav>" in page.text
    assert '<meta name="shop" content="1">' in page.text
    assert '<link rel="stylesheet" href="/m/page.css?v=' in page.text
    assert "<h1>Unsubscribe from “Monthly news”?</h1>" in page.text
    assert "massmail-page" not in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert policy.startswith("default-src 'self'; ")


def test_a_layout_with_other_names_for_its_blocks_is_bridged(tmp_path: Path) -> None:
    client, mailed = shop(tmp_path, {"mail.html": BRIDGE, "shop.html": SHOP}, "mail.html")
    page = client.get(f"/m/u/{mailed.token(BEN)}?lang=de").text
    assert "<title>Abmelden</title><p>Shop</p>" in page
    assert "Von „Monthly news“ abmelden?" in page


def test_a_page_may_be_replaced_by_one_of_the_same_name(tmp_path: Path) -> None:
    own = '{% extends "massmail/public/page.html" %}{% block page %}<h1>{{ _("Unsubscribe") }}!</h1>{% endblock %}'
    client, mailed = shop(tmp_path, {"massmail/public/ask.html": own}, "")
    assert "<h1>Abmelden!</h1>" in client.get(f"/m/u/{mailed.token(BEN)}?lang=de").text


@pytest.mark.parametrize(
    ("templates", "layout"),
    [
        ({}, "there_is_none.html"),
        ({"mail.html": "{% block content %}{{ 1 / 0 }}{% endblock %}{{ nothing.at.all }}"}, "mail.html"),
        ({"mail.html": "{% block content %}"}, "mail.html"),
        ({"massmail/public/base.html": "{{ oops( }}"}, ""),
        ({"massmail/public/words.html": "{{ 1 / 0 }}"}, ""),
    ],
)
def test_a_layout_that_fails_keeps_nobody_from_leaving(
    tmp_path: Path, templates: dict[str, str], layout: str, caplog: pytest.LogCaptureFixture
) -> None:
    client, mailed = shop(tmp_path, templates, layout)
    with caplog.at_level(logging.ERROR):
        page = client.get(f"/m/u/{mailed.token(ANN)}")
        done = client.post(f"/m/u/{mailed.token(ANN)}", data={"stop": "these"})
    assert "Unsubscribe from “Monthly news”" in page.text
    assert "You are unsubscribed" in done.text
    assert mailed.lists_of(ANN) == ["events"]
    assert "shown without" in caplog.text


def test_a_context_processor_that_fails_keeps_nobody_from_leaving(tmp_path: Path) -> None:
    client, mailed = shop(tmp_path, {}, "")
    mailed.app.context_processor(lambda: {"rate": 1 / 0})
    assert "Unsubscribe from “Monthly news”" in client.get(f"/m/u/{mailed.token(ANN)}").text
