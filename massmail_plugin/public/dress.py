"""The host's dress for the recipients' pages: name, logo, colour, and a style sheet made from them."""

import hashlib
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from flask import Blueprint, Response, current_app, request

from massmail_plugin.contracts import Host

log = logging.getLogger(__name__)

STYLE_SECONDS = 7 * 24 * 3600
CALM_BLUE = "#1f5a8a"
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class Dress:
    """How the pages look. `context` is all the host's `page_context` hook gave, for templates of its own."""

    organisation: str
    postal_address: str
    logo: str
    accent: str
    context: Mapping[str, Any]

    @classmethod
    def of(cls, host: Host) -> "Dress":
        """From the host's hook: `organisation`, `postal_address`, `logo` (an address on the host itself, for the
        pages load nothing from elsewhere) and `accent` (like #1f5a8a); what it leaves out comes from the settings.
        """
        given = _from_hook(host)
        accent = str(given.get("accent") or "")
        own = {key: value for key, value in given.items() if key != "dress"}
        return cls(
            organisation=str(given.get("organisation") or host.config.organisation or host.config.domain),
            postal_address=str(given.get("postal_address") or host.config.postal_address),
            logo=str(given.get("logo") or ""),
            accent=accent.lower() if _COLOUR.fullmatch(accent) else CALM_BLUE,
            context=own,
        )

    @property
    def style_sheet(self) -> str:
        """Style sheet with the colours of this dress."""
        ink = "#ffffff" if _contrast(self.accent, "#ffffff") >= 4.5 else "#1b2229"
        link = self.accent if _contrast(self.accent, "#ffffff") >= 4.5 else "#1b2229"
        return f":root {{ --accent: {self.accent}; --accent-ink: {ink}; --link: {link}; }}\n{_sheet()}"

    @property
    def version(self) -> str:
        """Changes with the style sheet, so that browsers may keep it."""
        return hashlib.sha256(self.style_sheet.encode()).hexdigest()[:12]


def add_routes(pages: Blueprint) -> None:
    pages.add_url_rule("/page.css", "style_sheet", _style_sheet)


def _style_sheet() -> Response:
    dress = Dress.of(current_app.extensions["massmail"])
    response = Response(dress.style_sheet, mimetype="text/css")
    response.cache_control.max_age = STYLE_SECONDS
    response.cache_control.public = True
    response.set_etag(dress.version)
    return response.make_conditional(request)  # type: ignore[return-value]


def _from_hook(host: Host) -> Mapping[str, Any]:
    """A dress that fails must not keep anybody from opting out."""
    if host.hooks.page_context is None:
        return {}
    try:
        return host.hooks.page_context() or {}
    except Exception:
        log.exception("The host's page_context failed; the page is shown in plain dress")
        return {}


@lru_cache(maxsize=1)
def _sheet() -> str:
    return (files("massmail_plugin") / "static" / "public.css").read_text(encoding="utf-8")


def _contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2, 1.4.3)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
