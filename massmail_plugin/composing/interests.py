"""What an author says of a link: the interest a click speaks of, and what it is worth. Neither leaves with the mail.

Written as <a href="..." data-interest="garden" data-score="5">.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from massmail_plugin.composing.html_source import LIQUID, Attribute, StartTag, start_tags

INTEREST, SCORE = "data-interest", "data-score"
LONGEST = 40
HIGHEST = 100_000
_NUMBER = re.compile(r"[+-]?\d{1,6}")


class Interest(NamedTuple):
    """The host's own code ("" for none), and points (0 for none)."""

    code: str = ""
    score: int = 0


NO_INTEREST = Interest()


def interest_of(tag: StartTag) -> Interest:
    """What the tag of a link says; what is no code or no number counts as nothing."""
    code, score = tag.attribute(INTEREST), tag.attribute(SCORE)
    return Interest(
        code.value.strip() if code and not _fault(code) else "",
        int(score.value) if score and not _fault(score) else 0,
    )


def interest_faults(html: str) -> Iterator[tuple[Attribute, str]]:
    """What cannot be read as a code or a number, with words for the author."""
    for tag in start_tags(html):
        for one in tag.attributes:
            if one.name in (INTEREST, SCORE) and (words := _fault(one)):
                yield one, words


def traces(html: str, tag: StartTag) -> Iterator[tuple[int, int, str]]:
    """Edits that take what was said out of a tag."""
    for one in tag.attributes:
        if one.name in (INTEREST, SCORE):
            named = re.search(rf"[\s/]*{one.name}\s*=\s*$", html[tag.name_end : one.start], re.IGNORECASE)
            if named:
                yield tag.name_end + named.start(), one.end, ""


def _fault(one: Attribute) -> str:
    value = one.value.strip()
    if LIQUID.search(one.written):
        return f"{one.name} is the same for everybody and cannot hold fields."
    if one.name == SCORE:
        fits = _NUMBER.fullmatch(value) and abs(int(value)) <= HIGHEST
        return "" if fits else f"{SCORE} is a whole number between -{HIGHEST:,} and {HIGHEST:,}."
    fits = 0 < len(value) <= LONGEST and value.isprintable()
    return "" if fits else f"{INTEREST} is a code of at most {LONGEST} characters."
