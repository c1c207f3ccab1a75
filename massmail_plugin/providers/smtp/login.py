"""AUTH (RFC 4954) with the user name and password of an account. Nothing is committed, nothing secret leaves by errors.

Done by hand because smtplib sends ASCII only, and an error of its encoding would hold the password.
"""

import base64
import hmac
from collections.abc import Callable

from massmail_plugin.contracts import Account
from massmail_plugin.smtp_status import Reply

Command = Callable[[str], Reply]


def mechanism(account: Account, offered: str, *, encrypted: bool) -> str | None:
    """The way to log in: the account's own choice, else the best of `offered` (EHLO's words after AUTH)."""
    known = offered.upper().split()
    if account.auth and account.auth != "auto":
        wanted = account.auth.upper().replace("_", "-")
        return wanted if wanted in known and wanted in _WAYS else None
    order = ("PLAIN", "LOGIN", "CRAM-MD5") if encrypted else ("CRAM-MD5", "PLAIN", "LOGIN")
    return next((name for name in order if name in known), None)


def log_in(account: Account, name: str, command: Command) -> Reply:
    """Log in by mechanism `name`; `command` sends one line and gives the answer. The last answer is returned."""
    return _WAYS[name](account, command)


def _plain(account: Account, command: Command) -> Reply:
    response = "\0".join(("", account.username, account.secret))
    return command(f"AUTH PLAIN {_base64(response.encode())}")


def _login(account: Account, command: Command) -> Reply:
    answer = command("AUTH LOGIN")
    if answer.code == 334:
        answer = command(_base64(account.username.encode()))
    if answer.code == 334:
        answer = command(_base64(account.secret.encode()))
    return answer


def _cram_md5(account: Account, command: Command) -> Reply:
    answer = command("AUTH CRAM-MD5")
    if answer.code != 334:
        return answer
    challenge = base64.b64decode(answer.text)
    digest = hmac.new(account.secret.encode(), challenge, "md5").hexdigest()
    return command(_base64(f"{account.username} {digest}".encode()))


def _base64(words: bytes) -> str:
    return base64.b64encode(words).decode()


_WAYS: dict[str, Callable[[Account, Command], Reply]] = {
    "PLAIN": _plain,
    "LOGIN": _login,
    "CRAM-MD5": _cram_md5,
}
