"""Reads a caught mail as a mailbox program would: its parts, its links, its pixel, its one-click address."""

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser

ONE_CLICK_BODY = b"List-Unsubscribe=One-Click"
HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)
# New windows for links; the sandbox around the page keeps scripts and forms out.
MAILBOX_HEAD = '<base target="_blank">'


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Hands a redirect back as the HTTPError it came as."""

    def redirect_request(self, *args: object) -> None:
        return None


# The machine's own addresses are never asked for through a proxy.
DIRECT = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler({}))


def read(content: bytes) -> EmailMessage:
    """The message in these bytes."""
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def html_of(message: EmailMessage) -> str | None:
    """The HTML part as text, or None."""
    return _text(message.get_body(("html",)))


def text_of(message: EmailMessage) -> str | None:
    """The plain part as text, or None."""
    return _text(message.get_body(("plain",)))


def _text(part: object) -> str | None:
    return str(part.get_content()) if isinstance(part, EmailMessage) else None


def for_mailbox(html: str) -> str:
    """The HTML with links that open beside the mailbox."""
    found = HEAD.search(html)
    at = found.end() if found else 0
    return html[:at] + MAILBOX_HEAD + html[at:]


def attachments_of(message: EmailMessage) -> Iterator[tuple[str, int]]:
    """Name and size in bytes of every attachment."""
    for part in message.iter_attachments():
        yield part.get_filename() or part.get_content_type(), len(part.get_payload(decode=True) or b"")


def links_of(html: str) -> list[str]:
    """The web addresses of all links, in order."""
    targets = (node.attributes.get("href") or "" for node in LexborHTMLParser(html).css("a[href]"))
    return [target for target in targets if target.startswith(("http://", "https://"))]


def pixel_of(html: str) -> str | None:
    """The address of the first picture of one by one pixel, or None."""
    for picture in LexborHTMLParser(html).css("img[src]"):
        if picture.attributes.get("width") == "1" and picture.attributes.get("height") == "1":
            return picture.attributes.get("src")
    return None


def one_click_address(message: EmailMessage) -> str | None:
    """The address for unsubscribing by one click if the mail offers it as RFC 8058 asks, else None."""
    if (message.get("List-Unsubscribe-Post") or "").strip().encode() != ONE_CLICK_BODY:
        return None
    offered = re.findall(r"<([^>]*)>", str(message.get("List-Unsubscribe") or ""))
    return next((address for address in offered if urlsplit(address).scheme in {"http", "https"}), None)


def post_one_click(address: str, user_agent: str) -> int:
    """Posts as a mailbox provider does: fixed body, no cookie, no redirect followed. Returns the HTTP status.

    Raises OSError if nobody answers.
    """
    request = urllib.request.Request(address, data=ONE_CLICK_BODY, headers={"User-Agent": user_agent}, method="POST")
    try:
        with DIRECT.open(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code
