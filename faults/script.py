"""What the mail server of the fault runs does wrong: rules, one for each fault. Runs write them, the sink obeys."""

import random
import re
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Step = Literal["connect", "ehlo", "auth", "mail", "rcpt", "data", "body", "dot", "taken", "rset", "quit"]
"""Where a rule strikes.

`connect` is before the banner, `body` after the 354 and before the content was read, `dot` after the final dot with
nothing taken, `taken` after the mail was taken and written down and before its 250.
"""
Act = Literal["drop", "say", "raw", "hang", "crawl", "wait", "greylist"]
"""drop: end the TCP connection; say: answer `text`; raw: send `text` as it is (Latin-1); hang: never answer;
crawl: send the usual answer one byte a second; wait: `seconds` before the usual answer; greylist: 450 to a recipient
who was first named less than `seconds` ago.
"""


@dataclass
class Rule:
    """One fault. It fires at each `every`-th visit of its step, with the chance `share`, at most `times` times."""

    step: Step
    act: Act
    text: str = ""
    close: bool = False
    """End the connection after the answer, as 421 announces."""
    every: int = 1
    share: float = 1.0
    times: int = 0
    """0: as often as it comes."""
    match: str = ""
    """Only where the command line has this in it (a regular expression)."""
    seconds: float = 0.0
    visits: int = 0
    fired: int = 0
    first_seen: dict[str, float] = field(default_factory=dict, repr=False)

    def strikes(self, step: Step, line: str, now: float) -> bool:
        """Whether the rule fires at this visit."""
        if step != self.step or (self.match and not re.search(self.match, line)):
            return False
        if self.act == "greylist":
            return self._count(now - self.first_seen.setdefault(line, now) < self.seconds)
        self.visits += 1
        spent = 0 < self.times <= self.fired
        return self._count(not spent and self.visits % self.every == 0 and random.random() < self.share)

    def _count(self, fires: bool) -> bool:
        self.fired += fires
        return fires

    def to_json(self) -> dict[str, Any]:
        """What the sink needs to make the same rule."""
        return asdict(self) | {"first_seen": {}}
