"""What the recipients do with the mails that reached them: answer, be away, complain. And what forgers do."""

import smtplib
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.utils import make_msgid
from pathlib import Path

from realmail.dovecot import maildir
from realmail.servers import MailServers, wait_until


def letter(servers: MailServers, user: str) -> Message:
    """The one mail in a user's mailbox, as soon as it is there."""
    folder = maildir(servers.folder, user)
    wait_until(lambda: bool(list(folder.glob("new/*"))), f"{user} got no mail.")
    (path,) = folder.glob("new/*")
    return BytesParser().parsebytes(path.read_bytes())


def reply(servers: MailServers, user: str, words: str) -> None:
    """A person answers the mailing."""
    _send(servers, f"{user}@box.test", "news@crm.test", _answer(servers, user, words))


def away(servers: MailServers, user: str) -> None:
    """A program answers for somebody on holiday, to the return path and by the rules (RFC 3834)."""
    got = letter(servers, user)
    answer = _answer(servers, user, "I am on holiday until Monday.")
    answer["Auto-Submitted"] = "auto-replied (vacation)"
    answer.replace_header("Subject", f"Auto: {got['Subject']}")
    to = str(got["Return-Path"]).strip("<> ")
    answer.replace_header("To", to)
    _send(servers, "", to, answer)


def complain(servers: MailServers, user: str) -> None:
    """The provider of a reader who pressed the spam button reports it (RFC 5965)."""
    got = letter(servers, user)
    report = (
        "From: feedback@box.test\r\nTo: bounces@crm.test\r\nSubject: FW: spam\r\n"
        f"Message-ID: {make_msgid(domain='box.test')}\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="cut"\r\n\r\n'
        "--cut\r\nContent-Type: text/plain\r\n\r\nA reader called this mail spam.\r\n"
        "--cut\r\nContent-Type: message/feedback-report\r\n\r\n"
        "Feedback-Type: abuse\r\nUser-Agent: Box/1\r\nVersion: 1\r\n"
        f"Original-Rcpt-To: {user}@box.test\r\n\r\n"
        "--cut\r\nContent-Type: message/rfc822\r\n\r\n"
        f"Message-ID: {got['Message-ID']}\r\nList-Unsubscribe: {got['List-Unsubscribe']}\r\n"
        f"To: {user}@box.test\r\nSubject: {got['Subject']}\r\n\r\nBody\r\n--cut--\r\n"
    )
    _deliver(servers, "feedback@box.test", "bounces@crm.test", report.encode())


def forge(servers: MailServers, address: str, number: int) -> None:
    """Somebody who never got a mail of ours reports `address` as dead, again and again."""
    for one in range(number):
        report = (
            "From: MAILER-DAEMON@evil.test\r\nTo: bounces@crm.test\r\nSubject: Undelivered Mail\r\n"
            f"Message-ID: <{one}.forged@evil.test>\r\nMIME-Version: 1.0\r\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="cut"\r\n\r\n'
            "--cut\r\nContent-Type: text/plain\r\n\r\nNo such user.\r\n"
            "--cut\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.evil.test\r\n\r\n"
            f"Final-Recipient: rfc822; {address}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
            "--cut\r\nContent-Type: text/rfc822-headers\r\n\r\n"
            f"Message-ID: <{'A' * 32}@crm.test>\r\nTo: {address}\r\n\r\n--cut--\r\n"
        )
        _deliver(servers, "", f"bounces+{'0' * 44}@crm.test", report.encode())


def write(servers: MailServers, to: str, subject: str) -> None:
    """Ordinary mail that has nothing to do with us."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "partner@box.test", to, subject
    mail["Message-ID"] = make_msgid(domain="box.test")
    mail.set_content("Shall we meet on Tuesday?")
    _send(servers, "partner@box.test", to, mail)


def subjects(servers: MailServers, user: str) -> list[str]:
    """What lies in a user's mailbox."""
    return sorted(str(BytesParser().parsebytes(path.read_bytes())["Subject"]) for path in files(servers, user))


def untouched(servers: MailServers, user: str) -> bool:
    """Whether no mail there is marked as read, answered or deleted."""
    return all(path.name.partition(":2,")[2] == "" for path in files(servers, user))


def files(servers: MailServers, user: str) -> list[Path]:
    """The mails in a user's mailbox."""
    return [path for name in ("new", "cur") for path in maildir(servers.folder, user).glob(f"{name}/*")]


def _answer(servers: MailServers, user: str, words: str) -> EmailMessage:
    got = letter(servers, user)
    answer = EmailMessage()
    answer["From"], answer["To"] = f"{user}@box.test", "news@crm.test"
    answer["Subject"] = f"Re: {got['Subject']}"
    answer["Message-ID"] = make_msgid(domain="box.test")
    answer["In-Reply-To"] = answer["References"] = str(got["Message-ID"])
    answer.set_content(words)
    return answer


def _send(servers: MailServers, sender: str, to: str, mail: EmailMessage) -> None:
    _deliver(servers, sender, to, mail.as_bytes())


def _deliver(servers: MailServers, sender: str, to: str, content: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", servers.smtp) as server:
        server.sendmail(sender, [to], content)
