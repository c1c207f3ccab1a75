"""Pages under attack: who may enter, which requests change something, and what becomes of markup others wrote."""

from collections.abc import Callable, Iterator

import pytest
from selectolax.lexbor import LexborHTMLParser

from massmail_plugin.vocabulary import Act
from sample_host.mailing import ALLOWED
from tests.attacks import hostile
from tests.attacks.crm import ADMIN, ROLES, Crm
from tests.attacks.doors import NEEDED, doors

MIMETYPES = {
    "criteria.export": "text/csv",
    "imports.errors": "text/csv",
    "lists.export": "text/csv",
    "mailings.file": "text/csv",
    "received.file": "application/octet-stream",
    "sign-ups.export": "text/csv",
    "suppressions.export": "text/csv",
}
VIEWS = ("desktop", "phone", "text", "source", "headers")


def pages(crm: Crm) -> Iterator[str]:
    """Every page there is, also in its other views."""
    for door in doors(crm.app, crm.ids, "GET"):
        yield door.path
    template, mailing, list_ = (crm.ids[name] for name in ("template_id", "mailing_id", "list_id"))
    yield from (f"{ADMIN}/templates/{template}?view={view}" for view in VIEWS)
    yield from (
        f"{ADMIN}/mailings/{mailing}/people/{which}" for which in ("failed", "skipped", "read", "clicked", "removed")
    )
    yield from (f"{ADMIN}/lists/{list_}?state=unsubscribed", f"{ADMIN}/lists/{list_}/add?q=a")
    yield from (f"{ADMIN}/lists/{list_}/by-criterion?criterion=1", f"{ADMIN}/suppressions/new?q=a")
    yield from (f"/contacts/{number}" for number in range(1, 7))


def dangers(page: str) -> list[str]:
    """Markup that could run something: handlers, scripts in the page, frames without a sandbox, odd targets."""
    found = []
    for node in LexborHTMLParser(page).css("*"):
        attributes = {name: value or "" for name, value in node.attributes.items()}
        found += [f"<{node.tag} {name}>" for name in attributes if name.startswith("on")]
        if node.tag == "script" and not attributes.get("src", "").startswith("/") and node.text(strip=True):
            found.append(f"script: {node.text()[:60]}")
        if node.tag == "iframe" and (
            "sandbox" not in attributes or {"allow-scripts", "allow-same-origin"} & set(attributes["sandbox"].split())
        ):
            found.append("frame without a sandbox")
        targets = [attributes.get(name, "").strip().lower() for name in ("href", "action", "formaction", "src")]
        found += [target for target in targets if target.startswith(("javascript:", "vbscript:", "data:text", "//"))]
    return found


def test_what_others_wrote_is_text_on_every_page(standing: Crm) -> None:
    visitor, wrong = standing.visitor("developer"), {}
    seen = ""
    for path in pages(standing):
        answer = visitor.get(path, follow_redirects=True)
        assert answer.status_code in (200, 405), path
        if answer.mimetype == "text/html" and (found := dangers(answer.text)):
            wrong[path] = found
        seen += answer.text
    assert wrong == {}
    for number in (1, 2, 3, 5):
        assert f"alert({number})" in seen, "the attack did not arrive on any page"


def test_what_a_visitor_sends_comes_back_as_text(crm: Crm) -> None:
    text = hostile.QUOTE + hostile.SVG + hostile.SCRIPT
    visitor, token, wrong = crm.visitor("developer"), crm.csrf("developer"), {}
    names = ("q", "name", "address", "addresses", "state", "reason", "contact", "source", "page", "after", "seen")
    for door in doors(crm.app, crm.ids, "GET", "POST"):
        values = dict.fromkeys(names, text)
        if door.method == "GET":
            answer = visitor.get(door.bare, query_string={**values, **door.asked})
        else:
            answer = visitor.post(
                door.path, data={**values, "csrf_token": token, "subject": text, "html": text}, follow_redirects=True
            )
        if answer.mimetype == "text/html" and (found := dangers(answer.text)):
            wrong[door] = found
        assert answer.status_code < 500, door
    assert wrong == {}


# --- Who may enter -----------------------------------------------------------------------------------------


def test_every_address_is_in_the_table(standing: Crm) -> None:
    assert {door.name for door in doors(standing.app, standing.ids, "GET", "POST")} == set(NEEDED)


def test_a_stranger_gets_to_the_login_and_nowhere_else(standing: Crm) -> None:
    stranger, before = standing.visitor(""), standing.state()
    token = crm_token(standing)
    for door in doors(standing.app, standing.ids, "GET", "POST"):
        answer = stranger.open(
            door.path, method=door.method, data={"csrf_token": token} if door.method == "POST" else None
        )
        assert answer.status_code == 302, door
        assert answer.headers["Location"].startswith("/login"), door
    assert standing.state() == before


def crm_token(crm: Crm) -> str:
    """A stranger's own token, from the login page."""
    page = LexborHTMLParser(crm.visitor("").get("/login").text)
    return page.css_first("input[name=csrf_token]").attributes["value"] or ""


@pytest.mark.parametrize("role", ROLES)
def test_without_the_act_nothing_opens_and_nothing_changes(standing: Crm, role: str) -> None:
    visitor, token, before = standing.visitor(role), standing.csrf(role), standing.state()
    for door in doors(standing.app, standing.ids, "GET", "POST"):
        if door.act in ALLOWED[role]:
            continue
        data = {"csrf_token": token} if door.method == "POST" else None
        answer = visitor.open(door.path, method=door.method, data=data)
        assert answer.status_code == 403, door
        assert "no right" in answer.text, door
    assert standing.state() == before


@pytest.mark.parametrize("role", ["marketing", "operations"])
def test_with_the_act_every_page_opens_and_says_what_it_is(standing: Crm, role: str) -> None:
    visitor = standing.visitor(role)
    for door in doors(standing.app, standing.ids, "GET"):
        if door.act in ALLOWED[role]:
            answer = visitor.get(door.path, follow_redirects=True)
            assert (answer.status_code, answer.mimetype) == (200, MIMETYPES.get(door.name, "text/html")), door
            assert answer.headers.get("Content-Disposition", "attachment").startswith("attachment"), door


def test_a_host_that_admits_only_some_acts_hides_people(
    make_crm: Callable[..., Crm], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The contact panel, names in lists and exports need their own right, also on pages that open."""
    crm = make_crm()
    monkeypatch.setitem(ALLOWED, "marketing", set(Act) - {Act.PEOPLE_VIEW})
    visitor = crm.visitor("marketing")
    assert "massmail-panel" not in visitor.get("/contacts/6").text
    for door in doors(crm.app, crm.ids, "GET"):
        if door.act is not Act.PEOPLE_VIEW and "template" not in door.name and door.name not in ("overview.index",):
            page = visitor.get(door.path, follow_redirects=True).text
            assert "anna@example.org" not in page, door


def test_a_session_of_another_host_key_is_a_stranger(make_crm: Callable[..., Crm]) -> None:
    crm, other = make_crm(), make_crm(SECRET_KEY="another key of another host")
    stolen = crm.visitor("developer").get_cookie("fernhill_session")
    assert stolen is not None
    client = other.app.test_client()
    client.set_cookie("fernhill_session", stolen.value)
    assert client.get(ADMIN + "/").status_code == 302


# --- Forged requests ---------------------------------------------------------------------------------------


TEMPTING = {
    "expected": "5",
    "typed": "5",
    "step": "apply",
    "act": "stop",
    "stop": "everything",
    "name": "Evil",
    "note": "x",
    "present": "yes",
    "contact_source": "contact",
    "contact_key": "1",
    "again": "1",
    "criterion": "1",
    "_method": "POST",
}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_only_a_post_changes_anything(standing: Crm, method: str) -> None:
    visitor, before = standing.visitor("developer"), standing.state()
    for door in doors(standing.app, standing.ids, "GET", "POST"):
        headers = {"X-HTTP-Method-Override": "POST"}
        asked = {**TEMPTING, **door.asked}
        answer = visitor.open(door.bare, method=method, query_string=asked, headers=headers)
        assert answer.status_code < 500, door
        if method in ("GET", "HEAD"):
            assert answer.status_code in ((200, 302) if door.method == "GET" else (200, 302, 405)), door
    assert standing.state() == before


@pytest.mark.parametrize("host_protects", [True, False])
def test_a_post_without_our_token_is_refused(make_crm: Callable[..., Crm], host_protects: bool) -> None:
    crm = make_crm(WTF_CSRF_CHECK_DEFAULT=host_protects)
    visitor, foreign, before = crm.visitor("developer"), crm.csrf("operations"), crm.state()
    forged = ({}, {"csrf_token": ""}, {"csrf_token": foreign}, {"csrf_token": crm.csrf("developer")[:-1] + "!"})
    for door in doors(crm.app, crm.ids, "POST"):
        for data in forged:
            answer = visitor.post(
                door.path, data={"name": "Evil", **data}, headers={"Referer": "https://evil.example/"}
            )
            assert answer.status_code == 400, door
        assert visitor.post(door.path, json={"csrf_token": crm.csrf("developer")}).status_code == 400, door
    assert crm.state() == before


def test_there_is_no_way_out_to_another_site(crm: Crm) -> None:
    visitor, token = crm.visitor("developer"), crm.csrf("developer")
    away = dict.fromkeys(("next", "url", "back", "return_url", "return_to", "redirect"), "https://evil.example/")
    headers = {"Referer": "https://evil.example/", "X-Forwarded-Host": "evil.example"}
    for door in doors(crm.app, crm.ids, "GET", "POST"):
        data = {**away, "csrf_token": token} if door.method == "POST" else None
        asked = {**away, **door.asked}
        answer = visitor.open(door.bare, method=door.method, query_string=asked, data=data, headers=headers)
        assert answer.headers.get("Location", f"{ADMIN}/").startswith(f"{ADMIN}/"), door
        assert not [target for target in targets(answer.text) if "evil.example" in target.partition("?")[0]], door


def targets(page: str) -> list[str]:
    """Every address on the page."""
    nodes = LexborHTMLParser(page).css("[href], [action], [src]")
    return [str(node.attributes.get(name) or "") for node in nodes for name in ("href", "action", "src")]


def test_a_second_click_makes_nothing_twice(crm: Crm) -> None:
    visitor, token = crm.visitor("developer"), crm.csrf("developer")
    draft = f"{ADMIN}/mailings/{crm.ids['draft_id']}/launch"
    number = crm_number(visitor.get(draft).text)
    for path, data in (
        (draft, {"expected": number}),
        (f"{ADMIN}/lists/new", {"name": "Twice"}),
        (f"{ADMIN}/templates/new", {"name": "Twice", "subject": "x", "format": "text", "text": "x"}),
        (f"{ADMIN}/campaigns/new", {"name": "Twice"}),
        (
            f"{ADMIN}/criteria/new",
            {"name": "Twice", "rule-glue": "all", "rule-0-what": "field:city", "rule-0-op": "is", "rule-0-value": "x"},
        ),
        (f"{ADMIN}/campaigns/{crm.ids['campaign_id']}/steps", {"day": "3", "template_id": str(crm.ids["template_id"])}),
        (f"{ADMIN}/suppressions/new", {"address": "twice@example.org", "scope": ""}),
        (f"{ADMIN}/suppressions/{crm.ids['suppression_id']}/release", {"note": "They asked"}),
    ):
        first = visitor.post(path, data={**data, "csrf_token": token})
        assert first.status_code == 302, (path, first.text[-3000:])
        between = crm.state()
        second = visitor.post(path, data={**data, "csrf_token": token})
        assert second.status_code in (302, 404, 409, 422), path
        assert crm.state() == between, path


def crm_number(page: str) -> str:
    """The number the question names."""
    return LexborHTMLParser(page).css_first("input[name=expected]").attributes["value"] or ""
