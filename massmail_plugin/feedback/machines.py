"""Tells programs that fetch mail from people who read it. Opens and clicks enter; nothing is committed here.

A hit by a machine is kept as an event with the reason, but sets no status and counts as no reader.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from crawleruseragents import is_crawler

LONGEST_AGENT = 300

_PROXY = re.compile(r"GoogleImageProxy|ggpht\.com|YahooMailProxy|YahooCacheSystem", re.IGNORECASE)
# Fetches by mail filters that look at every link before the reader does; crawler-user-agents does not know them.
_SCANNER = re.compile(
    r"barracuda|proofpoint|mimecast|safe ?links|messagelabs|ironport|trend ?micro|fortinet|sophos|bitdefender|"
    r"cloudmark|virustotal|urlscan|zscaler",
    re.IGNORECASE,
)
_PREFETCH_HEADERS = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


def verdict(user_agent: str, headers: Mapping[str, str]) -> str:
    """Why this hit is a machine's, in a few words; "" where it looks like a person's."""
    if any(word in headers.get(name, "").lower() for name in _PREFETCH_HEADERS for word in ("prefetch", "preview")):
        return "fetched ahead"
    if "Range" in headers:
        return "asked for a part only"
    return _by_agent(user_agent.strip()[:LONGEST_AGENT])


@lru_cache(maxsize=2048)
def _by_agent(user_agent: str) -> str:
    if not user_agent:
        return "no user agent"
    # Apple's Mail Privacy Protection fetches every image and says nothing but this.
    if user_agent == "Mozilla/5.0" or _PROXY.search(user_agent):
        return "image proxy of a mail service"
    if _SCANNER.search(user_agent):
        return "link scanner"
    return "robot" if is_crawler(user_agent) else ""
