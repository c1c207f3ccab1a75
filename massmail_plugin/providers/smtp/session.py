"""Opens the connection to the server of an account: name, connection, TLS, login. Nothing is committed here.

Certificates are verified, and credentials cross the network in clear only where the account says "none".
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable

from massmail_plugin.contracts import Account
from massmail_plugin.errors import CannotConnect
from massmail_plugin.providers.smtp import words
from massmail_plugin.providers.smtp.dialogue import Dialogue, Lost, Waits
from massmail_plugin.providers.smtp.login import log_in, mechanism
from massmail_plugin.providers.smtp.wire import Wire
from massmail_plugin.smtp_status import Reply
from massmail_plugin.vocabulary import Security

TlsContext = Callable[[], ssl.SSLContext]
Step = tuple[str, Callable[[], Awaitable[str]]]


class Session:
    """One connection on its way to being logged in. After CannotConnect it is closed and of no more use."""

    def __init__(self, account: Account, waits: Waits, tls_context: TlsContext) -> None:
        self.account = account
        self.waits = waits
        self._tls_context = tls_context
        self._talk = Dialogue(account.secret, waits.command)
        self._found: list[str] = []

    @property
    def wire(self) -> Wire:
        """The open connection."""
        return self._talk.wire

    @property
    def offered(self) -> dict[str, str]:
        """Extensions the server offers: EHLO keyword in small letters -> parameter."""
        return self._talk.offered

    def steps(self) -> list[Step]:
        """Name and act of each step from nothing to logged in; an act returns words or raises CannotConnect."""
        greeting, tls = ("greeting", self._greet), ("tls", self._start_tls)
        middle = [("tls", self._encrypt), greeting] if self.account.security == Security.TLS else [greeting, tls]
        return [("resolve", self._resolve), ("connect", self._connect), *middle, ("login", self._log_in)]

    async def open(self) -> None:
        """Take every step. Raises CannotConnect."""
        try:
            for _, act in self.steps():
                await act()
            self.check()
        except BaseException:
            self.abort()
            raise

    def check(self) -> None:
        """Raise CannotConnect where the connection is not fit for messages any more."""
        if self.wire.transport is None or self._talk.ahead:
            self.abort()
            raise CannotConnect("login", words.broke_off(self.account, "It did not wait for its turn."))

    async def leave(self) -> None:
        """Say goodbye and hang up; never raises."""
        await self._talk.leave()

    def abort(self) -> None:
        """Hang up without a word."""
        self.wire.abort()

    async def _resolve(self) -> str:
        account = self.account
        if not account.host:
            raise CannotConnect("resolve", "The sender has no mail server: enter its name.", lasting=True)
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(account.host, account.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError, OverflowError):
            raise CannotConnect("resolve", words.not_found(account)) from None
        self._found = list(dict.fromkeys(str(address[0]) for *_, address in found))
        return ", ".join(self._found)

    async def _connect(self) -> str:
        problem = OSError("no address")
        for address in self._found:
            try:
                await self._connect_to(address)
            except (OSError, OverflowError) as error:
                problem = error if isinstance(error, OSError) else OSError(str(error))
                continue
            return f"{address}, port {self.account.port}"
        raise CannotConnect("connect", words.no_connection(self.account, problem))

    async def _connect_to(self, address: str) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self.waits.network):
            await loop.create_connection(lambda: self.wire, address, self.account.port)

    async def _encrypt(self) -> str:
        wire, wait = self.wire, self.waits.network
        plain = wire.transport
        if plain is None:
            raise CannotConnect("tls", words.broke_off(self.account, "It closed the connection."))
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(wait):
                secure = await loop.start_tls(
                    plain, wire, self._tls_context(), server_hostname=self.account.host, ssl_handshake_timeout=wait + 1
                )
        except (OSError, ValueError) as error:
            self.abort()
            raise CannotConnect("tls", words.tls_failed(self.account, error), lasting=words.lasting(error)) from None
        if secure is None:
            raise CannotConnect("tls", words.broke_off(self.account, "It closed the connection."))
        wire.use(secure)
        return str(secure.get_extra_info("ssl_object").version() or "TLS")

    async def _greet(self) -> str:
        try:
            greeting = await self._expected("greeting", self._talk.answer())
            await self._expected("greeting", self._talk.hello(self._literal()))
        except Lost as lost:
            raise CannotConnect("greeting", words.no_greeting(self.account, str(lost))) from None
        return f"{greeting.code} {greeting.text}"

    async def _start_tls(self) -> str:
        if self.account.security == Security.NONE:
            return "Not encrypted, as the sender says."
        if "starttls" not in self.offered:
            await self.leave()
            raise CannotConnect("tls", words.no_starttls(self.account), lasting=True)
        try:
            await self._expected("tls", self._talk.command("STARTTLS"))
            if self._talk.ahead:
                raise Lost("It sent more before encryption began, which an attacker may have slipped in.")
            version = await self._encrypt()
            # RFC 3207 section 4.2: all that was said in clear is forgotten and asked again.
            await self._expected("tls", self._talk.hello(self._literal()))
        except Lost as lost:
            self.abort()
            raise CannotConnect("tls", words.broke_off(self.account, str(lost))) from None
        return version

    async def _log_in(self) -> str:
        account = self.account
        if not account.username or account.auth == "none":
            return "Not asked for: the sender has no user name."
        offered = self.offered.get("auth", "")
        way = mechanism(account, offered, encrypted=self._encrypted())
        if way is None:
            await self.leave()
            raise CannotConnect("login", words.no_login(account, offered), lasting=True)
        answer = await self._logged_in(way)
        if not answer.accepted:
            await self.leave()
            raise CannotConnect("login", words.login_refused(account, answer), lasting=not answer.temporary)
        return f"{way}: {answer.code} {answer.text}"

    async def _logged_in(self, way: str) -> Reply:
        try:
            return await log_in(self.account, way, self._say_secret)
        except Lost as lost:
            raise CannotConnect("login", words.broke_off(self.account, str(lost))) from None
        except ValueError:
            self.abort()
            raise CannotConnect("login", words.broke_off(self.account, "Its challenge was not readable.")) from None

    async def _say_secret(self, word: str, secret: str) -> Reply:
        return await self._talk.command(f"{word} {secret}".strip(), secret=secret)

    async def _expected(self, stage: str, asked: Awaitable[Reply]) -> Reply:
        answer = await asked
        if not answer.accepted:
            await self.leave()
            raise CannotConnect(stage, words.turned_away(self.account, answer), lasting=not answer.temporary)
        return answer

    def _encrypted(self) -> bool:
        return self.wire.transport is not None and self.wire.transport.get_extra_info("ssl_object") is not None

    def _literal(self) -> str:
        """Our name for EHLO: the address as a literal (RFC 5321 section 4.1.3)."""
        name = self.wire.transport.get_extra_info("sockname") if self.wire.transport is not None else None
        address = str(name[0]).partition("%")[0] if name else "127.0.0.1"
        return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
