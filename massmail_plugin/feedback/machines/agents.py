"""What a user agent says about who fetches. The verdict over a hit enters; nothing is committed here."""

import re
from functools import lru_cache

from crawleruseragents import is_crawler

from massmail_plugin.vocabulary import EventKind, MachineReason

LONGEST_AGENT = 300
"""Characters of a user agent that are kept and looked at."""

# Apple's Mail Privacy Protection fetches every image and calls itself "Mozilla/5.0" without a word more.
_PROXY = re.compile(
    r"\AMozilla/5\.0\Z|GoogleImageProxy|ggpht\.com|Yahoo(?:Mail|Image|\ Image)?(?:Proxy|CacheSystem)|FastmailUA"
    r"|Seznam-?E?mail-?Proxy",
    re.IGNORECASE,
)
# Fetches by mail filters and by office programs that look at a link before its reader does; the list of
# crawler-user-agents is of those that visit web sites.
_SCANNER = re.compile(
    r"barracuda|proofpoint|mimecast|safe ?links|messagelabs|symantec|ironport|trend ?micro|forti(?:net|guard|mail)|"
    r"sophos|bitdefender|cloudmark|virustotal|urlscan|zscaler|forcepoint|websense|fireeye|trellix|check ?point|"
    r"trustwave|mailmarshal|vade ?(?:secure|retro)|hornetsecurity|spamtitan|rspamd|spamassassin|nospamproxy|retarus|"
    r"ironscales|avanan|cofense|knowbe4|darktrace|perception ?point|cloudflare-email|safe-?browsing|"
    r"(?:existence|protocol) discovery|webdav-miniredir|url ?(?:defense|scan|inspect)|"
    r"link ?(?:check|scan|follow)|anti-?virus|sandbox|phish",
    re.IGNORECASE,
)
# Tools and libraries that fetch addresses for other programs.
_TOOL = re.compile(
    r"\A(?:java|node|node\.js|undici|ruby|php|perl|python|guzzle\w*|typhoeus|faraday|httpie|postman\w*|winhttp\w*|"
    r"snapchat|yandex\w*|bingpreview|puppeteer|playwright|selenium|got|axios|dart|rust|reqwest|hyper)(?:[/ ]|\Z)|"
    r"\AMozilla/\d\.\d \(compatible;?\)\Z|headless|phantomjs|ur[il] ?preview|link ?(?:preview|expand)|\bbot\b|crawler|"
    r"spider|https?://",
    re.IGNORECASE,
)
# A link of a mail is opened in a web browser, and these are what browsers call themselves.
_BROWSER = re.compile(r"(?:Mozilla|Opera)/\d.*\(.{12}|(?:Lynx|w3m|Links|ELinks|Dillo|NetSurf)\b", re.DOTALL)


@lru_cache(maxsize=4096)
def by_agent(kind: EventKind, user_agent: str) -> MachineReason | None:
    """Why the program of this name is a machine; None where it may be a person's.

    An image proxy fetches images: whoever follows a link under its name is a robot.
    """
    agent = user_agent[:LONGEST_AGENT].strip()
    if not agent:
        return MachineReason.NO_AGENT
    if kind == EventKind.OPEN and _PROXY.search(agent):
        return MachineReason.PROXY
    if _SCANNER.search(agent):
        return MachineReason.SCANNER
    strange = kind == EventKind.CLICK and not _BROWSER.match(agent)
    return MachineReason.ROBOT if strange or _TOOL.search(agent) or is_crawler(agent) else None
