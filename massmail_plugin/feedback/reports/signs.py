"""The signs by which a failure report, and a server that still tries, are known. The reader enters."""

from massmail_plugin.feedback.reports.addresses import in_return_path, same
from massmail_plugin.feedback.reports.automatic import answers_by_itself
from massmail_plugin.feedback.reports.contents import Contents
from massmail_plugin.feedback.reports.phrases import (
    DAEMONS,
    DELIVERED,
    FAILED_SUBJECT,
    GIVEN_UP,
    MAIL,
    NOT_DELIVERED,
    STILL_TRYING,
    flat,
    says,
)
from massmail_plugin.feedback.reports.places import REPLY, is_office
from massmail_plugin.feedback.reports.prose import Mention, Weight, besides, mentions, sure
from massmail_plugin.feedback.reports.reason_words import WORDS
from massmail_plugin.feedback.reports.reasons import enhanced, reply_code
from massmail_plugin.feedback.reports.report import Reason

_OF_MAILBOXES = (Reason.USER_UNKNOWN, Reason.HOST_UNKNOWN, Reason.MAILBOX_FULL, Reason.SUSPEND)
_FAILING = (*flat(NOT_DELIVERED), *(phrase for reason, words in WORDS if reason in _OF_MAILBOXES for phrase in words))
_NEAR = 80
"""Characters around what says that something failed, which name what it was."""
_STILL_TRYING = flat(STILL_TRYING)
_DELAY_SUBJECT = ("(delay", "delayed", "warning", "still being retried", "verzögert", "delay)")
_LIST_MANAGERS = ("-admin@", "-owner@", "owner-", "-request@", "-bounces@", "listmaster@", "majordomo@")
_ANSWERS = (
    *("re:", "aw:", "sv:", "antw:", "rif:", "rv:", "odp:", "回复", "答复"),
    *("fw:", "fwd:", "wg:", "tr:", "vs:", "enc:", "转发", "轉寄"),
)
_FAILURE_SUBJECT = ("failure", "failed", "undeliverable", "returned mail")


def is_failure_report(contents: Contents, subject: str, said: str) -> bool:
    """Whether a mail reports that another one did not get through. Subject and text are lower-case."""
    headers = contents.headers
    if "x-failed-recipients" in headers:
        return True
    sender = headers.words("from").lower()
    daemon = says(sender, DAEMONS) or _nobody(sender)
    report = contents.report_type == "delivery-status"
    if not daemon and not report and answers_by_itself(headers, subject, said):
        return False
    by_subject = says(subject, FAILED_SUBJECT)
    by_text = says(said, _FAILING) or ((daemon or report or by_subject) and _in_session(said))
    if not (by_subject or by_text):
        return _by_a_program(sender, contents)
    if daemon or report:
        return not _lures(contents) and (by_subject or report or _forms(contents) > 0 or bool(_others(contents)))
    forms = _forms(contents)
    by_manager = by_text and any(sign in contents.sender for sign in _LIST_MANAGERS)
    if by_subject + by_text + forms + by_manager < 2 or (not _null_path(contents) and _answers(subject)):
        return _by_a_program(sender, contents)
    if "list-id" in headers and not forms:
        return False
    if contents.returned.there or _recipients(contents):
        return True
    if not forms and (subject.endswith("?") or not (enhanced(said) or _of_a_mail(subject, said))):
        return False
    others = _others(contents)
    return len(others) == 1 or bool(sure(others, ()))


def _others(contents: Contents) -> list[Mention]:
    """Those a text names besides the senders and the offices one may turn to."""
    return [one for one in besides(mentions(contents.said), contents.senders) if not is_office(one.address)]


def _of_a_mail(subject: str, said: str) -> bool:
    """Whether what failed is a mail, and no parcel or payment."""
    at = min((found for phrase in _FAILING if (found := said.find(phrase)) >= 0), default=0)
    sentence = said[max(0, at - _NEAR) : at].rpartition(". ")[2] + said[at : at + _NEAR].partition(". ")[0]
    return says(f"{subject} {sentence}", MAIL)


def says_it_arrived(said: str) -> bool:
    """Whether a report speaks of success alone."""
    return says(said, DELIVERED) and not says(said, _FAILING) and not REPLY.search(said)


def _answers(subject: str) -> bool:
    """Whether a subject is that of an answer, also behind the name of a list in brackets."""
    return subject.rpartition("]")[2].lstrip().startswith(_ANSWERS)


def _forms(contents: Contents) -> int:
    """How many of the forms a report has that other mail seldom has: no return path, a returned mail, our own VERP."""
    return _null_path(contents) + (contents.returned.there or bool(_recipients(contents)))


def _null_path(contents: Contents) -> bool:
    return contents.headers.get("return-path").strip() == "<>"


def _recipients(contents: Contents) -> list[str]:
    """Recipients written into the addresses a mail came to."""
    return [one for address in contents.sent_to for one in in_return_path(address)]


def _in_session(said: str) -> bool:
    """Whether a text quotes what servers say to each other."""
    return bool(enhanced(said)) or "rcpt to" in said or "smtp" in said or reply_code(said) > 0


def says_it_still_tries(subject: str, said: str) -> bool:
    """Whether a report only warns of a delay."""
    if says(said, _STILL_TRYING):
        return not (says(said, GIVEN_UP) and not says(subject, _DELAY_SUBJECT))
    return says(subject, _DELAY_SUBJECT) and not says(said, GIVEN_UP) and not says(subject, _FAILURE_SUBJECT)


def _by_a_program(sender: str, contents: Contents) -> bool:
    """Whether a mail server's own program names somebody or returns a mail of ours, in whatever language."""
    found = sure(mentions(contents.said), contents.senders)
    if "daemon" in sender or "mail delivery" in sender or _nobody(sender):
        return bool(found) or _returns_ours(contents) or ("daemon" in sender and len(_others(contents)) == 1)
    if not (_null_path(contents) or contents.sender.startswith("postmaster@")):
        return False
    if _null_path(contents) and REPLY.search(contents.said) and len(_others(contents)) == 1:
        return True
    return any(_listed(one) or REPLY.search(" ".join(one.words)) for one in found)


def _listed(one: Mention) -> bool:
    """Whether an address stands alone on a line, as in a list of those who failed."""
    return one.weight is Weight.NAMED and bool(one.words) and same(one.words[0].strip("<>:,;*- \t"), one.address)


def _returns_ours(contents: Contents) -> bool:
    """Whether it returns a mail from somebody it is addressed to."""
    sent_to = {one.casefold() for one in contents.sent_to}
    return bool(contents.returned.recipients) and any(one.casefold() in sent_to for one in contents.returned.senders)


def _lures(contents: Contents) -> bool:
    """Whether it tells us of mail for ourselves, with something to click: a fraud that looks like a report."""
    if contents.returned.there or "http" not in contents.said:
        return False
    return any(own.casefold() in contents.said.casefold() for own in contents.sent_to) and not _others(contents)


def _nobody(sender: str) -> bool:
    return sender.strip() in ("<>", "")
