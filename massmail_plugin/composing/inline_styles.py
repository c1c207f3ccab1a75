"""Writes the rules of style elements into style attributes, as mail programs need it. Preparing enters.

The browser-grade parser behind css-inline moves text it finds between table rows, so it never sees the author's
text with Liquid in it: it gets a marked copy, and only the style attributes it worked out are taken over.
"""

import re

import css_inline
from selectolax.lexbor import LexborHTMLParser

from massmail_plugin.composing.html_source import LIQUID, StartTag, end_tag, replaced, start_tags

_MARK = "data-massmail-tag"
_HELD = re.compile(r"massmail-held-(\d+)-")
_OUTSIDE_BODY = ("html", "head", "meta", "title", "style", "script", "base", "link")

_inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=True)


def with_inline_styles(html: str) -> str:
    """`html` with style attributes added and everything else as written; style elements stay, for media queries."""
    tags = list(start_tags(html))
    if not any(tag.name == "style" for tag in tags):
        return html
    held: list[str] = []
    styles = _computed(_marked_copy(html, tags, held))
    edits = [edit for number, tag in enumerate(tags) if (edit := _edit(tag, styles.get(number, ""), held)) is not None]
    return replaced(html, edits)


def _marked_copy(html: str, tags: list[StartTag], held: list[str]) -> str:
    """A copy without Liquid, each start tag numbered; Liquid in style elements becomes a word that can be put back."""
    edits = []
    for number, tag in enumerate(tags):
        edits.append((tag.start, tag.end, _marked_tag(html, tag, number)))
        if tag.name == "style":
            end = end_tag(html, tag)
            edits.append((tag.end, end, LIQUID.sub(lambda found: _hold(found.group(), held), html[tag.end : end])))
    return _without_liquid(html, edits)


def _marked_tag(html: str, tag: StartTag, number: int) -> str:
    attributes = [html[tag.start : tag.name_end], f' {_MARK}="{number}"']
    for one in tag.attributes:
        written = LIQUID.sub("", one.value).replace('"', "&quot;")
        if not (one.name == "style" and LIQUID.search(one.written)):
            attributes.append(f' {one.name}="{written}"')
    return "".join(attributes) + ">"


def _without_liquid(html: str, edits: list[tuple[int, int, str]]) -> str:
    pieces = []
    at = 0
    for start, end, text in edits:
        pieces += [LIQUID.sub("", html[at:start]), text]
        at = end
    return "".join([*pieces, LIQUID.sub("", html[at:])])


def _hold(liquid: str, held: list[str]) -> str:
    held.append(liquid)
    return f"massmail-held-{len(held) - 1}-"


def _computed(marked: str) -> dict[int, str]:
    tree = LexborHTMLParser(_inliner.inline(marked))
    return {
        int(node.attributes[_MARK] or 0): node.attributes.get("style") or ""
        for node in tree.css(f"[{_MARK}]")
        if node.attributes.get("style")
    }


def _edit(tag: StartTag, style: str, held: list[str]) -> tuple[int, int, str] | None:
    if not style or tag.name in _OUTSIDE_BODY:
        return None
    style = _HELD.sub(lambda found: held[int(found[1])], style.replace("&", "&amp;").replace('"', _quote(style)))
    own = tag.attribute("style")
    if own is None:
        return tag.name_end, tag.name_end, f' style="{style}"'
    if LIQUID.search(own.written):
        style = f"{style.rstrip('; ')}; {own.written}"
    return own.start, own.end, f'"{style}"'


def _quote(style: str) -> str:
    return "&quot;" if "'" in style else "'"
