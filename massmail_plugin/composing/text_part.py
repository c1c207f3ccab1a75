"""The text part of an HTML mail, made before values are filled in: Liquid is kept. Preparing and the editor enter."""

import re

from html_to_markdown import ConversionOptions, convert
from liquid.exceptions import LiquidError
from selectolax.lexbor import LexborHTMLParser, LexborNode

from massmail_plugin.composing.checking import parsed
from massmail_plugin.composing.html_source import LIQUID, replaced, start_tags, unescape_around_liquid
from massmail_plugin.composing.inline_styles import with_inline_styles
from massmail_plugin.composing.template_language import HTML, PLAIN, parse

_OPTIONS = ConversionOptions(output_format="plain", hidden_content="drop", extract_metadata=False)
_OPEN, _CLOSE = "\ue000", "\ue001"
_HELD = re.compile(f"{_OPEN}(\\d+){_CLOSE}")
_TAG_LINE = re.compile(f"\\n*^[ \\t]*((?:{_OPEN}\\d+{_CLOSE}[ \\t]*)+)$", re.MULTILINE)
_UNSEEN_AND_MARKS = re.compile("[\u00ad\u034f\u200b\u200e\u200f\u2060\ufeff\ue000\ue001]")
_UNSEEN = re.compile("[\u00ad\u034f\u200b-\u200f\u2060\ufeff]")
_END_OF_BODY = re.compile(r"</(?:body|html)\s*>", re.IGNORECASE)
_BLOCKS = "table,p,div,ul,ol,h1,h2,h3,h4,h5,h6,br,hr,blockquote,pre"
_LONGEST_CELL = 60
_UNREAD = re.compile(r"<!--.*?-->|<(style|script|title|template)\b.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_END_TAG = re.compile(r"</[a-z][^<>]*>", re.IGNORECASE)
_TRIMMING = re.compile(r"\A\{[{%]-|-[%}]\}\Z")


def text_from_html(html: str) -> str:
    """The text part for `html`: links as `words <address>`, layout tables flattened, Liquid kept where it stood.

    Broken HTML, whose elements a parser has to move about, gives its words alone: moved tags would no longer match.
    Raises TemplateError where the Liquid cannot be read.
    """
    parsed("html", HTML, html)
    text = _well_made(html)
    try:
        parse(PLAIN, text)
    except LiquidError:
        text = _words_alone(html)
        parsed("text", PLAIN, text)
    return text


def _well_made(html: str) -> str:
    held: list[str] = []
    marked = _with_held_liquid(with_inline_styles(_UNSEEN_AND_MARKS.sub("", html)), held)
    # Everything inside one body, so that Liquid before and after the author's own body is not moved out of it.
    tree = LexborHTMLParser(f"<!doctype html><body>{_END_OF_BODY.sub('', marked)}")
    for node in tree.css("style,title,script,template,noscript"):
        node.decompose()
    for link in tree.css("a[href]"):
        _spell_out(link)
    for table in reversed(tree.css("table")):
        _flatten(tree, table)
    for node in [node for node in _body(tree).traverse(include_text=True) if node.is_comment_node]:
        node.replace_with(_kept(node.comment_content or ""))
    text = convert(tree.html or "", _OPTIONS).content or ""
    return _restored(_tidy(text), held)


def _words_alone(html: str) -> str:
    html = _UNREAD.sub("", _UNSEEN_AND_MARKS.sub("", html))
    pieces, at = [], 0
    for tag in start_tags(html):
        pieces += [html[at : tag.start], "\n" if tag.name in _BLOCKS.split(",") else ""]
        at = tag.end
    text = _END_TAG.sub("\n", "".join([*pieces, html[at:]]))
    return _tidy(unescape_around_liquid(text))


def _body(tree: LexborHTMLParser) -> LexborNode:
    body = tree.body
    assert body is not None
    return body


def _with_held_liquid(html: str, held: list[str]) -> str:
    """Liquid becomes words; its tags between HTML tags become comments, which may stand even between table rows."""
    edits = []
    at = 0
    for tag in start_tags(html):
        edits.append((at, tag.start, _held_between(html[at : tag.start], held)))
        edits.append((tag.start, tag.end, LIQUID.sub(lambda found: _hold(found[0], held), html[tag.start : tag.end])))
        at = tag.end
    return replaced(html, [*edits, (at, len(html), _held_between(html[at:], held))])


def _held_between(content: str, held: list[str]) -> str:
    def hold(found: re.Match[str]) -> str:
        word = _hold(found[0], held)
        return f"<!--{word}-->" if found[0].startswith("{%") else word

    return LIQUID.sub(hold, content)


def _hold(liquid: str, held: list[str]) -> str:
    """Keep a piece of Liquid. Its trimming of blanks, harmless in HTML, would glue lines together in text."""
    held.append(_TRIMMING.sub(lambda found: found[0].replace("-", ""), liquid))
    return f"{_OPEN}{len(held) - 1}{_CLOSE}"


def _kept(comment: str) -> str:
    return comment if _HELD.fullmatch(comment) else ""


def _spell_out(link: LexborNode) -> None:
    address = (link.attributes.get("href") or "").strip()
    words = link.text().strip() or "".join(image.attributes.get("alt") or "" for image in link.css("img"))
    bare = address.removeprefix("mailto:").removeprefix("tel:")
    if (
        not address.startswith(("#", "tel:"))
        and address
        and bare.rstrip("/") not in (words, f"https://{words}", f"http://{words}")
    ):
        link.insert_child(f" <{bare}>")
    link.unwrap()


def _flatten(tree: LexborHTMLParser, table: LexborNode) -> None:
    """Rows of short cells become one line each; everything else becomes blocks one below the other."""
    for row in table.css("tr"):
        cells = [cell for cell in row.iter() if cell.tag in ("td", "th")]
        one_line = len(cells) > 1 and all(_short(cell) for cell in cells)
        for number, cell in enumerate(cells):
            if one_line and number and cell.text().strip():
                cell.insert_before(" | ")
            _turn_into(tree, cell, "span" if one_line else "div")
        if one_line:
            row.insert_before(tree.create_node("br"))
        row.unwrap()
    for part in table.css("tbody,thead,tfoot"):
        part.unwrap()
    _turn_into(tree, table, "div")


def _short(cell: LexborNode) -> bool:
    return cell.css_first(_BLOCKS) is None and len(cell.text().strip()) <= _LONGEST_CELL


def _turn_into(tree: LexborHTMLParser, node: LexborNode, name: str) -> None:
    node.insert_before(tree.create_node(name))
    made = node.prev
    assert made is not None
    for attribute in ("style", "hidden"):
        if attribute in node.attributes:
            made.attrs[attribute] = node.attributes[attribute]
    for child in list(node.iter(include_text=True, skip_empty=node.tag == "table")):
        made.insert_child(child, move=True)
    node.decompose()


def _tidy(text: str) -> str:
    text = _UNSEEN.sub("", text).replace("\xa0", " ").replace("\t", " | ")
    lines = [re.sub(r"(?<=\S) {2,}", " ", line).strip(" ") for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"


def _restored(text: str, held: list[str]) -> str:
    text = _TAG_LINE.sub(lambda found: _tag_line(found, held), text)
    return _HELD.sub(lambda found: held[int(found[1])], text)


def _tag_line(found: re.Match[str], held: list[str]) -> str:
    """Tags alone on their line take the blank lines before them along, so that a block left out leaves no gap."""
    pieces = [held[int(number)] for number in _HELD.findall(found[1])]
    if not all(piece.startswith("{%") for piece in pieces):
        return found.group()
    return "".join("{%-" + piece[2:] for piece in pieces)
