"""Plays the recipients of caught mails over HTTP: opens, clicks, and unsubscribes by one click."""

import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from sample_host.catcher import reading, store

# Mail programs and browsers say who they are; anything else counts as a machine.
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class BrokenMail(RuntimeError):
    """A caught mail lacks what its recipient needs; the message says what."""


@dataclass(frozen=True)
class Letter:
    """A caught mail as its recipient sees it: to whom, its Message-ID, and the addresses in it."""

    rcpt_to: str
    message_id: str
    first_link: str
    one_click: str
    pixel: str | None
    """None in a mail to somebody who did not agree to be tracked: then its links lead straight away from us."""


def letters_in(folder: Path) -> list[Letter]:
    """Every caught mail, oldest first."""
    return [letter(folder, name) for name in reversed(store.names(folder))]


def letter(folder: Path, name: str) -> Letter:
    """One caught mail; raises BrokenMail if it lacks link, one-click address or Message-ID."""
    message = reading.read(store.content(folder, name))
    html = reading.html_of(message) or ""
    one_click = reading.one_click_address(message)
    links = [link for link in reading.links_of(html) if link != one_click]
    message_id = str(message["Message-ID"] or "").strip()
    for what, value in {"Message-ID": message_id, "link": links, "one-click address": one_click}.items():
        if not value:
            raise BrokenMail(f"The caught mail {name} has no {what}.")
    to = store.envelope(folder, name).rcpt_to[0]
    return Letter(to, message_id, links[0], str(one_click), reading.pixel_of(html))


def show_pictures(letter: Letter) -> None:
    """The mail program loads the pixel, where there is one."""
    if letter.pixel:
        fetch(letter.pixel, 200)


def follow_link(letter: Letter) -> None:
    """The recipient clicks on the first link; where it leads to is not visited."""
    if letter.pixel:
        fetch(letter.first_link, 302, 303, 307, 308)


def unsubscribe(letter: Letter) -> None:
    """The mailbox provider posts to the one-click address."""
    status = reading.post_one_click(letter.one_click, BROWSER)
    if status not in {200, 202, 204}:
        raise BrokenMail(f"The one-click address answered {status}: {letter.one_click}")


def fetch(address: str, *wanted: int) -> None:
    """Gets an address without following a redirect; raises BrokenMail for another status than wanted."""
    request = urllib.request.Request(address, headers={"User-Agent": BROWSER, "Accept-Language": "en"})
    try:
        with reading.DIRECT.open(request, timeout=20) as answer:
            status = int(answer.status)
    except urllib.error.HTTPError as other:
        other.close()
        status = other.code
    if status not in wanted:
        raise BrokenMail(f"{address} answered {status}, not {' or '.join(map(str, wanted))}.")
