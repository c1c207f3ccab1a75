"""Mail addresses as servers write them: bare, in brackets, in quotes, behind "rfc822;". The files of the room enter."""

import re

_QUOTED = r'''"(?:[^"\\\n]|\\.){1,64}"'''
_WIDE = "：；，、。（）【】「」"
"""Signs that scripts without spaces write right before an address."""
_LOCAL = (
    rf"""(?:{_QUOTED}|(?:[^\s<>()\[\]\\:;,"@\x00-\x1f='{_WIDE}]|=\?)"""
    rf"""[^\s<>()\[\]\\:;,"@\x00-\x1f{_WIDE}]{{0,127}})"""
)
_DOMAIN = r"""(?:[\w](?:[\w-]{0,62}[\w])?(?:\.[\w](?:[\w-]{0,62}[\w])?){0,20}|\[[0-9a-fA-FIPv.:]{3,48}\])"""
ADDRESS = re.compile(rf"(?<![\w.@%+-])({_LOCAL}@{_DOMAIN})(?!@)")
"""An address anywhere in a text; group 1 is the address."""

_IN_UTF8_XTEXT = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_EXACT = re.compile(rf"(?:{_QUOTED}|[^\s<>()\[\]\\:;,\"@\x00-\x1f]{{1,128}})@{_DOMAIN}\.?")
_ANYTHING = re.compile(r"[^\s<>;,@]{1,128}@[^\s<>;,@]{1,255}")
_GLUED = re.compile(r"(\.[a-z]{2,24})[^\x00-\x7f].*$")
"""Scripts that write without spaces put their words right behind an address."""
_PREFIX = re.compile(
    r"^(?:mailto:|smtp=|smtp:|(?:final-?|original-?)?(?:recipient|rcpt|to|address|e?mail|user)=|[245]\d\d-)", re.I
)
_WRITTEN_IN = re.compile(r"^(?:.*\+)?([^=+]{1,64})=([\w-]{1,63}(?:\.[\w-]{1,63}){1,10})$")

_SRS = re.compile(r"=([\w-]{1,63}(?:\.[\w-]{1,63}){1,10})=([^=]{1,64})$")
_BATV = re.compile(r"prvs=\w{10}=(.+)", re.I)


def addresses(text: str) -> list[str]:
    """Every address in a text, tidied, each once, in order."""
    if "@" not in text:
        return []
    return list(dict.fromkeys(tidy(found) for found in ADDRESS.findall(text)))


def first_address(text: str) -> str:
    """The first address in a text, tidied, or nothing. The one in angle brackets is preferred."""
    start, end = text.rfind("<"), text.rfind(">")
    inside = addresses(text[start + 1 : end]) if 0 <= start < end else []
    found = inside or addresses(text)
    return found[0] if found else ""


def tidy(address: str) -> str:
    """An address without the signs around it; its domain in lower case."""
    local, at, domain = address.strip(" \t<>'`").rpartition("@")
    if not at:
        return ""
    domain = _GLUED.sub(r"\1", domain.lower()) if not domain.isascii() else domain.lower()
    return f"{_PREFIX.sub('', local)}@{domain.rstrip('.')}"


def reported(field: str) -> str:
    """The address of a Final-Recipient or Original-Recipient field (RFC 3464 section 2.3, RFC 6533), or nothing."""
    kind, semicolon, rest = field.partition(";")
    value = (rest if semicolon else kind).strip()
    if "\\x{" in value:
        value = _IN_UTF8_XTEXT.sub(_character, value)
    if value.startswith("<") and value.endswith(">"):
        value = value[1:-1]
    if _EXACT.fullmatch(value):
        local, _, domain = value.rpartition("@")
        return f"{local}@{domain.lower().rstrip('.')}"
    return first_address(value) or tidy(_anything(value))


def rewritten_from(address: str) -> list[str]:
    """The sender whose address a forwarder (SRS) or his own server (BATV) rewrote into this one, or nothing."""
    local, _, domain = address.rpartition("@")
    if forwarded := _SRS.search(local):
        return [tidy(f"{forwarded[2]}@{forwarded[1]}")]
    signed = _BATV.fullmatch(local)
    return [tidy(f"{signed[1]}@{domain}")] if signed else []


def in_return_path(address: str) -> list[str]:
    """The recipient written into a return path, as in bounces+user=example.org@lists.example.net, or nothing."""
    local = address.rpartition("@")[0]
    for sign in ("+", "-"):
        found = _WRITTEN_IN.search(local.partition(sign)[2])
        if found:
            return [tidy(f"{found[1]}@{found[2]}")]
    return []


def _anything(value: str) -> str:
    found = _ANYTHING.search(value)
    return found[0] if found else ""


def same(one: str, other: str) -> bool:
    """Whether two spellings name one mailbox: the case of letters is told apart by next to nobody."""
    return one.casefold() == other.casefold()


def _character(found: re.Match[str]) -> str:
    number = int(found[1], 16)
    return chr(number) if number <= 0x10FFFF and not 0xD800 <= number < 0xE000 else found[0]
