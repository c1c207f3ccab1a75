"""The links of a mail: which are counted, under which number, and which must not be there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from html import unescape

from massmail_plugin.composing.html_source import LIQUID, Attribute, StartTag, end_tag, replaced, start_tags
from massmail_plugin.composing.interests import NO_INTEREST, Interest, interest_of, traces
from massmail_plugin.composing.template_filters import HREF_FILTER
from massmail_plugin.composing.template_language import CONSTRUCT

LINKS = "massmail_links"
"""Name of the addresses of counted links in prepared templates; not for authors."""

HIDDEN_LINK = 0
"""The number of a link no reader sees: whoever follows it goes through the mail by program."""


class LinkKind(Enum):
    """What becomes of an address: counted, kept as it is, guarded at rendering, or refused."""

    COUNTED = auto()
    KEPT = auto()
    GUARDED = auto()
    RELATIVE = auto()
    REFUSED = auto()


@dataclass(frozen=True)
class PreparedLink:
    """A counted link: its number in the mail, where it leads (may hold Liquid), the words it stands under, and what
    its author says a click on it means.
    """

    number: int
    target: str
    label: str
    interest: Interest = NO_INTEREST


@dataclass
class LinkBook:
    """Gives every distinct target, with what a click on it means, one number, from 1 on, in the order they are met."""

    links: dict[tuple[str, Interest], PreparedLink] = field(default_factory=dict)

    def number(self, target: str, label: str, interest: Interest = NO_INTEREST) -> int:
        key = target, interest
        if key not in self.links:
            self.links[key] = PreparedLink(len(self.links) + 1, target, label[:200], interest)
        return self.links[key].number

    def number_of(self, target: str) -> int:
        """That of the first link which leads there, whatever it means: an address in a text says nothing of it."""
        known = next((link.number for link in self.links.values() if link.target == target), None)
        return known or self.number(target, target)


_COUNTED = re.compile(r"https?://[^/?#\s{]+(?:[/?#]|$)", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_OWN = re.compile(r"\{\{-?\s*(?:unsubscribe_url|preferences_url)\b")
_BLANKS = re.compile(r"[\x00-\x20\x7f-\xa0]+")
_BAD_SCHEMES = ("javascript:", "vbscript:", "data:", "file:")
_ADDRESSES = ("href", "src", "action", "formaction", "background", "xlink:href")
_MARKUP = re.compile(rf"{CONSTRUCT}|<[^<>]*>", re.DOTALL)
_ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_TEXT_URL = re.compile(
    rf"""<(?P<enclosed>https?://(?:{CONSTRUCT}|[^\s<>])+)>
       | (?P<bare>https?://(?:\{{\{{(?:(?!\}}\}}).)*+\}}\}}|[^\s<>"'{{}}|\\^`])+)""",
    re.DOTALL | re.VERBOSE | re.IGNORECASE,
)


def kind_of(address: str) -> LinkKind:
    """What becomes of the address of a link, Liquid included."""
    address = address.strip()
    literal = _BLANKS.sub("", LIQUID.split(address)[0])
    scheme = _SCHEME.match(literal)
    if scheme and scheme.group().lower() in _BAD_SCHEMES:
        return LinkKind.REFUSED
    if _COUNTED.match(address):
        return LinkKind.COUNTED
    if scheme or not address or address.startswith("#") or _OWN.match(address):
        return LinkKind.KEPT
    return LinkKind.GUARDED if LIQUID.search(address) else LinkKind.RELATIVE


def link_addresses(html: str) -> Iterator[tuple[StartTag, Attribute]]:
    """The addresses one can follow in `html`: of `a`, `area`, and of the shapes Outlook draws as buttons."""
    for tag in start_tags(html):
        if tag.name in ("a", "area") or tag.name.startswith("v:"):
            href = tag.attribute("href")
            if href is not None:
                yield tag, href


def refused_addresses(html: str) -> Iterator[Attribute]:
    """Addresses of any element that would run a script or read a file; `data:` is left to images."""
    for tag in start_tags(html):
        for one in tag.attributes:
            if one.name in _ADDRESSES and kind_of(one.value) is LinkKind.REFUSED and not _picture(one):
                yield one


def _picture(one: Attribute) -> bool:
    return one.name in ("src", "background") and one.value.strip().lower().startswith("data:image/")


def with_counted_links(html: str, book: LinkBook, *, count: bool) -> str:
    """`html` with counted links led through their numbers, and links that begin with a value guarded."""
    edits = []
    for tag, href in link_addresses(html):
        kind = kind_of(href.value)
        if kind is LinkKind.COUNTED and count:
            number = book.number(href.value.strip(), _label(html, tag), interest_of(tag))
            edits.append((href.start, href.end, f'"{placeholder(number)}"'))
        elif kind is LinkKind.GUARDED:
            edits.append((href.start, href.end, _guarded(href)))
        edits.extend(traces(html, tag))
    return replaced(html, sorted(edits))


def with_counted_addresses(text: str, book: LinkBook) -> str:
    """`text` with the addresses written in it led through their numbers."""
    return _TEXT_URL.sub(lambda found: _counted_address(found, book), text)


def placeholder(number: int) -> str:
    return f"{{{{ {LINKS}[{number}] }}}}"


def _counted_address(found: re.Match[str], book: LinkBook) -> str:
    address, rest = (found["enclosed"], "") if found["enclosed"] else _without_stop(found["bare"])
    if kind_of(address) is not LinkKind.COUNTED:
        return found.group()
    marked = placeholder(book.number_of(address)) + rest
    return f"<{marked}>" if found["enclosed"] else marked


def _without_stop(address: str) -> tuple[str, str]:
    """An address and the punctuation behind it that belongs to the sentence."""
    kept = address.rstrip(".,;:!?")
    while kept.endswith((")", "]")) and kept.count(")") + kept.count("]") > kept.count("(") + kept.count("["):
        kept = kept[:-1].rstrip(".,;:!?")
    return kept, address[len(kept) :]


def _guarded(href: Attribute) -> str:
    kept = HREF_FILTER
    inner = href.written.replace('"', "&quot;") if not LIQUID.search(href.written) else href.written
    return f'"{{% capture {kept} %}}{inner}{{% endcapture %}}{{{{ {kept} | {kept} }}}}"'


def _label(html: str, tag: StartTag) -> str:
    inner = html[tag.end : end_tag(html, tag)] if tag.name == "a" else html[tag.start : tag.end]
    alt = _ALT.search(inner)
    words = " ".join(unescape(_MARKUP.sub(" ", inner)).split())
    return words or (unescape(alt[1] or alt[2] or "") if alt else "")
