"""Finds start tags in an author's HTML, without parsing it into a tree: what is not edited stays byte for byte."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

from massmail_plugin.composing.template_language import CONSTRUCT

LIQUID = re.compile(CONSTRUCT, re.DOTALL)


@dataclass(frozen=True)
class Attribute:
    """An attribute of a start tag; `start` and `end` enclose what is written for its value, with quotes if any."""

    name: str
    written: str
    start: int
    end: int

    @property
    def value(self) -> str:
        """The value as a reader of the HTML sees it; Liquid in it is left as it is."""
        return unescape_around_liquid(self.written)


@dataclass(frozen=True)
class StartTag:
    """A start tag of the source: from `start` to `end`, its name in lower case."""

    name: str
    start: int
    name_end: int
    end: int
    attributes: tuple[Attribute, ...]

    def attribute(self, name: str) -> Attribute | None:
        return next((one for one in self.attributes if one.name == name), None)


_SKIPPED = re.compile(
    rf"""<!--\[if[^\]<>]*+\]>(?:<!-->|<!--|-->)?   # what only some mail programs read still counts
       | <!--(?:.*?-->|.*\Z)
       | <!\[[^<>]*+>
       | {CONSTRUCT}
       | <(?P<name>[a-zA-Z][^\s/>{{<]*)""",
    re.DOTALL | re.VERBOSE,
)
_ATTRIBUTE = re.compile(
    rf"""[\s/]*+(?:
       {CONSTRUCT}
     | (?P<name>(?!\{{[{{%])[^\s/>"'=][^\s/>={{]*+)
       (?:\s*+=\s*+(?P<written>"(?:{CONSTRUCT}|[^"])*+"|'(?:{CONSTRUCT}|[^'])*+'|(?!["'])(?:{CONSTRUCT}|[^\s>])++))?+
     | ["'=]
    )""",
    re.DOTALL | re.VERBOSE,
)
_TAG_END = re.compile(r"[\s/]*+>")
_RAW_TEXT = ("script", "style", "textarea", "title", "xmp")


def start_tags(source: str) -> Iterator[StartTag]:
    """The start tags of `source` in order; those in comments and in raw text (script, style, title) are left out."""
    at = 0
    while found := _SKIPPED.search(source, at):
        at = found.end()
        if found["name"]:
            tag = _start_tag(source, found["name"].lower(), found.start(), at)
            at = tag.end
            yield tag
            if tag.name in _RAW_TEXT:
                at = end_tag(source, tag)


def end_tag(source: str, tag: StartTag) -> int:
    """Where the next end tag of the name of `tag` starts; the end of `source` if there is none."""
    found = re.compile(rf"</{re.escape(tag.name)}[\s>]", re.IGNORECASE).search(source, tag.end)
    return found.start() if found else len(source)


def _start_tag(source: str, name: str, start: int, name_end: int) -> StartTag:
    at = name_end
    attributes: list[Attribute] = []
    while not (close := _TAG_END.match(source, at)):
        found = _ATTRIBUTE.match(source, at)
        if not found or found.end() == at:
            return StartTag(name, start, name_end, at, tuple(attributes))
        at = found.end()
        if found["name"]:
            attributes.append(_attribute(found))
    return StartTag(name, start, name_end, close.end(), tuple(attributes))


def _attribute(found: re.Match[str]) -> Attribute:
    written = found["written"]
    if written is None:
        return Attribute(found["name"].lower(), "", found.end("name"), found.end("name"))
    inner = written[1:-1] if written[0] in "\"'" else written
    return Attribute(found["name"].lower(), inner, found.start("written"), found.end("written"))


def unescape_around_liquid(text: str) -> str:
    """`text` with its HTML entities resolved, except inside Liquid."""
    pieces = LIQUID.split(text)
    liquid = LIQUID.findall(text)
    return "".join(unescape(piece) + held for piece, held in zip(pieces, [*liquid, ""], strict=True))


def replaced(source: str, edits: list[tuple[int, int, str]]) -> str:
    """`source` with each (start, end, text) put in; the places must not overlap."""
    pieces = []
    at = 0
    for start, end, text in sorted(edits):
        pieces += [source[at:start], text]
        at = end
    return "".join([*pieces, source[at:]])


def before_end_of_body(source: str, addition: str) -> str:
    """`source` with `addition` put before the last `</body>`, or at its end."""
    ends = [found.start() for found in re.finditer(r"</body\s*>", source, re.IGNORECASE)]
    at = ends[-1] if ends else len(source)
    return source[:at] + addition + source[at:]
