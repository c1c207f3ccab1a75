"""What is kept of one request for a pixel or a link, so that it can be judged again. Nothing is committed here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from massmail_plugin.composing import HIDDEN_LINK
from massmail_plugin.vocabulary import EventKind

HEAD, PREFETCH, PART, HIDDEN, NO_LANGUAGE = "HEAD", "prefetch", "part", "hidden-link", "no-language"
"""The signs `Hit.request` may hold."""

_AHEAD_HEADERS = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
_AHEAD_WORDS = ("prefetch", "preview", "prerender")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One fetch of a mail's pixel (`kind` OPEN) or of a link in it (CLICK)."""

    kind: EventKind
    at: datetime
    link: int | None = None
    """Of a click: number or id of the link; only whether two are the same matters."""
    user_agent: str = ""
    request: str = ""
    """What `signs` gave."""


def signs(method: str, headers: Mapping[str, str], *, link: int | None = None) -> str:
    """What a request says about who fetches, in a few words of ASCII; `link` is the number in a click's address.

    `headers` finds names in any case, as Werkzeug's do.
    """
    found = {
        HEAD: method == "HEAD",
        PREFETCH: any(
            word in said for name in _AHEAD_HEADERS if (said := headers.get(name, "").lower()) for word in _AHEAD_WORDS
        ),
        PART: "Range" in headers,
        HIDDEN: link == HIDDEN_LINK,
        NO_LANGUAGE: not headers.get("Accept-Language"),
    }
    return " ".join(sign for sign, there in found.items() if there)
