"""Reads one received mail: is it a bounce, a delay, a complaint, an automatic reply, and about whom? Nobody commits."""

from typing import BinaryIO

from massmail_plugin.feedback.reports.automatic import answers_by_itself, written_by_machine
from massmail_plugin.feedback.reports.complaints import Feedback, older_form, read_feedback
from massmail_plugin.feedback.reports.contents import Contents, lay_out
from massmail_plugin.feedback.reports.failures import arrived, failure, of_group, of_text
from massmail_plugin.feedback.reports.intake import bounded
from massmail_plugin.feedback.reports.notices import Notice, read_notice
from massmail_plugin.feedback.reports.phrases import CHALLENGE, REFUSED, says
from massmail_plugin.feedback.reports.prose import mentions
from massmail_plugin.feedback.reports.report import Report, ReportedRecipient, ReportKind
from massmail_plugin.feedback.reports.signs import is_failure_report, says_it_arrived, says_it_still_tries
from massmail_plugin.feedback.reports.status_fields import (
    StatusGroup,
    has_status_fields,
    read_status,
    status_fields_of,
)

_KIND_OF_ACTION = {"failed": ReportKind.BOUNCE, "delayed": ReportKind.DELAY}
_KIND_OF_NOTICE = {
    "bounce": ReportKind.BOUNCE,
    "delay": ReportKind.DELAY,
    "complaint": ReportKind.COMPLAINT,
    "delivered": ReportKind.DELIVERED,
}


def read_report(source: bytes | BinaryIO) -> Report:
    """Read a mail from its bytes, or from a binary stream, whatever its size and however broken it is.

    Never raises for what the mail contains; memory and time stay bounded.
    """
    raw = bounded(source)
    contents = lay_out(raw)
    subject = contents.headers.words("subject")
    said = " ".join(contents.said[:12_000].lower().split())
    kind, recipients, feedback_type, envelope_ids = _judge(contents, raw, " ".join(subject.lower().split()), said)
    return Report(
        kind=kind,
        recipients=tuple(recipients),
        sender=contents.sender,
        subject=subject[:500],
        message_id=contents.headers.get("message-id")[:500],
        came_at=contents.came_at,
        sent_to=contents.sent_to,
        answers=contents.answers,
        returned_ids=tuple(contents.returned.message_ids),
        returned_links=tuple(contents.returned.links),
        envelope_ids=envelope_ids,
        feedback_type=feedback_type,
        automatic=kind is not ReportKind.NONE or written_by_machine(contents.headers, contents.sender),
    )


_Judgement = tuple[ReportKind, list[ReportedRecipient], str, tuple[str, ...]]


def _judge(contents: Contents, raw: bytes, subject: str, said: str) -> _Judgement:
    feedback = _feedback(contents, subject)
    if feedback is not None:
        kind = ReportKind.COMPLAINT if feedback.complains else ReportKind.REPORT_NOT_COMPLAINT
        return kind, [_complained(one) for one in feedback.recipients], feedback.kind, ()
    notice = read_notice(contents.said)
    if notice is not None:
        return _of_notice(notice)
    if contents.receipt and not says(said, REFUSED):
        return ReportKind.NONE, [], "", ()
    if says(said, CHALLENGE):
        return ReportKind.AUTOREPLY, [], "", ()
    groups, envelope_ids = _groups(contents)
    if groups:
        kind, recipients = _of_groups(groups, contents, said)
        return kind, recipients, "", envelope_ids
    if is_failure_report(contents, subject, said):
        delayed = says_it_still_tries(subject, said)
        recipients = of_text(contents, raw, delayed=delayed)
        if not delayed and says_it_arrived(said):
            return ReportKind.DELIVERED, [arrived(one) for one in recipients], "", ()
        return ReportKind.DELAY if delayed else ReportKind.BOUNCE, recipients, "", ()
    if answers_by_itself(contents.headers, subject, said):
        return ReportKind.AUTOREPLY, [], "", ()
    return ReportKind.NONE, [], "", ()


def _feedback(contents: Contents, subject: str) -> Feedback | None:
    if contents.feedback:
        return read_feedback(contents.feedback, contents.returned)
    return older_form(contents.headers, subject, contents.said, contents.returned)


def _groups(contents: Contents) -> tuple[list[StatusGroup], tuple[str, ...]]:
    """The recipients of the status part; where there is none, of fields copied into the words."""
    if contents.status:
        groups, ids = read_status("\n\n".join(contents.status))
        if groups:
            return groups, ids
    if has_status_fields(contents.said):
        return read_status(status_fields_of(contents.said))
    return [], ()


def _of_groups(groups: list[StatusGroup], contents: Contents, said: str) -> tuple[ReportKind, list[ReportedRecipient]]:
    unsaid = "failed" if all(one.action for one in groups) or not says_it_still_tries("", said) else "delayed"
    found = () if all(one.words for one in groups) else mentions(contents.said)
    by_text = {one.address.casefold(): one for one in found}
    recipients = [of_group(one, one.action or unsaid, by_text.get(one.address.casefold())) for one in groups]
    actions = {one.action for one in recipients}
    kind = next((kind for action, kind in _KIND_OF_ACTION.items() if action in actions), ReportKind.DELIVERED)
    return kind, recipients


def _of_notice(notice: Notice) -> _Judgement:
    kind = _KIND_OF_NOTICE[notice.kind]
    if kind is ReportKind.COMPLAINT:
        complained = [_complained(one.address) for one in notice.recipients]
        return kind, complained, notice.feedback_type, ()
    action = {ReportKind.DELAY: "delayed", ReportKind.DELIVERED: "delivered"}.get(kind, "failed")
    recipients = [
        failure(one.address, words=one.words, status=one.status or notice.status, action=action)
        if action != "delivered"
        else ReportedRecipient(address=one.address, final=False, action=action)
        for one in notice.recipients
    ]
    return kind, recipients, "", ()


def _complained(address: str) -> ReportedRecipient:
    return ReportedRecipient(address=address, final=False)
