"""Where addresses stand in a server's text, by what is written right before and after them. A table for `prose`.

Every pattern over what stands before ends at the address; the languages are those `phrases` knows.
"""

import re

_SIGNS = r"\s*[:=;]?\s*[<\"'(\[「“]*$"


def _before(*words: str, then: str = "") -> re.Pattern[str]:
    return re.compile(rf"(?:{'|'.join(words)}){then}{_SIGNS}", re.I)


SENDER = _before(
    "from",
    "sender",
    "sent by",
    "envelope-from",
    "return-path",
    "reply-to",
    "reply to",
    "errors-to",
    "originator",
    "author",
    r"\bvon",
    "absender",
    "expéditeur",
    "remitente",
    "remetente",
    "mittente",
    "afzender",
    "nadawca",
    r"\bот",
    "отправитель",
    "发件人",
    "寄件人",
    "差出人",
    then="(?: address| was| is)?",
)
"""The sender's own address."""

ALIAS = _before(
    "expanded from",
    "generated from",
    "forwarded from",
    "original address",
    "originally to",
    "originally addressed to",
    "alias for",
    "derived from",
)
"""The address we mailed, which the server turned into another one."""

HELPER = _before(
    "contact",
    "mailto:",
    r"e-?mail(?:ing)?(?: us)?(?: at| to)?",
    r"questions?(?: to)?",
    "assistance",
    "help",
    "support",
    "write to",
    r"send (?:e-?)?mail to",
    "call",
    "visit",
    "visiting",
    "finger",
    "login",
    r"complaints? to",
    "reach us at",
    "postmaster at",
    r"administrator(?: at)?",
    r"(?:send|forward|report)[^\n]{0,60} to",
    r"please[^\n]{0,60} to",
    "hello",
    "dear",
    r"\bhi",
    "bonjour",
    "hola",
    "sorry",
    r"https?:\S*",
    r"www\.\S*",
    then=",?",
)
"""Somebody to turn to, or to greet."""

NOT_SENT_TO = _before(
    r"(?:not|n't|unable to|fail(?:ed|ure) to|cannot) (?:be )?"
    r"(?:sen[dt]|deliver\w*|forward\w*|relay\w*|e-?mail\w*)[^\n]{0,30} to"
)
"""Whom a server could not send to: no helper, though the words are alike."""

ADVICE = _before(r"\bnew (?:e-?mail )?address(?: is)?", r"\btry", r"\buse", r"\binstead", "e\\.g\\., if")
"""An address to use in place of the failed one."""
ADVICE_AFTER = re.compile(r"[>\"')\]]*\s+instead\b", re.I)

NO_ADDRESS = _before("message[- ]id", "msgid", r"\bid", "references?", "in-reply-to", "queue", then="[#]?")
"""Something that only looks like an address."""

RECIPIENT = _before(
    r"\brcpt(?: to)?",
    r"\brecipients?(?: address)?",
    r"\bto",
    r"\baddress(?:ee)?",
    r"\baddressed(?: to)?,?",
    r"\b(?:mailing )?list",
    r"\bmailbox",
    r"\baccount",
    r"\buser",
    r"\bfor",
    r"\bdeliver(?:y|ed|ing)?",
    r"\ban",
    r"\bà",
    r"\bpara",
    r"\bpour",
    r"\bper",
    r"\bfür",
    r"\bvoor",
    r"\bför",
    r"\bdla",
    r"\bдля",
    "给",
    "給",
    r"\ba",
    r"\baan",
    r"\btill?",
    r"\bdo",
    r"\bempfänger",
    r"\bdestinataires?",
    r"\bdestinatari[oa]s?",
    r"\bontvangers?",
    r"получател\w*",
    r"адрес\w*",
    r"\bна",
    r"\bкому",
    "宛先",
    "アドレス",
    "收件人",
    "收信人",
    "수신자",
    "받는 사람",
    then="(?: is| was| are)?",
)
"""Whom the mail was for."""

QUOTED_TO = re.compile(r"\s*(?:\* )?(?:To|An|À|Para|A|Aan|Cc|Till|Til|Komu|Кому|宛先|收件人)\s*:\s*[<\"']*", re.I)
"""The To line of the mail, copied: good enough where nothing better is said."""

AFTER_HEAD = re.compile(
    r"[>\"'\])」”]*\s*(?:$|[:;,.(\[<=\-–|]|\.\.\.|\s{2}|on\s|\d|is\s|was\s|has\s|does|unknown|not\s|user\s|could\s|mailbox)",
    re.I,
)
"""What follows an address at the head of a line that is a list of failed addresses."""

NEXT = re.compile(r"[>\"'\])\s]*[,;][\s<\"'(\[]*")
"""What stands between an address and the next one of a list."""

SENT_BY_ABOVE = re.compile(r"(?:sent by|mail from|sender|from)\s*:?\s*$", re.I)
"""A line whose next line is the sender's address alone."""
HELPER_ABOVE = re.compile(r"\b(?:send (?:e-?)?mail|write to|contact)\b[^.:!]{0,200}$", re.I)
"""Lines that end in whom to turn to, on the next line."""

_OFFICES = ("postmaster@", "abuse@", "support@", "helpdesk@", "help@", "admin@", "hostmaster@", "noc@", "security@")

REPLY = re.compile(r"(?<![\d.])[45]\d\d[ \-]|(?<![\d.])[45]\.\d{1,3}\.\d{1,3}\b")
FAILING = re.compile(
    r"unable|fail|reject|unknown|full\b|invalid|undeliver|no such|not (?:be |been )?(?:deliver|found|exist)", re.I
)
AFTER_DATA = re.compile(
    r"end of data|final data|>>> ?data\b|after data|in reply to (?:end of )?data|after i sent the message|\(DATA\)",
    re.I,
)
"""The server had taken the address and refused the mail by its content."""

RULE = re.compile(r"^\s*[-=*_#|+~]{3,}")
LETTERS = re.compile(r"[^\W\d_]")
BARE_NAME = re.compile(r"[ \t]+<?([A-Za-z0-9][\w.+-]{1,63})>?[:;,]?")
ANNOUNCES = re.compile(r"following (?:recipient|address|user)|recipients? could not|not delivered to", re.I)


def is_office(address: str) -> bool:
    """Whether an address is one to turn to, as RFC 2142 has them."""
    return address.lower().startswith(_OFFICES)
