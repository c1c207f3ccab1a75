"""What of a text a mail can carry: no control characters but tab and line feed. Rendering enters."""

import re

UNFIT = r"\x00-\x08\x0b-\x1f\x7f\ud800-\udfff"
"""Characters that mail cannot carry, as inside the brackets of a regular expression."""

_UNFIT = re.compile(f"[{UNFIT}]")
_LINE_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

unfit = _UNFIT.search
"""Whether there is anything `fit` would take away."""


def with_line_feeds(text: str) -> str:
    """`text` with every line end as LF, as the buffers of Liquid write it."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def fit(text: str) -> str:
    """`text` without what mail cannot carry."""
    return _UNFIT.sub("", text)


def one_line(text: str) -> str:
    """`text` without line breaks and control characters, as a header takes it."""
    if text.isprintable() and "  " not in text and text == text.strip():
        return text
    return " ".join(_LINE_BREAKS.sub(" ", fit(text)).split())
