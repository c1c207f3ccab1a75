"""The mail of a mailing with the number of clicks beside each link, shaded by how many. Screens enter; only reads."""

import re
from collections.abc import Mapping
from dataclasses import replace

from massmail_plugin.composing.html_source import end_tag, replaced
from massmail_plugin.composing.links import HIDDEN_LINK, LINKS, link_addresses
from massmail_plugin.contracts import Host
from massmail_plugin.mailings.as_sent import SentMail, as_received, words
from massmail_plugin.mailings.statistics.links import LinkCounts
from massmail_plugin.models import Mailing, OutboxMessage

SHADES = ("#eef4f9", "#d3e5f2", "#abd0e8", "#7db8dc", "#f2b632")
"""From none or few clicks to most; dark ink can be read on each."""
_NUMBER = re.compile(rf"{LINKS}\[(\d+)\]")
_BADGE = (
    '<span style="display:inline-block;margin:0 0 0 4px;padding:0 6px;border:1px solid #22303c;border-radius:9px;'
    "background:{shade};color:#10202c;font:600 12px/18px sans-serif;letter-spacing:0;text-decoration:none;"
    'text-transform:none;white-space:nowrap">{words}</span>'
)


def link_map(host: Host, mailing: Mailing, message: OutboxMessage, counts: Mapping[int, int]) -> SentMail:
    """The mail of one message, with `counts` (link number -> clicks or mails) as badges after the links.

    Raises BadRequest where contact or words are gone, RenderError.
    """
    prepared = words(host, mailing)
    return as_received(host, message, replace(prepared, html=_with_badges(prepared.html, counts)))


def numbers(links: list[LinkCounts], *, unique: bool) -> dict[int, int]:
    """Link number -> how often it was clicked, or (`unique`) in how many mails."""
    return {it.link.number: it.mails if unique else it.hits for it in links if it.link.number != HIDDEN_LINK}


def shade(number: int, most: int) -> str:
    """The shade of a number, in five equal steps up to the largest."""
    return SHADES[min(number * len(SHADES) // most, len(SHADES) - 1) if most else 0]


def _with_badges(html: str, counts: Mapping[int, int]) -> str:
    whole, most = sum(counts.values()), max(counts.values(), default=0)
    edits = []
    for tag, href in link_addresses(html):
        found = _NUMBER.search(href.written)
        if tag.name == "a" and found and int(found[1]) != HIDDEN_LINK:
            number = counts.get(int(found[1]), 0)
            share = f" · {100 * number / whole:.0f} %" if number else ""
            badge = _BADGE.format(shade=shade(number, most), words=f"{number:,}{share}")
            place = end_tag(html, tag)
            edits.append((place, place, badge))
    return replaced(html, edits)
