"""AUTH (RFC 4954) with the user name and secret of an account. Commits nothing; nothing secret leaves by errors."""

import base64
import hmac
from collections.abc import Awaitable, Callable

from massmail_plugin.contracts import Account
from massmail_plugin.smtp_status import Reply

Command = Callable[[str, str], Awaitable[Reply]]
"""Sends two words, of which the second is secret (either may be empty), and gives the answer."""


def mechanism(account: Account, offered: str, *, encrypted: bool) -> str | None:
    """The way to log in: the account's own choice, else the best of `offered` (EHLO's words after AUTH).

    XOAUTH2 is a choice of its own: its secret is an access token, no password.
    """
    known = offered.upper().split()
    if account.auth and account.auth != "auto":
        wanted = account.auth.upper().replace("_", "-")
        return wanted if wanted in known and wanted in _WAYS else None
    order = ("PLAIN", "LOGIN", "CRAM-MD5") if encrypted else ("CRAM-MD5", "PLAIN", "LOGIN")
    return next((name for name in order if name in known), None)


async def log_in(account: Account, name: str, command: Command) -> Reply:
    """Log in by mechanism `name`; the last answer is returned.

    Raises ValueError where the server's challenge cannot be read.
    """
    return await _WAYS[name](account, command)


async def _plain(account: Account, command: Command) -> Reply:
    response = "\0".join(("", account.username, account.secret))
    return await command("AUTH PLAIN", _base64(response))


async def _login(account: Account, command: Command) -> Reply:
    answer = await command("AUTH LOGIN", "")
    if answer.code == 334:
        answer = await command("", _base64(account.username))
    if answer.code == 334:
        answer = await command("", _base64(account.secret))
    return answer


async def _cram_md5(account: Account, command: Command) -> Reply:
    """RFC 2195."""
    answer = await command("AUTH CRAM-MD5", "")
    if answer.code != 334:
        return answer
    challenge = base64.b64decode(answer.text)
    digest = hmac.new(account.secret.encode(), challenge, "md5").hexdigest()
    return await command("", _base64(f"{account.username} {digest}"))


async def _xoauth2(account: Account, command: Command) -> Reply:
    """An OAuth 2.0 access token; a refusal comes as a challenge, and its reply after an empty line."""
    response = f"user={account.username}\1auth=Bearer {account.secret}\1\1"
    answer = await command("AUTH XOAUTH2", _base64(response))
    return await command("", "") if answer.code == 334 else answer


def _base64(words: str) -> str:
    return base64.b64encode(words.encode()).decode()


_WAYS: dict[str, Callable[[Account, Command], Awaitable[Reply]]] = {
    "PLAIN": _plain,
    "LOGIN": _login,
    "CRAM-MD5": _cram_md5,
    "XOAUTH2": _xoauth2,
}
