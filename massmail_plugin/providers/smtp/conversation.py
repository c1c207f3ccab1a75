"""One SMTP conversation that is open: single commands, each with its answer. Nothing is committed here."""

import smtplib
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from massmail_plugin.contracts import Account
from massmail_plugin.providers.smtp import words
from massmail_plugin.providers.smtp.content import END, stuffed
from massmail_plugin.smtp_status import Reply, reply

COMMAND_SECONDS = 300.0
"""Longest wait for a greeting or an answer to a command; RFC 5321 section 4.5.3.2 asks for five minutes."""
FINAL_DOT_SECONDS = 600.0
"""Longest wait after the final dot; a shorter one makes doubles (RFC 5321 section 4.5.3.2.6, RFC 1047)."""
QUIT_SECONDS = 5.0


@dataclass(frozen=True)
class Waits:
    """How long to wait, in seconds: for the network, for an answer, and for the one after the final dot."""

    network: float
    command: float = COMMAND_SECONDS
    final_dot: float = FINAL_DOT_SECONDS


class Lost(Exception):
    """The conversation is over: closed by the server (perhaps with a 421), silent too long, or not SMTP any more."""

    def __init__(self, stage: str, note: str, answer: Reply | None = None) -> None:
        super().__init__(note)
        self.stage = stage
        self.reply = answer


class Unanswered(Lost):
    """The final dot was sent and no answer came: the server may have the message, or not."""


class Conversation:
    """What is said on one connection. After Lost it is closed and of no more use."""

    def __init__(self, account: Account, waits: Waits) -> None:
        self.account = account
        self.takes_options = True
        """False once the server refused the parameters of MAIL that its own EHLO offered."""
        self.said: dict[str, Reply] = {}
        """The last answer of each stage."""
        self._waits = waits
        # The name is replaced by the address literal once there is a socket; asking DNS for one may take long.
        self._wire = smtplib.SMTP(local_hostname="localhost", timeout=waits.command)
        self._wire.command_encoding = "utf-8"

    @property
    def opened(self) -> bool:
        return self._wire.sock is not None

    @property
    def offered(self) -> Mapping[str, str]:
        """Extensions the server offers: EHLO keyword in small letters -> parameter."""
        return self._wire.esmtp_features

    def command(self, stage: str, line: str) -> Reply:
        """Send one line, wait for its answer. Raises Lost; a 421 is Lost with its reply (RFC 5321 section 3.8)."""
        answer = self._answer(stage, lambda: self._wire.docmd(line))
        if answer.code == 421:
            self.abort()
            raise Lost(stage, f"{answer.code} {answer.text}", answer)
        self.said[stage] = answer
        return answer

    def reset(self) -> None:
        """Forget the begun transaction. Raises Lost."""
        if not self.command("reset", "RSET").accepted:
            self.close()

    def content(self, content: bytes) -> Reply:
        """Send what follows a 354 and the final dot.

        Raises Unanswered where the dot has left and nothing came back, Lost where the dot has not left.
        """
        sock = self._wire.sock
        assert sock is not None
        try:
            sock.sendall(stuffed(content))
        except OSError as error:
            self.abort()
            raise Lost("data", words.reason(error)) from None
        return self._dot(sock) if self._unasked() is None else self._early()

    def _early(self) -> Reply:
        """The server answered before the dot: its refusal. The message is void, for the dot does not follow."""
        answer = self._answer("data", self._wire.getreply)
        self.abort()
        if answer.accepted:
            raise Lost("data", f"It accepted with {answer.code} before the message was complete.")
        return answer

    def _dot(self, sock: socket.socket) -> Reply:
        try:
            sock.sendall(END)
            sock.settimeout(self._waits.final_dot)
            answer = self._answer("data", self._wire.getreply)
        except (Lost, OSError) as error:
            self.abort()
            raise Unanswered("data", words.reason(error)) from None
        if answer.code == 421:
            self.abort()
        else:
            sock.settimeout(self._waits.command)
        return answer

    def _answer(self, stage: str, ask: Callable[[], tuple[int, bytes]]) -> Reply:
        """The reply to `ask`, without our secret should the server echo it. Raises Lost."""
        try:
            code, text = ask()
        except (smtplib.SMTPException, OSError) as error:
            self.abort()
            raise Lost(stage, words.reason(error)) from None
        said = reply(code, text)
        if not 200 <= code < 600:
            self.abort()
            raise Lost(stage, words.not_smtp(said.text))
        secret = self.account.secret
        return reply(code, said.text.replace(secret, "***")) if secret and secret in said.text else said

    def _unasked(self) -> bytes | None:
        """What the server says although it is not its turn: b"" where it hung up, None where it is quiet."""
        sock = self._wire.sock
        if sock is None or self._wire.file is None:
            return b""
        waited = sock.gettimeout()
        sock.settimeout(0)
        try:
            said: bytes = self._wire.file.peek(1)
            # An empty peek means "hung up" under TLS, but "quiet" or "hung up" without it.
            if not said and not isinstance(sock, ssl.SSLSocket):
                said = sock.recv(1, socket.MSG_PEEK)
            return said
        except (BlockingIOError, ssl.SSLWantReadError):
            return None
        except OSError:
            return b""
        finally:
            sock.settimeout(waited)

    def close(self) -> None:
        """Say goodbye and hang up; never raises."""
        sock = self._wire.sock
        if sock is not None:
            try:
                sock.settimeout(QUIT_SECONDS)
                self._wire.docmd("QUIT")
            except (smtplib.SMTPException, OSError):
                pass
        self.abort()

    def abort(self) -> None:
        """Hang up without a word, so that a message whose content is not finished is void; never raises."""
        try:
            self._wire.close()
        except OSError:
            self._wire.sock = None
