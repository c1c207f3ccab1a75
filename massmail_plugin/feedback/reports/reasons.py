"""Why a delivery failed, from the status code and the words of a server. The files of the room enter."""

import re
from dataclasses import dataclass

from massmail_plugin.feedback.reports.phrases import GIVEN_UP, says
from massmail_plugin.feedback.reports.reason_words import WORDS
from massmail_plugin.feedback.reports.report import Lasting, Reason
from massmail_plugin.smtp_status import Meaning, Reply

HARD = frozenset({Reason.USER_UNKNOWN, Reason.HOST_UNKNOWN, Reason.HAS_MOVED, Reason.NOT_ACCEPT})
"""Reasons that say that the address itself is dead."""

_FOR_GOOD = HARD | {Reason.SUSPEND}
"""Reasons that do not pass, where a report gives no code."""

_STATUS: dict[str, Reason] = {
    "1.1": Reason.USER_UNKNOWN,
    "1.10": Reason.NOT_ACCEPT,
    "1.2": Reason.HOST_UNKNOWN,
    "1.3": Reason.USER_UNKNOWN,
    "1.6": Reason.HAS_MOVED,
    "1.7": Reason.REJECTED,
    "1.8": Reason.REJECTED,
    "1.9": Reason.SYSTEM_ERROR,
    "2.1": Reason.SUSPEND,
    "2.2": Reason.MAILBOX_FULL,
    "2.3": Reason.MESSAGE_TOO_BIG,
    "2.4": Reason.FILTERED,
    "3.1": Reason.SYSTEM_FULL,
    "3.2": Reason.NOT_ACCEPT,
    "3.4": Reason.MESSAGE_TOO_BIG,
    "3.5": Reason.SYSTEM_ERROR,
    "4.1": Reason.EXPIRED,
    "4.2": Reason.NETWORK_ERROR,
    "4.3": Reason.SYSTEM_ERROR,
    "4.4": Reason.HOST_UNKNOWN,
    "4.6": Reason.NETWORK_ERROR,
    "4.7": Reason.EXPIRED,
    "6.0": Reason.CONTENT_ERROR,
    "6.1": Reason.CONTENT_ERROR,
    "6.2": Reason.CONTENT_ERROR,
    "6.6": Reason.CONTENT_ERROR,
    "7.1": Reason.REJECTED,
    "7.2": Reason.FILTERED,
    "7.8": Reason.SECURITY_ERROR,
    "7.9": Reason.SECURITY_ERROR,
    "7.13": Reason.SUSPEND,
    "7.17": Reason.HAS_MOVED,
    "7.20": Reason.AUTH_FAILURE,
    "7.22": Reason.AUTH_FAILURE,
    "7.23": Reason.AUTH_FAILURE,
    "7.24": Reason.AUTH_FAILURE,
    "7.25": Reason.REQUIRE_PTR,
    "7.26": Reason.AUTH_FAILURE,
    "7.27": Reason.NOT_ACCEPT,
    "7.28": Reason.SPEEDING,
    "7.509": Reason.AUTH_FAILURE,
    "7.515": Reason.AUTH_FAILURE,
}
"""What the subject and detail of an RFC 3463 code say where the words say nothing (IANA's registry of codes)."""

# Codes that say more than any words beside them.
_PLAIN_STATUS = {
    "1.1": Reason.USER_UNKNOWN,
    "1.2": Reason.HOST_UNKNOWN,
    "1.6": Reason.HAS_MOVED,
    "1.7": Reason.REJECTED,
    "1.8": Reason.REJECTED,
    "2.2": Reason.MAILBOX_FULL,
    "3.4": Reason.MESSAGE_TOO_BIG,
}

_MEANING: dict[Reason, Meaning] = {
    **dict.fromkeys(HARD, Meaning.HARD),
    Reason.MAILBOX_FULL: Meaning.FULL,
    **dict.fromkeys((Reason.AUTH_FAILURE, Reason.REQUIRE_PTR), Meaning.SENDER_FAULT),
    **dict.fromkeys(
        (
            Reason.BLOCKED,
            Reason.BAD_REPUTATION,
            Reason.SPAM_DETECTED,
            Reason.POLICY_VIOLATION,
            Reason.REJECTED,
            Reason.NO_RELAYING,
            Reason.FILTERED,
            Reason.SPEEDING,
            Reason.SECURITY_ERROR,
            Reason.EXCEED_LIMIT,
            Reason.TOO_MANY_CONNECTIONS,
        ),
        Meaning.BLOCKED,
    ),
    **dict.fromkeys((Reason.VIRUS_DETECTED, Reason.MESSAGE_TOO_BIG, Reason.CONTENT_ERROR), Meaning.MESSAGE),
}

_AT_SENDER = ("after mail from", "in reply to mail from", "response to mail from", "[mail_from]")
"""The server refused before it heard the recipient's address."""

_ENHANCED = re.compile(r"(?<![\d.\w-])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
_CODE = re.compile(r"(?<![\d./=#\w-])(?<!\w:)([245][0-5]\d)(?=[\s:;,#<>'\"-]|$)(?!\.\d|-\d(?!\.\d))")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a server's words come to."""

    status: str
    code: int
    lasting: Lasting | None
    reason: Reason
    hard: bool
    meaning: Meaning


def verdict(status: str, words: str, *, after_data: bool = False) -> Verdict:
    """Judge a failure by its RFC 3463 `status` (or nothing) and the server's `words`.

    A code in the words is closer to the source than the status field of a report that passed it on, so its class
    decides. `after_data`: the server had taken the address and refused the mail only after its content.
    """
    said = _ENHANCED.search(words)
    code = reply_code(words)
    shown = status
    if said and (not status or not said[0].endswith(".0.0")):
        shown = said[0]
    text = " ".join(words.lower().split())
    reason = _reason(shown, text)
    lasting = _lasting(shown, code, text)
    if lasting is None and reason in _FOR_GOOD:
        lasting = Lasting.PERMANENT
    if reason in HARD and says(text, _AT_SENDER):
        reason = Reason.REJECTED
    if reason is Reason.USER_UNKNOWN and after_data and not shown.endswith(".1.1"):
        reason = Reason.FILTERED
    hard = reason in HARD and lasting is not Lasting.TEMPORARY
    return Verdict(shown, code, lasting, reason, hard, _meaning(reason, hard, lasting, shown, code))


def reply_code(words: str) -> int:
    """The SMTP reply code in a server's words, or 0."""
    found = _CODE.search(words)
    return int(found[1]) if found else 0


def enhanced(words: str) -> str:
    """The RFC 3463 code in a server's words, or nothing."""
    found = _ENHANCED.search(words)
    return found[0] if found else ""


def _lasting(status: str, code: int, text: str) -> Lasting | None:
    first = status[:1] or str(code)[0]
    if first == "5":
        return Lasting.PERMANENT
    if first == "4":
        return Lasting.TEMPORARY
    return Lasting.PERMANENT if says(text, GIVEN_UP) else None


def _reason(status: str, text: str) -> Reason:
    detail = status[2:]
    if detail in _PLAIN_STATUS:
        return _PLAIN_STATUS[detail]
    if detail in ("7.26", "7.509", "7.515", "7.20", "7.23", "7.25"):
        return _STATUS[detail]
    for reason, phrases in WORDS:
        if says(text, phrases):
            return reason
    return _STATUS.get(detail, Reason.ON_HOLD if status or text else Reason.UNDEFINED)


def _meaning(reason: Reason, hard: bool, lasting: Lasting | None, status: str, code: int) -> Meaning:
    if hard:
        return Meaning.HARD
    if reason in HARD or (reason not in _MEANING and lasting is Lasting.TEMPORARY):
        return Meaning.SOFT
    if reason in _MEANING:
        return _MEANING[reason]
    by_code = Reply(code or (500 if lasting is Lasting.PERMANENT else 400), status, "").meaning
    return Meaning.SOFT if by_code is Meaning.HARD else by_code
