"""Opens the conversation with the server of an account: name, connection, TLS, login. Nothing is committed here.

Certificates are verified, and credentials cross the network in clear only where the account says "none".
"""

import socket
import ssl
from collections.abc import Callable

from massmail_plugin.contracts import Account
from massmail_plugin.errors import CannotConnect
from massmail_plugin.providers.smtp import words
from massmail_plugin.providers.smtp.conversation import Conversation, Lost, Waits
from massmail_plugin.providers.smtp.login import log_in, mechanism
from massmail_plugin.smtp_status import Reply
from massmail_plugin.vocabulary import Security


class Session(Conversation):
    """A conversation with the server of one account. After Lost or CannotConnect it is closed and of no more use."""

    def __init__(self, account: Account, waits: Waits, tls_context: Callable[[], ssl.SSLContext]) -> None:
        super().__init__(account, waits)
        self._tls_context = tls_context
        self._found: list[str] = []

    def steps(self) -> list[tuple[str, Callable[[], str]]]:
        """Name and act of each step from nothing to logged in; an act returns words or raises CannotConnect."""
        greeting, tls = ("greeting", self._greet), ("tls", self._start_tls)
        middle = [("tls", self._wrap), greeting] if self.account.security == Security.TLS else [greeting, tls]
        return [("resolve", self._resolve), ("connect", self._connect), *middle, ("login", self._log_in)]

    def open(self) -> None:
        """Take every step. Raises CannotConnect."""
        for _, act in self.steps():
            act()

    def _resolve(self) -> str:
        account = self.account
        if not account.host:
            raise CannotConnect("resolve", "The sender has no mail server: enter its name.", lasting=True)
        try:
            found = socket.getaddrinfo(account.host, account.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError, OverflowError):
            raise CannotConnect("resolve", words.not_found(account)) from None
        self._found = list(dict.fromkeys(str(address[0]) for *_, address in found))
        return ", ".join(self._found)

    def _connect(self) -> str:
        problem = OSError("no address")
        for address in self._found:
            try:
                sock = socket.create_connection((address, self.account.port), self._waits.network)
            except OSError as error:
                problem = error
                continue
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._wire.sock = sock
            self._wire.local_hostname = _literal(sock)
            return f"{address}, port {self.account.port}"
        raise CannotConnect("connect", words.no_connection(self.account, problem))

    def _wrap(self) -> str:
        sock = self._wire.sock
        assert sock is not None
        sock.settimeout(self._waits.network)
        try:
            tls = self._tls_context().wrap_socket(sock, server_hostname=self.account.host)
        except (OSError, ValueError) as error:
            self.abort()
            raise CannotConnect("tls", words.tls_failed(self.account, error), lasting=words.lasting(error)) from None
        self._wire.sock, self._wire.file = tls, None
        return tls.version() or "TLS"

    def _greet(self) -> str:
        sock = self._wire.sock
        assert sock is not None
        sock.settimeout(self._waits.command)
        try:
            greeting = self._answer("greeting", self._wire.getreply)
            self._expect("greeting", greeting)
            self._hello("greeting")
        except Lost as lost:
            raise CannotConnect("greeting", words.no_greeting(self.account, str(lost))) from None
        return f"{greeting.code} {greeting.text}"

    def _hello(self, stage: str) -> None:
        answer = self._answer(stage, self._wire.ehlo)
        if not answer.accepted:
            answer = self._answer(stage, self._wire.helo)
        self._expect(stage, answer)

    def _start_tls(self) -> str:
        if self.account.security == Security.NONE:
            return "Not encrypted, as the sender says."
        if "starttls" not in self.offered:
            self.close()
            raise CannotConnect("tls", words.no_starttls(self.account), lasting=True)
        try:
            self._expect("tls", self.command("tls", "STARTTLS"))
            if self._unasked() is not None:
                raise Lost("tls", "It sent more before encryption began, which an attacker may have slipped in.")
            version = self._wrap()
            # RFC 3207 section 4.2: forget everything said in clear.
            self._wire.esmtp_features = {}
            sock = self._wire.sock
            assert sock is not None
            sock.settimeout(self._waits.command)
            self._hello("tls")
        except Lost as lost:
            raise CannotConnect("tls", words.broke_off(self.account, str(lost))) from None
        return version

    def _log_in(self) -> str:
        account = self.account
        if not account.username or account.auth == "none":
            return "Not asked for: the sender has no user name."
        encrypted = isinstance(self._wire.sock, ssl.SSLSocket)
        way = mechanism(account, self.offered.get("auth", ""), encrypted=encrypted)
        if way is None:
            self.close()
            raise CannotConnect("login", words.no_login(account, self.offered.get("auth", "")), lasting=True)
        try:
            answer = log_in(account, way, lambda line: self.command("login", line))
        except Lost as lost:
            raise CannotConnect("login", words.broke_off(account, str(lost))) from None
        except ValueError:
            self.abort()
            raise CannotConnect("login", words.broke_off(account, "Its challenge was not readable.")) from None
        if not answer.accepted:
            self.close()
            raise CannotConnect("login", words.login_refused(account, answer), lasting=not answer.temporary)
        return f"{way}: {answer.code} {answer.text}"

    def _expect(self, stage: str, answer: Reply) -> None:
        if answer.accepted:
            return
        self.close()
        raise CannotConnect(stage, words.turned_away(self.account, answer), lasting=not answer.temporary)


def _literal(sock: socket.socket) -> str:
    """Our name for EHLO: the address as a literal (RFC 5321 section 4.1.3)."""
    address = str(sock.getsockname()[0]).partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
