"""Makes a mail's HTML fit for a sandboxed frame inside a page with a strict policy. The preview screens enter.

A frame filled by srcdoc inherits the page's Content-Security-Policy. Where that knows nonces, style attributes would
be dropped; they become rules of one style element with the nonce, which win over others as style attributes do.
"""

from typing import Any

from massmail_plugin.composing.html_source import replaced, start_tags

MARK = "data-massmail-style"
STRONG = ":not(#a#b#c#d)"
"""Raises a rule above whatever an author writes without !important; matches every element."""


def framed(html: str, nonce: str) -> str:
    """`html` with its styles under `nonce`; as it is where there is none. Scripts stay blocked by the sandbox."""
    if not nonce:
        return html
    lowered = html.lower()
    edits: list[tuple[int, int, str]] = []
    rules: list[str] = []
    for tag in start_tags(html):
        style = tag.attribute("style")
        if tag.name == "style":
            edits.append((tag.name_end, tag.name_end, f' nonce="{nonce}"'))
        elif style is not None:
            name_start = lowered.rindex("style", tag.name_end, style.start)
            edits.append((name_start, style.end, f'{MARK}="{len(rules)}"'))
            rules.append(f'[{MARK}="{len(rules)}"]{STRONG}{{{_declarations(style)}}}')
    sheet = f'<style nonce="{nonce}">{"".join(rules)}</style>'
    return replaced(html, edits) + sheet


def _declarations(style: Any) -> str:
    """The attribute's value, unable to end its rule or the style element."""
    value: str = style.value
    return value.replace("<", "\\3c ").replace("{", "").replace("}", "")
