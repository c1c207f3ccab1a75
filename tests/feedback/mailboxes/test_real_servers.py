"""A mailing through a real Postfix, read back from a real Dovecot: unknown user, full box, delay, answers, forgery."""

from pathlib import Path

import pytest

from massmail_plugin.vocabulary import MailboxKind, Security
from realmail.run import run
from realmail.servers import MailServers

pytestmark = pytest.mark.xdist_group("mailservers")


@pytest.mark.parametrize(
    ("kind", "security"),
    [
        (MailboxKind.IMAP, Security.TLS),
        (MailboxKind.POP3, Security.STARTTLS),
        (MailboxKind.MAILDIR, Security.NONE),
    ],
)
def test_every_row_is_right(
    running: MailServers, database_url: str, tmp_path: Path, kind: MailboxKind, security: Security
) -> None:
    checks = run(tmp_path, database_url, running, kind, security)
    assert [check for check in checks if not check.ok] == []
