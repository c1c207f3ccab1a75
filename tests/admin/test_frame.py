"""The frame: who may enter, what a post needs, how refusals read, and that two apps live side by side."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.admin.conftest import Catalogue, faults

OVERVIEW = "/admin/massmail/"


def test_strangers_are_sent_to_the_hosts_login(small_host: Catalogue) -> None:
    answer = small_host.client("").get(OVERVIEW)
    assert answer.status_code == 302
    assert "/sign-in" in answer.location


def test_without_right_a_page_says_who_can_help(small_host: Catalogue) -> None:
    answer = small_host.client("nobody").get(OVERVIEW)
    assert answer.status_code == 403
    assert "Ask whoever manages the accounts of Small host" in answer.text


def test_without_a_permission_hook_nobody_enters(make_host: Callable[..., Catalogue]) -> None:
    answer = make_host("closed", permission=None).client("all").get(OVERVIEW)
    assert answer.status_code == 403
    assert "massmail.may" in answer.text


def test_the_menu_shows_only_what_one_may_do(small_host: Catalogue) -> None:
    assert OVERVIEW in small_host.client("all").get("/admin/").text
    assert "massmail" not in small_host.client("nobody").get("/admin/").text
    assert "massmail" not in small_host.client("").get("/admin/").text


def test_two_apps_have_views_of_their_own(make_host: Callable[..., Catalogue]) -> None:
    one, two = make_host("one"), make_host("two", init_admin_later=True)
    for built in (one, two):
        assert built.client().get(OVERVIEW).status_code == 200
    assert one.app.view_functions["massmail_overview.index"] is not two.app.view_functions["massmail_overview.index"]


@pytest.mark.parametrize("width", [1280, 390])
def test_the_overview_is_clean(small_host: Catalogue, open_page: Callable[..., Any], width: int) -> None:
    page = open_page(small_host, width=width)
    page.goto(OVERVIEW)
    assert faults(page) == []
    assert page.troubles == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
