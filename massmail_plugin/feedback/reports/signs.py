"""The signs by which a failure report, and a server that still tries, are known. The reader enters."""

from massmail_plugin.feedback.reports.addresses import in_return_path
from massmail_plugin.feedback.reports.automatic import answers_by_itself
from massmail_plugin.feedback.reports.contents import Contents
from massmail_plugin.feedback.reports.phrases import (
    DAEMONS,
    FAILED_SUBJECT,
    GIVEN_UP,
    NOT_DELIVERED,
    STILL_TRYING,
    flat,
    says,
)
from massmail_plugin.feedback.reports.prose import besides, mentions, sure
from massmail_plugin.feedback.reports.reason_words import WORDS
from massmail_plugin.feedback.reports.reasons import enhanced, reply_code
from massmail_plugin.feedback.reports.report import Reason

_OF_MAILBOXES = (Reason.USER_UNKNOWN, Reason.HOST_UNKNOWN, Reason.MAILBOX_FULL, Reason.SUSPEND)
_FAILING = (*flat(NOT_DELIVERED), *(phrase for reason, words in WORDS if reason in _OF_MAILBOXES for phrase in words))
_STILL_TRYING = flat(STILL_TRYING)
_DELAY_SUBJECT = ("(delay", "delayed", "warning", "still being retried", "verzögert", "delay)")
_LIST_MANAGERS = ("-admin@", "-owner@", "owner-", "-request@", "-bounces@", "listmaster@", "majordomo@")
_ANSWERS = ("re:", "aw:", "sv:", "antw:", "rif:", "rv:", "odp:", "回复", "答复")
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
        return True
    forms = _forms(contents)
    by_manager = by_text and any(sign in contents.sender for sign in _LIST_MANAGERS)
    if by_subject + by_text + forms + by_manager < 2 or (not forms and _answers(subject)):
        return False
    if contents.returned.there or _recipients(contents):
        return True
    others = besides(mentions(contents.said), contents.senders)
    return len(others) == 1 or bool(sure(others, ()))


def _answers(subject: str) -> bool:
    """Whether a subject is that of an answer, also behind the name of a list in brackets."""
    return subject.rpartition("]")[2].lstrip().startswith(_ANSWERS)


def _forms(contents: Contents) -> int:
    """How many of the forms a report has that other mail seldom has: no return path, a returned mail, our own VERP."""
    return (contents.headers.get("return-path").strip() == "<>") + (
        contents.returned.there or bool(_recipients(contents))
    )


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
    """Whether a mail server's own program names somebody, in whatever language."""
    program = "daemon" in sender or "delivery" in sender or _nobody(sender)
    return program and bool(sure(mentions(contents.said), contents.senders))


def _nobody(sender: str) -> bool:
    return sender.strip() in ("<>", "")
