"""Reads the fields of RFC 3464 delivery reports, in their own part or copied into a text. The reader enters."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from massmail_plugin.feedback.reports.addresses import reported, same
from massmail_plugin.feedback.reports.headers import Headers, read_headers
from massmail_plugin.feedback.reports.reasons import enhanced

MOST_RECIPIENTS = 1000
"""Recipients read of one report."""

_ACTIONS = {
    "fail": "failed",
    "failed": "failed",
    "failure": "failed",
    "error": "failed",
    "expired": "failed",
    "bounced": "failed",
    "delay": "delayed",
    "delayed": "delayed",
    "deferred": "delayed",
    "deliver": "delivered",
    "delivered": "delivered",
    "success": "delivered",
    "relay": "relayed",
    "relayed": "relayed",
    "expand": "expanded",
    "expanded": "expanded",
}
_RECIPIENT = ("final-recipient", "original-recipient", "x-actual-recipient")
_EMPTY_LINES = re.compile(r"\n(?:[ \t]*\n)+")
_START = re.compile(r"^[ \t>]*(?:Final|Original)-Recipient[ \t]*:", re.I | re.M)
_ABOUT_ONE = frozenset({*_RECIPIENT, "action", "status", "diagnostic-code", "remote-mta"})
_ONCE = ("final-recipient", "action", "status")
_FIELD = re.compile(
    r"^[ \t>]*((?:Final|Original|X-Actual)-Recipient|Action|Status|Diagnostic-Code|Remote-MTA|Reporting-MTA|"
    r"Original-Envelope-Id|Arrival-Date|Last-Attempt-Date|Will-Retry-Until|Received-From-MTA|X-Original-Message-ID)"
    r"[ \t]*:",
    re.I,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusGroup:
    """What a report says of one recipient."""

    address: str
    original: str
    action: str
    status: str
    words: str
    """The diagnostic code, without its type."""


def read_status(text: str) -> tuple[list[StatusGroup], tuple[str, ...]]:
    """The recipients of a delivery-status part, and its envelope ids."""
    found: list[StatusGroup] = []
    ids: list[str] = []
    for fields in _groups(text):
        ids += [value for value in fields.all("original-envelope-id") if value]
        group = _group(fields)
        if group is not None:
            found.append(group)
        if len(found) >= MOST_RECIPIENTS:
            break
    return found, tuple(dict.fromkeys(ids))


def has_status_fields(text: str) -> bool:
    """Whether a text carries the fields of a delivery report."""
    return _START.search(text) is not None


def status_fields_of(text: str) -> str:
    """The fields of a delivery report that stand in a text among other things, each continued line with it."""
    kept: list[str] = []
    inside = False
    for line in text.split("\n"):
        bare = line.lstrip(" \t>")
        if _FIELD.match(line):
            kept.append(bare)
            inside = True
        elif not bare:
            kept.append("")
            inside = False
        elif inside and line[:1] in " \t>":
            kept.append(" " + bare)
        else:
            inside = False
    return "\n".join(kept)


def _groups(text: str) -> Iterator[Headers]:
    """Blocks of fields; a block that repeats a field said once of a recipient is cut there, torn ones are joined."""
    pending = ""
    for block in _EMPTY_LINES.split(text):
        if not block.strip():
            continue
        fields = read_headers(block)
        if not any(name in fields for name in _ABOUT_ONE):
            yield fields
            continue
        if pending and any(name in fields for name in _RECIPIENT) and _has_recipient(pending):
            yield from map(read_headers, _cut(pending))
            pending = block
        else:
            pending = f"{pending}\n{block}" if pending else block
    if pending:
        yield from map(read_headers, _cut(pending))


def _has_recipient(block: str) -> bool:
    return _START.search(block) is not None


def _cut(block: str) -> Iterator[str]:
    seen: set[str] = set()
    lines: list[str] = []
    for line in block.split("\n"):
        name = line.partition(":")[0].strip().lower()
        if name in _ONCE and name in seen:
            yield "\n".join(lines)
            lines, seen = [], set()
        if name in _ONCE:
            seen.add(name)
        lines.append(line)
    yield "\n".join(lines)


def _group(fields: Headers) -> StatusGroup | None:
    final = reported(fields.get("final-recipient"))
    original = reported(fields.get("original-recipient"))
    if not final and not original:
        final = reported(fields.get("x-actual-recipient"))
    address = final or original
    if not address:
        return None
    kind, semicolon, words = fields.get("diagnostic-code").partition(";")
    words = words if semicolon and " " not in kind.strip() else fields.get("diagnostic-code")
    status = enhanced(fields.get("status"))
    if not status and not words.strip():
        words = fields.get("status")
    action = _action(fields.get("action"), status)
    different = "" if not original or same(original, address) else original
    return StatusGroup(address=address, original=different, action=action, status=status, words=words.strip())


def _action(said: str, status: str) -> str:
    word = said.strip().lower().split(None, 1)
    known = _ACTIONS.get(word[0].strip("\"'.;:,()")) if word else None
    if known:
        return known
    return {"5": "failed", "2": "delivered"}.get(status[:1], "")
