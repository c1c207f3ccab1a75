"""The address to opt out by mail: in each mail's header while a mailbox is read; what is written there counts."""

import re
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path
from urllib.parse import unquote, urlsplit

from flask import current_app

from massmail_plugin.consent.subscriptions.subscribing import subscriber_count
from massmail_plugin.feedback import mailboxes
from massmail_plugin.feedback.mailboxes import MailboxDraft
from massmail_plugin.vocabulary import AfterReading, MailboxKind
from tests.consent.small_host import add_person

from .conftest import subscribe
from .test_lane import launched, run


def ways_out(mail) -> list[str]:
    """What stands in List-Unsubscribe."""
    return re.findall(r"<([^>]+)>", message_from_bytes(mail.content, policy=policy.default)["List-Unsubscribe"])


def listen(host, folder: Path):
    """Read a Maildir for it, as a server delivers there."""
    host = replace(host, config=replace(host.config, maildir_root=str(folder)))
    current_app.extensions["massmail"] = host
    for part in ("new", "cur", "tmp"):
        (folder / "leave" / part).mkdir(parents=True)
    draft = MailboxDraft(
        name="Leave", kind=MailboxKind.MAILDIR, folder=str(folder / "leave"), after=AfterReading.DELETE
    )
    made = mailboxes.save(host, None, draft)
    host.session.commit()
    return host, made.id


def test_who_writes_to_the_address_in_the_mail_is_out(host, provider, news, template, tmp_path):
    host, mailbox_id = listen(host, tmp_path)
    template.sender.opt_out_address, template.sender.bcc = "leave@mail.example.org", "archive@example.org"
    subscribe(host, news, *(add_person(host, f"{name}@example.org") for name in "abc"))
    launched(host, template, news)
    run(host)
    originals = {mail.rcpt_to: ways_out(mail) for mail in provider.messages if not mail.is_copy}
    assert len({by_mail for _, by_mail in originals.values()}) == 3
    web, by_mail = originals["b@example.org"]
    assert web.startswith("http://localhost/m/u/")
    assert urlsplit(by_mail).query == "subject=unsubscribe"
    to = unquote(urlsplit(by_mail).path)
    assert re.fullmatch(r"leave\+[0-9a-f]{44}@mail\.example\.org", to)
    (tmp_path / "leave" / "new" / "1.mx").write_bytes(
        f"From: b@example.org\r\nTo: {to}\r\nSubject: unsubscribe\r\nMessage-ID: <1@mx>\r\n\r\n".encode()
    )
    assert mailboxes.read_mailbox(host, mailbox_id).kinds == {"opt_out": 1}
    assert subscriber_count(host, news) == 2
    assert list((tmp_path / "leave" / "new").iterdir()) == []


def test_copies_do_not_name_it(host, provider, news, template, tmp_path):
    host, _ = listen(host, tmp_path)
    template.sender.opt_out_address, template.sender.bcc = "leave@mail.example.org", "archive@example.org"
    subscribe(host, news, add_person(host, "a@example.org"))
    launched(host, template, news)
    run(host)
    (copy,) = [mail for mail in provider.messages if mail.is_copy]
    assert "List-Unsubscribe" not in message_from_bytes(copy.content)


def test_while_no_mailbox_is_read_nobody_is_told_to_write(host, provider, news, template):
    template.sender.opt_out_address = "leave@mail.example.org"
    subscribe(host, news, add_person(host, "a@example.org"))
    launched(host, template, news)
    run(host)
    (mail,) = provider.messages
    assert [urlsplit(way).scheme for way in ways_out(mail)] == ["http"]
