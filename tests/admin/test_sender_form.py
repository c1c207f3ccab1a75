"""The sender's form and page: limits, uncertain mails, signing keys, and how far today's limits are used."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select

from massmail_plugin import leases
from massmail_plugin.channels.dkim_keys import new_keys, record
from massmail_plugin.models import Pace, Sender
from tests.admin.conftest import Catalogue, faults, form_of
from tests.admin.sender_posts import SENDERS, only, save

KEYS = new_keys()
LIMITS = {
    "connections": "4",
    "per_window": "1000",
    "window_count": "2",
    "window_unit": "3600",
    "seconds_between": "0.5",
    "per_day": "20000",
    "spreads_day": "y",
    "domains-0-domain": "gmail.com",
    "domains-0-per_window": "100",
    "domains-0-count": "1",
    "domains-0-unit": "60",
    "uncertain_policy": "resend",
}
SIGNING = {
    "dkim_domain": "example.org",
    "dkim_selector": "news1",
    "rsa_pem": KEYS.rsa,
    "dkim_ed_selector": "news1e",
    "ed25519_pem": KEYS.ed25519,
}


def fields_of(page: str) -> dict[str, str]:
    """What a browser without scripts would send back: the values of inputs and the options that are selected."""
    form = page.partition('<form method="post"')[2].partition("</form>")[0]
    fields = {}
    for tag in re.findall(r"<input[^>]*>", form):
        attributes = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        if attributes.get("type") not in ("checkbox", "radio") or " checked" in tag:
            fields[attributes["name"]] = unescape(attributes.get("value", ""))
    for name, options in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option selected value="([^"]*)"', options) or re.search(r'value="([^"]*)"', options)
        assert chosen
        fields[name] = unescape(chosen[1])
    return fields


def test_what_was_set_comes_back_and_stays_when_saved_again(small_host: Catalogue) -> None:
    save(small_host, **LIMITS)
    sender = only(small_host)
    before = {column.name: getattr(sender, column.key) for column in Sender.__table__.columns}
    assert (before["per_window"], before["window_seconds"], before["seconds_between"]) == (1000, 7200, 0.5)
    assert before["domain_limits"] == [{"domain": "gmail.com", "per_window": 100, "window_seconds": 60}]
    assert (before["spreads_day"], before["uncertain_policy"], before["connections"]) == (True, "resend", 4)
    client = small_host.client()
    fields = fields_of(client.get(f"{SENDERS}{sender.id}/edit").text)
    assert fields.items() >= LIMITS.items()
    assert client.post(f"{SENDERS}{sender.id}/edit", data=fields).status_code == 302
    sender = only(small_host)
    assert {column.name: getattr(sender, column.key) for column in Sender.__table__.columns} == before


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"per_window": "100"}, "window_count", "In which time?"),
        ({"window_count": "1"}, "per_window", "How many mails"),
        ({"per_day": "many"}, "per_day", "Enter a whole number"),
        ({"per_day": "0"}, "per_day", "between 1 and"),
        ({"connections": "9999"}, "connections", "between 1 and 500"),
        ({"seconds_between": "a while"}, "seconds_between", "Enter seconds"),
        ({"ramp_from": "22.11.2026", "ramp_first": "50"}, "ramp_from", "Enter a date"),
        ({"ramp_from": "2026-11-22"}, "ramp_first", "on the first day"),
        ({"spreads_day": "y"}, "per_day", "how many mails a day"),
        ({**LIMITS, "domains-0-domain": "gmail"}, "domains-0-domain", "is not a domain"),
        ({"domains-0-domain": "gmail.com", "domains-0-count": "1"}, "domains-0-per_window", "How many mails?"),
        ({"domains-0-per_window": "5", "domains-0-count": "1"}, "domains-0-domain", "Which domain?"),
        ({"auth": "xoauth2"}, "username", "XOAUTH2 needs the user name"),
        ({**SIGNING, "rsa_pem": "junk"}, "rsa_pem", "cannot be read"),
        ({**SIGNING, "rsa_pem": ""}, "rsa_pem", "never alone"),
        ({**SIGNING, "dkim_domain": ""}, "dkim_domain", "for which domain"),
        ({"uncertain_policy": "perhaps"}, "uncertain_policy", ""),
    ],
)  # fmt: skip
def test_wrong_values_are_named_at_their_fields(
    small_host: Catalogue, values: dict[str, str], field: str, words: str
) -> None:
    answer = save(small_host, **values)
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    at_the_field = answer.text.partition(f'id="{field}-error"')[2].partition("</div>")[0]
    assert words in at_the_field
    assert "PRIVATE KEY-----\r\n" not in answer.text
    assert small_host.host.session.scalar(select(Sender)) is None


def test_two_lines_for_one_domain(small_host: Catalogue) -> None:
    line = {"domain": "gmail.com", "per_window": "1", "count": "1", "unit": "60"}
    answer = save(small_host, **{f"domains-{n}-{name}": value for n in (0, 2) for name, value in line.items()})
    assert 'href="#domains"' in answer.text
    assert "There are 2 lines for gmail.com" in answer.text.partition('id="domains-error"')[2]


def test_senders_cannot_carry_on_in_a_circle(small_host: Catalogue) -> None:
    save(small_host, name="First", per_day="10")
    first = only(small_host).id
    save(small_host, name="Second", per_day="10", spill_to_id=str(first))
    second = small_host.host.session.scalars(select(Sender.id).where(Sender.name == "Second")).one()
    answer = save(small_host, f"{first}/edit", name="First", per_day="10", spill_to_id=str(second))
    assert answer.status_code == 422
    assert "This leads in a circle" in answer.text.partition('id="spill_to_id-error"')[2]
    assert "carries on" in small_host.client().get(f"{SENDERS}{second}").text


def test_keys_are_kept_and_never_shown_again(small_host: Catalogue) -> None:
    save(small_host, **SIGNING)
    sender = only(small_host)
    for path in (f"{sender.id}", f"{sender.id}/edit"):
        assert "BEGIN PRIVATE KEY-----\n" not in small_host.client().get(SENDERS + path).text
    page = small_host.client().get(f"{SENDERS}{sender.id}").text
    for selector, key in (("news1", KEYS.rsa), ("news1e", KEYS.ed25519)):
        name, told = record("example.org", selector, key)
        assert name in page
        assert told in unescape(page)
    save(small_host, f"{sender.id}/edit", **{**SIGNING, "rsa_pem": "", "ed25519_pem": "", "name": "Renamed"})
    assert only(small_host).name == "Renamed"
    assert (only(small_host).dkim_key or "").split() == KEYS.rsa.split()


def test_new_keys_are_used_once_their_records_are_published(small_host: Catalogue) -> None:
    save(small_host, from_address="news@mail.example.org")
    path = f"{SENDERS}{only(small_host).id}/keys"
    client = small_host.client()
    asked = fields_of(client.get(path).text)
    assert asked["domain"] == "mail.example.org"
    made = client.post(path, data={**asked, "domain": "Example.org"}).text
    assert only(small_host).dkim_domain == ""
    assert "BEGIN PRIVATE KEY" not in made
    assert client.post(path, data=fields_of(made)).status_code == 302
    assert only(small_host).dkim_domain == "example.org"
    shown = unescape(client.get(path.removesuffix("/keys")).text)
    for selector, key in (
        (only(small_host).dkim_selector, only(small_host).dkim_key),
        (only(small_host).dkim_ed_selector, only(small_host).dkim_ed_key),
    ):
        told = record("example.org", selector, key or "")
        assert told.name in unescape(made)
        assert told.text in unescape(made)
        assert told.text in shown


@pytest.mark.parametrize("values", [{"domain": "localhost"}, {"sealed": "something of mine"}])
def test_what_is_no_domain_and_what_is_not_ours_makes_no_keys(small_host: Catalogue, values: dict[str, str]) -> None:
    save(small_host)
    path = f"{SENDERS}{only(small_host).id}/keys"
    client = small_host.client()
    answer = client.post(path, data={**form_of(client.get(path).text), **values})
    assert answer.status_code == 422
    assert "Nothing was changed" in answer.text
    assert only(small_host).dkim_key is None


def test_a_signature_of_another_domain_is_pointed_out(small_host: Catalogue) -> None:
    words = "The signature does not count for the From address"
    save(small_host, **SIGNING, from_address="news@mail.example.org")
    sender = only(small_host)
    assert words not in small_host.client().get(f"{SENDERS}{sender.id}").text
    sender.from_address = "news@example.com"
    small_host.host.session.commit()
    assert words in small_host.client().get(f"{SENDERS}{sender.id}").text


def test_the_page_says_how_far_the_limits_are_used(small_host: Catalogue) -> None:
    save(small_host, per_day="1000", ramp_from="2020-01-01", ramp_first="50")
    sender = only(small_host)
    now = leases.database_now(small_host.host)
    sender.ramp_from = now.date() - timedelta(days=3)
    slow = {"slow_rate": 0.2, "slow_at": now, "day_count": 0}
    small_host.host.session.add_all(
        [
            Pace(sender_id=sender.id, domain="", day=now.date(), day_count=168, next_at=now + timedelta(minutes=9)),
            Pace(sender_id=sender.id, domain="gmail.com", **slow),
        ]
    )
    small_host.host.session.commit()
    page = small_host.client().get(f"{SENDERS}{sender.id}").text
    assert "168 of 168 mails" in page
    assert "Today’s mails are used up. The rest waits for the next day." in page
    assert "All mail: the next one may leave at" in page
    assert "Mail to gmail.com is slowed down to 12 a minute" in page
    assert re.findall(r"<td>([\d,]+)</td>", page) == ["168", "253", "379", "569", "854"]
    assert "After that, the limit of the day holds." in page


def test_yesterdays_count_is_not_todays(small_host: Catalogue) -> None:
    save(small_host, per_day="1000")
    yesterday = leases.database_now(small_host.host).date() - timedelta(days=1)
    small_host.host.session.add(Pace(sender_id=only(small_host).id, domain="", day=yesterday, day_count=700))
    small_host.host.session.commit()
    assert "0 of 1,000 mails" in small_host.client().get(f"{SENDERS}{only(small_host).id}").text


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("width", [1280, 390])
def test_everything_open_is_clean(
    small_host: Catalogue, open_page: Callable[..., Any], width: int, scripts: bool
) -> None:
    """All parts of the form opened, with errors in them; then the page with everything set. Also without scripts."""
    save(small_host, name="Other")
    page = open_page(small_host, width=width, scripts=scripts)
    page.goto(SENDERS + "new")
    page.get_by_label("Name", exact=True).fill("News")
    page.get_by_label("Server", exact=True).fill("smtp.example.org")
    page.get_by_label("From address").fill("news@example.org")
    for summary in page.locator("summary").all():
        summary.click()
    page.locator("#per_window").fill("1000")
    page.locator("#ramp_first").fill("50")
    page.locator("#domains-0-domain").fill("gmail")
    page.locator("#dkim_domain").fill("example.org")
    page.get_by_role("button", name="Save sender").click()
    page.get_by_text("things need another look").wait_for()
    assert _is_clean(page, width, scripts)
    for name, value in {**SIGNING, "domains-0-domain": "gmail.com", "domains-0-per_window": "9"}.items():
        page.locator(f"#{name}").fill(value)
    page.locator("#domains-0-count").fill("1")
    page.locator("#window_count").fill("1")
    page.locator("#ramp_from").fill("2099-11-22")
    page.locator("#spill_to_id").select_option(label="Other")
    page.get_by_role("button", name="Save sender").click()
    page.get_by_text("The sender “News” was saved.").wait_for()
    assert _is_clean(page, width, scripts)
    page.get_by_role("link", name="Make new keys").click()
    page.get_by_role("button", name="Make keys").click()
    page.get_by_text("Publish these two records").wait_for()
    assert _is_clean(page, width, scripts)


def _is_clean(page: Any, width: int, scripts: bool) -> bool:
    """Nothing hangs over the edge; axe, which is a script itself, runs where scripts do."""
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not scripts or faults(page) == []
    return True


def test_the_return_path_is_kept_and_leaves_room_for_a_token(small_host: Catalogue) -> None:
    answer = save(small_host, return_path="a-very-long-local-part@example.org")
    assert answer.status_code == 422
    assert "At most 19 characters may stand before the @" in answer.text
    save(small_host, return_path="bounces@mail.example.org")
    sender = small_host.host.session.scalars(select(Sender)).one()
    assert sender.return_path == "bounces@mail.example.org"
    assert "bounces@mail.example.org" in small_host.client().get(f"{SENDERS}{sender.id}").text


def test_the_address_for_opting_out_by_mail_leaves_room_for_a_token_too(small_host: Catalogue) -> None:
    answer = save(small_host, opt_out_address="a-very-long-local-part@example.org")
    assert answer.status_code == 422
    assert "At most 19 characters may stand before the @" in answer.text
    save(small_host, opt_out_address="leave@mail.example.org")
    sender = small_host.host.session.scalars(select(Sender)).one()
    assert sender.opt_out_address == "leave@mail.example.org"
    assert "leave@mail.example.org" in small_host.client().get(f"{SENDERS}{sender.id}").text
