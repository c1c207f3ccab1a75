"""The doctor looks at the recipients' pages: layout, words and languages that the settings name."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, current_app

from massmail_plugin.contracts import Host
from massmail_plugin.upkeep.check import Check, Level
from massmail_plugin.upkeep.pages import pages
from tests.public.mailed_host import mailed_host


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    app = Flask("pages", template_folder=str(tmp_path))
    made = mailed_host(app)
    with app.app_context():
        yield made.host


def said(host: Host, **settings: Any) -> list[Check]:
    return list(pages(replace(host, config=replace(host.config, **settings))))


def test_without_settings_all_is_well(host: Host) -> None:
    (check,) = said(host)
    assert (check.level, check.text) == (Level.OK, "Recipients can read them in 5 languages.")


@pytest.mark.parametrize("text", [None, "{% block content %}", "{% extends nothing.at() %}{{ oops"])
def test_a_layout_that_cannot_be_used(host: Host, tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "shop.html").write_text(text)
    (check,) = said(host, public_layout="shop.html")
    assert check.level is Level.WARNING
    assert "shown without it" in check.text


def test_a_layout_that_can_be_used(host: Host, tmp_path: Path) -> None:
    (tmp_path / "shop.html").write_text("{% block content %}{% endblock %}")
    assert current_app.jinja_env.get_template("shop.html")
    assert [check.level for check in said(host, public_layout="shop.html")] == [Level.OK]


def test_a_folder_without_catalogues_and_languages_that_are_not_there(host: Host, tmp_path: Path) -> None:
    words = [check.text for check in said(host, translations=str(tmp_path), languages=("de", "tlh"))]
    assert words == [
        f"There are no catalogues in {tmp_path}, so the words are ours.",
        "The pages are not there in tlh, so these languages are not offered.",
    ]
