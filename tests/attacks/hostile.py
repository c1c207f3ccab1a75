"""What strangers and careless people put into fields, addresses and files."""

SVG = '"><svg onload=alert(1)>'
SCRIPT = "</title></textarea><script>alert(2)</script>"
IMAGE = "<img src=x onerror=alert(3)>"
QUOTE = "' onmouseover='alert(4)"
TEMPLATE = "{{ config.SECRET_KEY }}{% include '/etc/passwd' %}"
FORMULA = "=cmd|'/c calc'!A1"
DROP = "Robert'); DROP TABLE contacts;--"
WILDCARDS = "100%_\\"

STRINGS = (
    SVG,
    SCRIPT,
    QUOTE,
    TEMPLATE,
    FORMULA,
    DROP,
    WILDCARDS,
    "' OR 1=1 --",
    "1;SELECT pg_sleep(9)",
    "nul\x00byte",
    "line\r\nBcc: evil@evil.example",
    "\u202egnp.exe\u200d\ufeff\ufffe",
    "𝕋𝕙𝕖 ÅÍÎÏ˝ÓÔ ヽ༼ຈل͜ຈ༽ﾉ 田中さん 👩‍👩‍👧",
    "%s%n%x %(name)s {0.__class__}",
    "../../../../etc/passwd",
    "undefined null NaN true -1e309",
    "٣",
    "x" * 20_000,
)
NUMBERS = ("-1", "0", "00", "1.5", "1e9", "²", "٣", "0x1", "2147483648", "9223372036854775808", "9" * 40, "9" * 5000)
"""Where a number of a row, a page or a form belongs."""

SERVER_REPLY = "5.7.1 <script>alert(5)</script> " + SVG
AGENT = "Mozilla/5.0 <script>alert(6)</script> " + SVG
