"""What user agents and headers say: mail programs and browsers are people, everything else is told apart."""

import pytest
from crawleruseragents import CRAWLER_USER_AGENTS_DATA
from werkzeug.datastructures import Headers

from massmail_plugin.feedback.machines import LONGEST_AGENT, Hit, judge, signs
from massmail_plugin.vocabulary import EventKind
from tests.feedback.machines.visits import APPLE, CHROME, FIREFOX, GMAIL, SENT

BROWSERS = [
    FIREFOX,
    CHROME,
    CHROME + " Edg/131.0.0.0",
    CHROME + " OPR/116.0.0.0",
    CHROME + " Avast/131.0.0.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
    "Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
    "Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 9; CUBOT_P20 Build/PPR1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/90.0.4430.91 "
    "Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko",
    "Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18",
    "Lynx/2.9.0dev.12 libwww-FM/2.14 SSL-MM/1.4.1 GNUTLS/3.7.8",
]
MAIL_PROGRAMS = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.5.0",
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Microsoft Outlook 16.0.4266; ms-office; MSOffice 16)",
    "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.5332; Pro)",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Outlook-iOS/711.2620504.prod.iphone (3.34.0)",
    "YahooMobileMail/1.0 (Android Mail; 1.0)",
    "Spark/3.21 CFNetwork/1568.200.51 Darwin/24.1.0",
    "Lotus-Notes/6.0 (Windows-NT)",
]
PROXIES = [APPLE, GMAIL, "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", "FastmailUA/1.0"]
SCANNERS = [
    "Barracuda Sentinel (EE)",
    "Mozilla/5.0 (compatible; BarracudaCentral; Windows NT 10.0)",
    "Proofpoint URL Defense",
    "Mimecast-URL-Scanner/1.0",
    "Microsoft Safe Links",
    "Microsoft Office Existence Discovery",
]
ROBOTS = [
    "curl/8.5.0",
    "python-requests/2.31",
    "Go-http-client/2.0",
    "Java/17.0.2",
    "node",
    "Ruby",
    "PHP/8.3",
    "Mozilla/5.0 (compatible)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
]


def verdict(kind: EventKind, agent: str, request: str = "") -> str:
    return judge([Hit(kind=kind, at=SENT, link=1, user_agent=agent, request=request)], None)[0]


@pytest.mark.parametrize("agent", BROWSERS)
def test_browsers_are_people(agent: str) -> None:
    assert (verdict(EventKind.OPEN, agent), verdict(EventKind.CLICK, agent)) == ("", "")


@pytest.mark.parametrize("agent", MAIL_PROGRAMS)
def test_mail_programs_load_images_for_people(agent: str) -> None:
    assert verdict(EventKind.OPEN, agent) == ""


@pytest.mark.parametrize(
    ("agents", "reason"),
    [(PROXIES, "proxy"), (SCANNERS, "scanner"), (ROBOTS, "robot"), (["", "  "], "no_agent")],
)
def test_machines_are_told_apart(agents: list[str], reason: str) -> None:
    assert {agent: verdict(EventKind.OPEN, agent) for agent in agents} == dict.fromkeys(agents, reason)


@pytest.mark.parametrize("agent", [*PROXIES, *SCANNERS, *ROBOTS, *MAIL_PROGRAMS[4:], "", "Anything/1.0", "Mozilla"])
def test_who_follows_a_link_without_a_browser_is_a_machine(agent: str) -> None:
    assert verdict(EventKind.CLICK, agent)


def test_no_crawler_that_is_known_counts() -> None:
    known = [agent for one in CRAWLER_USER_AGENTS_DATA for agent in one.get("instances", [])]
    assert len(known) > 1000
    assert [agent for agent in known if not (verdict(EventKind.OPEN, agent) and verdict(EventKind.CLICK, agent))] == []


def test_an_endless_user_agent_is_cut_off() -> None:
    assert verdict(EventKind.OPEN, "x" * LONGEST_AGENT + "Googlebot") == ""
    assert verdict(EventKind.OPEN, CHROME + " " * 10**6 + "\x00é") == ""


@pytest.mark.parametrize(
    ("method", "headers", "link", "said"),
    [
        ("GET", {"Accept-Language": "de"}, 3, ""),
        ("HEAD", {"accept-language": "de"}, 3, "HEAD"),
        ("GET", {"Sec-Purpose": "prefetch;prerender", "Accept-Language": "de"}, None, "prefetch"),
        ("GET", {"Purpose": "Prefetch", "Accept-Language": "de"}, None, "prefetch"),
        ("GET", {"X-Purpose": "preview", "Accept-Language": "de"}, None, "prefetch"),
        ("GET", {"X-moz": "prefetch", "Accept-Language": "de"}, None, "prefetch"),
        ("GET", {"Range": "bytes=0-1", "Accept-Language": "de"}, None, "part"),
        ("GET", {"Accept-Language": "de"}, 0, "hidden-link"),
        ("HEAD", {"Range": "bytes=0-"}, 0, "HEAD part hidden-link no-language"),
    ],
)
def test_what_a_request_says(method: str, headers: dict[str, str], link: int | None, said: str) -> None:
    assert signs(method, Headers(headers), link=link) == said
