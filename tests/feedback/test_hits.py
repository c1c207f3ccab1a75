"""Opens and clicks: who counts, what is kept, and where links may lead."""

import pytest
from sqlalchemy import select

from massmail_plugin import feedback
from massmail_plugin.errors import BadLink
from massmail_plugin.feedback.machines import verdict
from massmail_plugin.models import Event, Suppression
from massmail_plugin.smtp_status import reply
from massmail_plugin.vocabulary import EventKind
from tests.public.mailed_host import ANN, BEN, BROWSER, MailedHost

PERSON = feedback.Visitor(BROWSER, {})
ROBOT = feedback.Visitor("Googlebot/2.1", {})

HUMANS = [
    BROWSER,
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.5.0",
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Microsoft Outlook 16.0.4266; ms-office; MSOffice 16)",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Outlook-iOS/711.2620504.prod.iphone (3.34.0)",
]
MACHINES = [
    "",
    "  ",
    "Mozilla/5.0",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
    "Barracuda Sentinel (EE)",
    "curl/8.5.0",
    "python-requests/2.31",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "x" * 5000 + "Googlebot",
]


@pytest.mark.parametrize("agent", HUMANS)
def test_mail_programs_and_browsers_are_people(agent: str) -> None:
    assert verdict(agent, {}) == ""


@pytest.mark.parametrize("agent", MACHINES[:-1])
def test_robots_proxies_and_scanners_are_machines(agent: str) -> None:
    assert verdict(agent, {})


def test_endless_user_agent_is_cut_off() -> None:
    assert verdict(MACHINES[-1], {}) == ""


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"X-Moz": "prefetch"}, {"Range": "bytes=0-1"}],
)
def test_fetching_ahead_is_a_machine(headers: dict[str, str]) -> None:
    assert verdict(BROWSER, headers)


def test_first_open_is_reported_and_every_open_is_kept(mailed: MailedHost) -> None:
    number = mailed.message(ANN).id
    for _ in range(3):
        feedback.record_open(mailed.host, number, PERSON)
    mailed.host.session.commit()
    assert mailed.events() == [("open", False)] * 3
    assert mailed.reports() == [("1", "read", 0)]
    assert mailed.woken == ["outcomes"]


def test_open_by_a_machine_is_kept_and_reported_to_nobody(mailed: MailedHost) -> None:
    feedback.record_open(mailed.host, mailed.message(ANN).id, ROBOT)
    mailed.host.session.commit()
    assert mailed.events() == [("open", True)]
    assert mailed.host.session.scalars(select(Event.machine_reason)).one() == "robot"
    assert mailed.reports() == []
    assert mailed.woken == []


def test_click_implies_read(mailed: MailedHost) -> None:
    to = feedback.destination(mailed.host, mailed.message(BEN).id, 1)
    feedback.record_click(mailed.host, to, PERSON)
    feedback.record_click(mailed.host, to, PERSON)
    mailed.host.session.commit()
    assert mailed.reports() == [("2", "read", 0), ("2", "clicked", 0)]
    assert mailed.events() == [("click", False)] * 2
    event = mailed.host.session.scalars(select(Event).limit(1)).one()
    assert event.link_id == to.link_id
    assert event.user_agent == BROWSER


def test_test_mail_leaves_no_trace(mailed: MailedHost) -> None:
    number = mailed.message(ANN, test=True).id
    feedback.record_open(mailed.host, number, PERSON)
    to = feedback.destination(mailed.host, number, 1)
    feedback.record_click(mailed.host, to, PERSON)
    feedback.complaint(mailed.host, mailed.message(ANN, test=True))
    feedback.bounce(mailed.host, mailed.message(ANN, test=True), reply(550, "5.1.1 nobody"))
    mailed.host.session.commit()
    assert to.url.startswith("https://shop.example/")
    assert (mailed.events(), mailed.reports()) == ([], [])
    assert mailed.host.session.scalars(select(Suppression)).all() == []


def test_link_with_a_field_leads_where_the_recipient_belongs(mailed: MailedHost) -> None:
    assert feedback.destination(mailed.host, mailed.message(BEN).id, 2).url == "https://shop.example/of/Ben"
    assert feedback.destination(mailed.host, mailed.message(ANN).id, 4).url == "https://shop.example/caf%C3%A9"


@pytest.mark.parametrize("number", [0, 3, 5, 6, 7, 99])
def test_link_that_leads_to_no_web_page_is_bad(mailed: MailedHost, number: int) -> None:
    with pytest.raises(BadLink):
        feedback.destination(mailed.host, mailed.message(ANN).id, number)


def test_unknown_mail_is_a_bad_link(mailed: MailedHost) -> None:
    with pytest.raises(BadLink):
        feedback.record_open(mailed.host, 4711, PERSON)


def test_complaint_stops_the_address_and_is_reported(mailed: MailedHost) -> None:
    for _ in range(2):
        feedback.complaint(mailed.host, mailed.message(ANN), detail="abuse")
    mailed.host.session.commit()
    stop = mailed.host.session.scalars(select(Suppression)).one()
    assert (stop.address, stop.reason, stop.scope) == ("ann@example.org", "complaint", "all_but_transactional")
    assert mailed.reports() == [("1", "complained", 0)]


@pytest.mark.parametrize(
    ("code", "text", "dead"),
    [
        (550, "5.1.1 nobody here", True),
        (550, "5.7.26 not authenticated", False),
        (552, "5.2.2 mailbox full", False),
        (450, "4.2.1 later", False),
        (554, "5.7.1 blocked", False),
    ],
)
def test_only_a_dead_address_is_stopped(mailed: MailedHost, code: int, text: str, dead: bool) -> None:
    feedback.bounce(mailed.host, mailed.message(ANN), reply(code, text))
    mailed.host.session.commit()
    assert mailed.events() == [(EventKind.BOUNCE.value, False)]
    assert [row[1] for row in mailed.reports()] == (["bounced"] if dead else [])
    assert len(mailed.host.session.scalars(select(Suppression)).all()) == int(dead)
