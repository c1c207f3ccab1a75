"""The recipients' addresses: forged tokens, odd numbers, other sites as targets, and a Host header that lies."""

import re
from collections.abc import Iterator

import pytest

from massmail_plugin.signed_links import message_token
from massmail_plugin.testing import run_jobs
from tests.attacks import hostile
from tests.attacks.crm import ADMIN, BASE_URL, BROWSER, Crm

ANNA = "anna@example.org"
AGENT = {"User-Agent": BROWSER}
WISHES = {"List-Unsubscribe": "One-Click", "stop": "everything", "act": "stop"}


def requests(token: str) -> Iterator[tuple[str, str]]:
    """Everything a token can be used for."""
    yield from (
        ("GET", f"/m/o/{token}.gif"),
        ("GET", f"/m/c/{token}/1"),
        ("GET", f"/m/u/{token}"),
        ("GET", f"/m/p/{token}"),
    )
    yield from (("POST", f"/m/u/{token}"), ("POST", f"/m/u/{token}/undo"), ("POST", f"/m/p/{token}"))


def forged(crm: Crm) -> Iterator[str]:
    """Anna's token with one character changed, cut off, longer, made of two, and signed with other keys."""
    good, other = crm.token(ANNA), crm.token("four@example.org")
    for place, letter in enumerate(good):
        yield good[:place] + ("A" if letter != "A" else "B") + good[place + 1 :]
    yield from (
        good[:-1],
        good[1:],
        good + "A",
        good + "=",
        good.swapcase(),
        good[: len(good) // 2] + other[len(other) // 2 :],
    )
    yield from ("." * len(good), good.replace(good[0], "%00", 1), "%F0%9F%92%A9" * 8)


def test_a_forged_token_opens_nothing(standing: Crm) -> None:
    visitor, before = standing.app.test_client(), standing.state()
    for token in forged(standing):
        for method, path in requests(token):
            answer = visitor.open(path, method=method, data=WISHES if method == "POST" else None, headers=AGENT)
            assert answer.status_code == 404, (method, path)
            assert ANNA.encode() not in answer.data
    assert standing.state() == before


def test_a_token_of_other_keys_opens_nothing(crm: Crm, make_crm) -> None:  # type: ignore[no-untyped-def]
    stranger = make_crm(MASSMAIL_SECRET_KEYS=["a key that is not the one of this host"])
    token, before = message_token(stranger.host.config, 6, 1), crm.state()
    for method, path in requests(token):
        assert crm.app.test_client().open(path, method=method, data=WISHES).status_code == 404, path
    assert crm.state() == before


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_only_a_post_takes_somebody_off(standing: Crm, method: str) -> None:
    visitor, token, before = standing.app.test_client(), standing.token(ANNA), standing.state()
    for path in (f"/m/u/{token}", f"/m/u/{token}/undo", f"/m/p/{token}"):
        data = WISHES if method not in ("GET", "HEAD") else None
        assert visitor.open(path, method=method, query_string=WISHES, data=data).status_code < 500
    assert standing.state() == before


@pytest.mark.parametrize("number", ["2", "2147483648", "9" * 19, "9" * 40, "9" * 5000, "-1", "x", "1.5"])
def test_a_link_that_is_not_in_the_mail_leads_nowhere(standing: Crm, number: str) -> None:
    answer = standing.app.test_client().get(f"/m/c/{standing.token(ANNA)}/{number}", headers=AGENT)
    assert (answer.status_code, answer.headers.get("Location")) == (404, None)


def test_a_click_leads_to_the_stored_target_alone(crm: Crm) -> None:
    evil = dict.fromkeys(("url", "u", "next", "to", "redirect", "target"), "https://evil.example/")
    headers = {**AGENT, "Host": "evil.example", "X-Forwarded-Host": "evil.example", "Referer": "https://evil.example/"}
    answer = crm.app.test_client().get(f"/m/c/{crm.token(ANNA)}/1", query_string=evil, headers=headers)
    assert answer.headers["Location"] == "https://shop.example/x"
    back = crm.app.test_client().get(f"/m/u/{crm.token(ANNA)}/undo", query_string=evil, headers=headers)
    assert back.headers["Location"] == f"/m/u/{crm.token(ANNA)}"


def test_mails_lead_to_the_base_url_whatever_the_request_said(crm: Crm) -> None:
    visitor, headers = crm.visitor("developer"), {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
    token = crm.csrf("developer")
    page = f"{ADMIN}/mailings/{crm.ids['draft_id']}"
    number = re.search(r'name="expected"[^>]*value="(\d+)"', visitor.get(f"{page}/launch", headers=headers).text)
    assert number is not None
    data = {"expected": number.group(1), "csrf_token": token}
    assert visitor.post(f"{page}/launch", data=data, headers=headers).status_code == 302
    test = f"{ADMIN}/templates/{crm.ids['template_id']}/test"
    asked = {"addresses": "me@example.org", "sender_id": "", "csrf_token": token}
    assert visitor.post(test, data=asked, headers=headers).status_code == 302
    assert run_jobs(crm.app) >= 6
    for message in crm.carried.messages:
        assert b"evil.example" not in message.content.replace(b"evil@evil.example", b"")
        assert BASE_URL.encode() + b"/m/u/" in message.content.replace(b"=\r\n", b"").replace(b"\r\n ", b"")


def test_recipients_pages_show_markup_of_names_as_text(standing: Crm) -> None:
    visitor, token = standing.app.test_client(), standing.token(ANNA)
    for path in (f"/m/u/{token}", f"/m/p/{token}"):
        text = visitor.get(path).text
        assert "&lt;script&gt;alert(2)" in text
        assert "<script" not in text
        assert ANNA not in text
    assert hostile.SCRIPT not in visitor.post(f"/m/u/{token}", data={"stop": hostile.SCRIPT}).text


@pytest.mark.parametrize("value", [["1", "2"], ["9" * 40], ["²"], ["-1"], ["x\x00"], [hostile.DROP]])
def test_odd_wishes_change_nothing_of_others(crm: Crm, value: list[str]) -> None:
    visitor, token = crm.app.test_client(), crm.token(ANNA)
    for data in ({"act": "save", "list": value}, {"act": value}, {"stop": value}, {"list[]": value}):
        assert visitor.post(f"/m/p/{token}", data=data).status_code == 200
        assert visitor.post(f"/m/u/{token}", data=data).status_code == 200
    page = crm.visitor("developer").get(f"{ADMIN}/lists/{crm.ids['list_id']}").text
    assert "four@example.org" in page
