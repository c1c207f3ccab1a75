"""What counts as an e-mail address: one strict check, one normalised form, their rough twins in SQL."""

import re
from typing import Any

import idna
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Boolean, ColumnElement, func, not_, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

LONGEST = 254
"""Characters of the longest address that fits an SMTP path (RFC 5321, 4.5.3.1.3)."""

_NEVER_INSIDE = (" ", "\t", "\r", "\n", ",", ";", "<", '"', "(", "[")
_EVERYDAY = re.compile(
    r"(?=.{1,60}@)[a-z0-9]+(?:[._+-][a-z0-9]+)*"
    r"@(?:[a-z0-9]{1,60}(?:-[a-z0-9]{1,60})?\.)+(?!(?:arpa|invalid|local|localhost|onion|test)$)[a-z]{2,24}",
    re.IGNORECASE | re.ASCII,
)
"""What most addresses look like. Whatever it matches, the strict check accepts; it saves most of the time."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def fault(address: str) -> str:
    """Why `address` cannot be written to, in words; empty if it can.

    Takes an addr-spec of RFC 5322 alone: no display name, group, comment, quoted local part or domain literal; the
    part before the @ in ASCII; the domain with at least one dot, IDNA 2008 allowed. Nothing is looked up.
    """
    if _EVERYDAY.fullmatch(address) and len(address) <= 200:
        return ""
    if not address.strip():
        return "There is no address."
    if _CONTROL.search(address):
        return "The address holds a line break or another control character."
    try:
        validate_email(address, allow_smtputf8=False, check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError as error:
        return str(error)
    return ""


def usable(address: str) -> bool:
    """Whether `fault` finds nothing."""
    return not fault(address)


def normalised(address: str) -> str:
    """The form in which two spellings of one address are equal: trimmed, lower case, the domain in its ASCII form.

    Never raises; what is no address comes back trimmed and in lower case.
    """
    local, at, domain = address.strip().lower().rpartition("@")
    return local + at + _ascii_domain(domain)


def envelope_form(address: str) -> str:
    """The address as SMTP needs it: the local part as it was written, the domain in ASCII (RFC 5890 A-labels)."""
    local, at, domain = address.strip().rpartition("@")
    return local + at + _ascii_domain(domain)


def _ascii_domain(domain: str) -> str:
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return domain


def _readable_domain(domain: str) -> str:
    if "xn--" not in domain:
        return domain
    try:
        return idna.decode(domain)
    except idna.IDNAError:
        return domain


def spellings(address: str) -> set[str]:
    """What `normalised_sql` may give for a column that holds this address: SQL knows no IDNA."""
    if address.isascii() and "xn--" not in address:
        return {address.strip().lower()}
    ascii_form = normalised(address)
    local, at, domain = ascii_form.rpartition("@")
    return {ascii_form, address.strip().lower(), local + at + _readable_domain(domain)}


def trimmed_sql(column: Any) -> ColumnElement[str]:
    """The column's address without blanks around it; NULL stays NULL."""
    return func.trim(column)


def normalised_sql(column: Any) -> ColumnElement[str]:
    """`normalised` in SQL, except that domains outside ASCII stay as they are."""
    return func.lower(func.trim(column))


def absent_sql(column: Any) -> ColumnElement[bool]:
    """True where the column holds no address at all: NULL, empty or blank. Never NULL itself."""
    return or_(column.is_(None), func.trim(column) == "")


def unusable_sql(address: ColumnElement[str]) -> ColumnElement[bool]:
    """True where a trimmed, present address can be seen to be none. Whatever `fault` accepts, this accepts."""
    return or_(
        not_(address.like("_%@_%._%")),
        address.like("%@%@%"),
        func.length(address) > LONGEST,
        _HoldsAny(address),
    )


class _HoldsAny(FunctionElement[bool]):
    """Whether a text holds one of _NEVER_INSIDE."""

    type = Boolean()
    inherit_cache = True


@compiles(_HoldsAny)
def _holds_any(element: _HoldsAny, compiler: SQLCompiler, **options: Any) -> str:
    (address,) = element.clauses
    found = or_(*(address.contains(character, autoescape=True) for character in _NEVER_INSIDE))
    return compiler.process(found.self_group(), **options)


@compiles(_HoldsAny, "postgresql")
def _holds_any_at_once(element: _HoldsAny, compiler: SQLCompiler, **options: Any) -> str:
    """One look instead of ten."""
    (address,) = element.clauses
    return f"({compiler.process(address, **options)} ~ '[{''.join(_NEVER_INSIDE)}]')"
