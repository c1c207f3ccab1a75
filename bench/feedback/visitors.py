"""Who comes to the links of a mail: mail filters, previewers, image proxies and robots, each in a way of its own, and
people. All of them over HTTP, with nothing but the mail in hand.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from http.client import HTTPConnection
from itertools import cycle
from urllib.parse import urlsplit

Headers = Mapping[str, str]
Fetch = Callable[[str, str, Headers], int]
"""Method, path and headers of a request; gives the status of the answer."""

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
SAFARI = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1"
)
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
APPLE = "Mozilla/5.0"
PROXIES = (GMAIL, APPLE, "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html")
KNOWN = (
    "Barracuda Sentinel (EE)",
    "Mozilla/5.0 (compatible; Proofpoint URL Defense)",
    "Microsoft Office Existence Discovery",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36",
    "python-requests/2.32.3",
    "curl/8.5.0",
    "Go-http-client/2.0",
    "",
)
AHEAD = ({"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"X-Moz": "prefetch"})


@dataclass(frozen=True)
class Letter:
    """What a program finds in a mail: paths of its pixel, of links to follow, and of pages about leaving."""

    images: tuple[str, ...]
    links: tuple[str, ...]
    ways_out: tuple[str, ...]

    @property
    def everything(self) -> tuple[str, ...]:
        return (*self.images, *self.links, *self.ways_out)

    @property
    def shown(self) -> tuple[str, ...]:
        """The links a reader can see."""
        return tuple(link for link in self.links if not link.endswith("/0"))


def opened(content: bytes) -> Letter:
    """Everything that leads somewhere, in HTML, text and headers."""
    mail = message_from_bytes(content, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    html, text = (mail.get_body((kind,)) for kind in ("html", "plain"))
    found = _Addresses()
    found.feed(html.get_content() if html else "")
    rest = f"{text.get_content() if text else ''} {mail['List-Unsubscribe']}"
    addresses = [*found.addresses, *re.findall(r"https?://[^\s<>]+", rest)]
    paths = list(dict.fromkeys(urlsplit(one).path for one in addresses))
    kinds = ("/o/", "/c/", "/u/", "/p/")
    images, links, out, preferences = (tuple(path for path in paths if kind in path) for kind in kinds)
    return Letter(images, links, (*out, *preferences))


class _Addresses(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value for name, value in attrs if name in ("href", "src") and value]


def over_http(port: int) -> Fetch:
    """Requests to a server on this machine, each with a connection of its own."""

    def fetch(method: str, path: str, headers: Headers) -> int:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request(method, path, headers=dict(headers))
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    return fetch


# --- Programs -------------------------------------------------------------------------------------------------


def _browser(agent: str) -> Headers:
    """What a browser says; programs that hide say it too."""
    return {"User-Agent": agent, "Accept": "text/html,*/*;q=0.8", "Accept-Language": "en-GB,en;q=0.5"}


class Scanners:
    """Ways to go through a mail; `seconds` is how long those take that pretend to be in no hurry."""

    def __init__(self, fetch: Fetch, seconds: float) -> None:
        self._fetch = fetch
        self._seconds = seconds

    def ways(self) -> Mapping[str, Callable[[Letter], None]]:
        return {
            "everything at once": self.at_once,
            "everything within seconds": self.within_seconds,
            "HEAD first": self.head_first,
            "HEAD, then one link": self.head_then_one,
            "known names": self.known_names,
            "a name for each link": self.changing_names,
            "the hidden link and one more": self.hidden_link,
            "ahead of the reader": self.ahead,
            "only a part": self.part,
            "image proxies": self.proxies,
            "one link at once, without a language": self.wordless,
        }

    def at_once(self, letter: Letter) -> None:
        self._get(letter.everything, CHROME)

    def within_seconds(self, letter: Letter) -> None:
        """As slowly as it can be while all is seen within the time."""
        for path in self._slowly(letter.everything):
            self._get([path], CHROME)

    def head_first(self, letter: Letter) -> None:
        for path in letter.everything:
            self._fetch("HEAD", path, _browser(SAFARI))
        self._get(letter.everything, SAFARI)

    def head_then_one(self, letter: Letter) -> None:
        self._fetch("HEAD", letter.shown[0], _browser(FIREFOX))
        self._get(letter.shown[:1], FIREFOX)

    def known_names(self, letter: Letter) -> None:
        for agent in KNOWN:
            self._get(letter.everything, agent)

    def changing_names(self, letter: Letter) -> None:
        for path, number in zip(self._slowly(letter.everything), cycle(range(100, 132)), strict=False):
            self._get([path], CHROME.replace("131", str(number)))

    def hidden_link(self, letter: Letter) -> None:
        hidden = [link for link in letter.links if link not in letter.shown]
        self._get([letter.shown[-1], *hidden], FIREFOX)

    def ahead(self, letter: Letter) -> None:
        for purpose in AHEAD:
            for path in (*letter.images, *letter.shown[:1]):
                self._fetch("GET", path, {**_browser(CHROME), **purpose})

    def part(self, letter: Letter) -> None:
        for path in (*letter.images, *letter.shown[:1]):
            self._fetch("GET", path, {**_browser(CHROME), "Range": "bytes=0-1023"})

    def proxies(self, letter: Letter) -> None:
        for agent in PROXIES:
            self._get(letter.images, agent)

    def wordless(self, letter: Letter) -> None:
        self._fetch("GET", letter.shown[0], {"User-Agent": CHROME, "Accept": "*/*"})

    def _get(self, paths: tuple[str, ...] | list[str], agent: str) -> None:
        for path in paths:
            self._fetch("GET", path, _browser(agent))

    def _slowly(self, paths: tuple[str, ...]) -> Iterator[str]:
        for path in paths:
            yield path
            time.sleep(self._seconds / len(paths))


# --- People ---------------------------------------------------------------------------------------------------


class Readers:
    """Ways to read a mail, each ending with a click."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    def ways(self) -> Mapping[str, Callable[[Letter], None]]:
        return {"a browser": self.in_a_browser, "Gmail": self.in_gmail, "images off": self.without_images}

    def in_a_browser(self, letter: Letter) -> None:
        for path in (*letter.images, letter.shown[2]):
            self._fetch("GET", path, _browser(FIREFOX))

    def in_gmail(self, letter: Letter) -> None:
        """The proxy of the mail service loads the pixel; the click comes from the reader's own browser."""
        self._fetch("GET", letter.images[0], {"User-Agent": GMAIL})
        self._fetch("GET", letter.shown[0], _browser(CHROME))

    def without_images(self, letter: Letter) -> None:
        self._fetch("GET", letter.shown[1], _browser(SAFARI))
