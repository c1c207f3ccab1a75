"""Hits for the tests of the verdict: who, after how many seconds, and what."""

from datetime import UTC, datetime, timedelta

from massmail_plugin.feedback.machines import Hit
from massmail_plugin.vocabulary import EventKind

SENT = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
READ_AT = 3600.0
"""Seconds after the mail left, when it is read at leisure."""
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
APPLE = "Mozilla/5.0"


def opened(seconds: float = READ_AT, agent: str = FIREFOX, request: str = "") -> Hit:
    return Hit(kind=EventKind.OPEN, at=SENT + timedelta(seconds=seconds), user_agent=agent, request=request)


def clicked(link: int | None, seconds: float = READ_AT, agent: str = FIREFOX, request: str = "") -> Hit:
    at = SENT + timedelta(seconds=seconds)
    return Hit(kind=EventKind.CLICK, at=at, link=link, user_agent=agent, request=request)
