"""The provider "smtp": any mail server that speaks RFC 5321. Sending and the admin enter; nothing is committed."""

import asyncio
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from massmail_plugin.contracts import Account, Outgoing, Stage
from massmail_plugin.providers.smtp.carriage import SmtpCarriage
from massmail_plugin.providers.smtp.dialogue import COMMAND_SECONDS, FINAL_DOT_SECONDS, Waits
from massmail_plugin.providers.smtp.session import Session
from massmail_plugin.providers.smtp.trial import trial

TRIAL_SECONDS = 15.0
"""Longest wait for one step while a person watches."""


class SmtpProvider:
    """Carries mail over SMTP. `contracts.Provider` says what its methods promise.

    `command_seconds` and `final_dot_seconds` bound the wait for answers; shorter ones than the defaults break
    RFC 5321 section 4.5.3.2 and are for tests. `Account.timeout` bounds connecting and the TLS handshake.
    `tls_context` makes the context that verifies certificates, for a certificate authority of the house.
    """

    name = "smtp"
    label = "Mail server (SMTP)"

    def __init__(
        self,
        *,
        command_seconds: float = COMMAND_SECONDS,
        final_dot_seconds: float = FINAL_DOT_SECONDS,
        tls_context: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self._command_seconds = command_seconds
        self._final_dot_seconds = final_dot_seconds
        self._tls_context = tls_context

    def open(self, account: Account) -> SmtpCarriage:
        """A way out that connects with its first message and keeps its connections."""
        waits = Waits(account.timeout, self._command_seconds, self._final_dot_seconds)
        return SmtpCarriage(account, waits, lambda: Session(account, waits, self._tls_context))

    def probe(self, account: Account, message: Outgoing | None) -> list[Stage]:
        """Stages resolve, connect, greeting, tls, login and, with a message, mail, rcpt, data; ends with a failure."""
        waits = Waits(
            min(account.timeout, TRIAL_SECONDS),
            min(self._command_seconds, TRIAL_SECONDS),
            min(self._final_dot_seconds, 4 * TRIAL_SECONDS),
        )

        async def tried() -> list[Stage]:
            return await trial(Session(account, waits, self._tls_context), message)

        # A thread of its own: whoever asks may be inside an event loop already.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, tried()).result()
