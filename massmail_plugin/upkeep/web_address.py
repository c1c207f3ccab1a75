"""Check of the address under which recipients reach us: safe, and answered by us. The doctor enters."""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from ipaddress import ip_address
from typing import IO, Any
from urllib.parse import urlsplit

from massmail_plugin.contracts import Host
from massmail_plugin.upkeep.check import Check, fail, ok, warning

SECONDS = 2.0
# No token can be read from this, so the page for broken links answers.
PROBE = "/u/doctor"


def base_url(host: Host) -> Iterator[Check]:
    """MASSMAIL_BASE_URL is https (but on this machine), and our pages answer there."""
    parts = urlsplit(host.config.base_url)
    if parts.scheme != "https" and not on_this_machine(parts.hostname or ""):
        yield warning(
            "base url",
            f"{host.config.base_url} is not https: mail programs then offer no one-click opt-out.",
            "Serve the application by https and set MASSMAIL_BASE_URL to that address.",
        )
    else:
        yield ok("base url", host.config.base_url)
    yield _answer(host)


def on_this_machine(name: str) -> bool:
    """True for localhost and the loopback addresses."""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def _answer(host: Host) -> Check:
    url = host.config.public_root + PROBE
    status, headers, problem = _asked(url)
    if status is None:
        return warning(
            "recipients' pages",
            f"{host.config.public_root} does not answer from here: {problem}",
            "Start the web application, and see that MASSMAIL_BASE_URL leads to it. It may answer elsewhere.",
        )
    if status == 404 and "noindex" in headers.get("X-Robots-Tag", ""):
        return ok("recipients' pages", f"Our pages answer at {host.config.public_root}.")
    return fail(
        "recipients' pages",
        f"Something else answers at {host.config.public_root} (status {status}): opt-out links would not work.",
        "See that MASSMAIL_BASE_URL and MASSMAIL_URL_PREFIX lead to this application without login or redirect.",
    )


Answer = tuple[int | None, Any, str]


def _asked(url: str) -> Answer:
    """Status, headers, problem. In a thread, because looking up a name knows no time limit."""
    answers: list[Answer] = []
    thread = threading.Thread(target=lambda: answers.append(_fetch(url)), daemon=True)
    thread.start()
    thread.join(2 * SECONDS)
    return answers[0] if answers else (None, {}, f"no answer within {2 * SECONDS:.0f} seconds")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        return None


def _fetch(url: str) -> Answer:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())
    try:
        with opener.open(url, timeout=SECONDS) as answer:
            return answer.status, answer.headers, ""
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, ""
    except (OSError, ValueError) as error:
        return None, Message(), str(getattr(error, "reason", error))
