"""Finds the failed addresses in the free text of a server's report, by where servers put them. The reader enters."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache

from massmail_plugin.feedback.reports import places
from massmail_plugin.feedback.reports.addresses import ADDRESS, same, tidy
from massmail_plugin.feedback.reports.phrases import DELIVERED, NOT_DELIVERED, flat, says

MOST_LINES = 800
LONGEST_LINE = 2000
MOST_MENTIONS = 200
MOST_WORDS = 40
"""Lines kept of what is said of one address."""
_NEAR = 90
"""Characters before an address that tell what it is."""
_NOT_DELIVERED = flat(NOT_DELIVERED)
_ALIAS_LINE = re.compile(places.ALIAS.pattern.removesuffix("$") + ADDRESS.pattern, re.I)


class Weight(IntEnum):
    """How plainly a text says that an address is a failed recipient."""

    MENTIONED = 1
    """It stands somewhere among the words."""
    TOLD = 2
    """It stands in a reply of a server, or in a sentence about a failure."""
    NAMED = 3
    """It stands where recipients stand: at the head of a line, or behind "to", "recipient", "RCPT TO"."""


@dataclass(slots=True)
class Mention:
    """An address a text names, with what is said of it."""

    address: str
    weight: Weight
    words: list[str] = field(default_factory=list)
    original: str = ""
    """The address it was made from (an alias, a forwarding), if the text says so."""
    after_data: bool = False


@lru_cache(maxsize=1)  # One mail is asked about it more than once.
def mentions(text: str) -> tuple[Mention, ...]:
    """The addresses of a server's text that may be failed recipients, each once, with the lines said of each."""
    if "@" not in text:
        return ()
    reading = _Reading()
    for line in text.split("\n")[:MOST_LINES]:
        reading.take(line[:LONGEST_LINE])
    return tuple(reading.found.values())


def sure(found: Sequence[Mention], senders: Sequence[str]) -> list[Mention]:
    """The mentions to believe: the most plainly named ones that are not the sender's own address."""
    others = besides(found, senders)
    for weight in (Weight.NAMED, Weight.TOLD):
        chosen = [one for one in others if one.weight is weight]
        if chosen:
            return chosen
    return []


def besides(found: Sequence[Mention], senders: Sequence[str]) -> list[Mention]:
    """The mentions of other addresses than these."""
    return [one for one in found if not any(same(one.address, sender) for sender in senders)]


def bare_names(text: str) -> list[str]:
    """Local parts that stand alone, indented, below a line that announces recipients: a provider's own users."""
    if places.ANNOUNCES.search(text) is None:
        return []
    names: list[str] = []
    announced = False
    for line in text.split("\n")[:MOST_LINES]:
        found = places.BARE_NAME.fullmatch(line)
        if announced and found:
            names.append(found[1])
        elif line.strip():
            announced = line.rstrip().endswith(":")
    return names[:MOST_MENTIONS]


@lru_cache(maxsize=2)  # It is asked again for each address of one line.
def _tells_of_failure(line: str) -> bool:
    return bool(places.REPLY.search(line) or places.FAILING.search(line)) or says(line.lower(), _NOT_DELIVERED)


class _Reading:
    """Reads a text line by line: who is named, and of whom the lines speak."""

    def __init__(self) -> None:
        self.found: dict[str, Mention] = {}
        self._current: list[Mention] = []
        self._above = ""
        self._got_it = False
        """The lines below a heading list those whom the mail did reach."""

    def take(self, line: str) -> None:
        if places.RULE.match(line):
            self._current = []
        self._got_it = self._reached(line)
        named = list(self._of_line(line)) if "@" in line and len(self.found) < MOST_MENTIONS else []
        chief = [one for one in named if one.weight is Weight.NAMED]
        if chief:
            self._current = chief
        self._note(line, [one for one in named if one.weight is Weight.TOLD] or self._current)
        if line.strip():
            self._above = f"{self._above[-200:]} {line.strip()}"

    def _reached(self, line: str) -> bool:
        announced = self._got_it or (line.rstrip().endswith(":") and says(line.lower(), DELIVERED))
        return announced and not _tells_of_failure(line)

    def _note(self, line: str, spoken_of: list[Mention]) -> None:
        alias = _ALIAS_LINE.search(line) if "from" in line or "rigina" in line else None
        if alias and not spoken_of:
            self._keep(Mention(tidy(alias[1]), Weight.TOLD))
        for one in spoken_of:
            if len(one.words) < MOST_WORDS and line.strip():
                one.words.append(line.strip())
                one.after_data = one.after_data or places.AFTER_DATA.search(line) is not None
            if alias:
                one.original = tidy(alias[1])

    def _of_line(self, line: str) -> Iterator[Mention]:
        end, weight = 0, None
        for match in ADDRESS.finditer(line):
            before = line[max(0, match.start(1) - _NEAR) : match.start(1)]
            if not (weight is Weight.NAMED and places.NEXT.fullmatch(line, end, match.start(1))):
                weight = self._weight(before, line[match.end(1) : match.end(1) + _NEAR], line)
            end = match.end(1)
            if weight is not None:
                yield self._keep(Mention(tidy(match[1]), weight))

    def _keep(self, mention: Mention) -> Mention:
        known = self.found.setdefault(mention.address.casefold(), mention)
        known.weight = max(known.weight, mention.weight)
        return known

    def _weight(self, before: str, after: str, line: str) -> Weight | None:
        if not places.LETTERS.search(before):
            return self._at_the_head(before, after)
        if places.NOT_SENT_TO.search(before):
            return Weight.NAMED
        others = (places.SENDER, places.NO_ADDRESS, places.ALIAS, places.HELPER, places.ADVICE)
        if any(place.search(before) for place in others) or places.ADVICE_AFTER.match(after):
            return None
        if places.QUOTED_TO.fullmatch(before):
            return Weight.MENTIONED
        if places.RECIPIENT.search(before):
            return Weight.NAMED
        return Weight.TOLD if _tells_of_failure(line) else Weight.MENTIONED

    def _at_the_head(self, before: str, after: str) -> Weight | None:
        if self._got_it or places.SENT_BY_ABOVE.search(self._above) or places.HELPER_ABOVE.search(self._above):
            return None
        if before[-1:] == "<" and after[:1] == ">":
            after = after[1:]
        return Weight.NAMED if places.AFTER_HEAD.match(after) else Weight.MENTIONED
