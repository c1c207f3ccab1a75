"""Mails as they come in, written for these tests: bounces, delays, complaints, answers, with tokens or without."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, make_msgid

from massmail_plugin.config import Config
from massmail_plugin.contracts import Host
from massmail_plugin.models import OutboxMessage
from massmail_plugin.signed_links import OptOutAddresses, ReturnPaths, message_id_field, message_token, opt_out_url

BOUNCES = "bounces@crm.test"
LEAVE = "leave@crm.test"


@dataclass(frozen=True)
class Sent:
    """A mail of ours as its receiver sees it."""

    address: str
    return_path: str
    message_id: str
    unsubscribe: str
    opt_out_address: str


def sent(host: Host, message: OutboxMessage) -> Sent:
    """What stands in the envelope and the head of an outbox message."""
    config = host.config
    token = message_token(config, message.id, message.mailing_id)
    return Sent(
        message.address,
        ReturnPaths(config, BOUNCES).of(message.id),
        message_id_field(config, message.id, "crm.test"),
        opt_out_url(config, token),
        OptOutAddresses(config, LEAVE).of(message.id),
    )


def forged(address: str) -> Sent:
    """What somebody makes up who has no key of ours."""
    return sent_by(Config(base_url="https://crm.test", secret_keys=("f" * 40,)), address)


def sent_by(config: Config, address: str) -> Sent:
    """The same with the keys of somebody else."""
    return Sent(
        address,
        ReturnPaths(config, BOUNCES).of(1),
        message_id_field(config, 1, "crm.test"),
        opt_out_url(config, message_token(config, 1, 1)),
        OptOutAddresses(config, LEAVE).of(1),
    )


def report(
    mail: Sent,
    *,
    about: str | None = None,
    action: str = "failed",
    status: str = "5.1.1",
    said: str = "550 5.1.1 No such user",
    to: str | None = None,
    headers: bool = True,
    message_id: str | None = None,
) -> bytes:
    """A delivery status report (RFC 3464) about `mail`, come back to its return path."""
    returned = f"Message-ID: {mail.message_id}\nTo: {mail.address}\nSubject: News\n" if headers else "Subject: News\n"
    return _mail(
        f"""From: MAILER-DAEMON@mx.test
To: {to or mail.return_path}
Subject: Undelivered Mail Returned to Sender
Message-ID: {message_id or make_msgid(domain="mx.test")}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="cut"

--cut
Content-Type: text/plain

This is the mail system at mx.test. Your message could not be delivered.

--cut
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.test

Final-Recipient: rfc822; {about or mail.address}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {said}

--cut
Content-Type: text/rfc822-headers

{returned}
--cut--
"""
    )


def complaint(mail: Sent, *, about: str | None = "", kind: str = "abuse") -> bytes:
    """A feedback report (RFC 5965); `about` None names nobody."""
    named = "" if about is None else f"Original-Rcpt-To: {about or mail.address}\n"
    return _mail(
        f"""From: feedback@box.test
To: {BOUNCES}
Subject: FW: News
Message-ID: {make_msgid(domain="box.test")}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="cut"

--cut
Content-Type: text/plain

A reader called this mail spam.

--cut
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: Box/1
Version: 1
{named}
--cut
Content-Type: message/rfc822

Message-ID: {mail.message_id}
List-Unsubscribe: <{mail.unsubscribe}>
From: news@crm.test
Subject: News

Hello
--cut--
"""
    )


def answer(mail: Sent, *, by: str | None = None, automatic: str = "", to: str = "news@crm.test") -> bytes:
    """A person's answer to a mail of ours, or with `automatic` (an Auto-Submitted value) that of a program."""
    machine = f"Auto-Submitted: {automatic}\n" if automatic else ""
    return _mail(
        f"""From: Rita <{by or mail.address}>
To: {to}
Subject: Re: News
Message-ID: {make_msgid(domain="box.test")}
In-Reply-To: {mail.message_id}
References: {mail.message_id}
{machine}Content-Type: text/plain

Yes, we would like to order.
"""
    )


def leaving(
    to: str, *, by: str = "member1@box.test", at: datetime | None = None, head: str = "", text: str = ""
) -> bytes:
    """What a mail program writes to the address that List-Unsubscribe names; `head` are further fields."""
    date = f"Date: {format_datetime(at)}\n" if at else ""
    return _mail(
        f"""From: {by}
To: {to}
Subject: unsubscribe
Message-ID: {make_msgid(domain="box.test")}
{date}{head}Content-Type: text/plain

{text}
"""
    )


def ordinary(subject: str = "Tuesday") -> bytes:
    """Mail that has nothing to do with us."""
    return _mail(
        f"""From: partner@box.test
To: news@crm.test
Subject: {subject}
Message-ID: {make_msgid(domain="box.test")}
Content-Type: text/plain

Shall we meet?
"""
    )


def _mail(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()
