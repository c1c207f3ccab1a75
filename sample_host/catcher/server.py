"""The catcher's SMTP server: takes every mail on the loopback, answers 250 when it is on the disk."""

import argparse
import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from sample_host.catcher.store import keep

LOGIN = LoginPassword(b"demo", b"demo")
LARGEST_MAIL = 32 * 1024 * 1024


class Catcher:
    """aiosmtpd's handler: keeps what comes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        name = await asyncio.to_thread(keep, self.folder, content, envelope.mail_from or "", envelope.rcpt_tos)
        return f"250 2.0.0 Kept as {name}"


def check_login(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
    """Signing in is optional, but whoever does it must say demo / demo; others get 535."""
    return AuthResult(success=given == LOGIN, handled=False)


async def catch(folder: Path, port: int) -> None:
    """Serves until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    server = await loop.create_server(lambda: session_of(Catcher(folder)), host="127.0.0.1", port=port)
    async with server:
        await ended.wait()


def session_of(catcher: Catcher) -> SMTP:
    """One SMTP session, without TLS: it never leaves the machine."""
    return SMTP(
        catcher,
        hostname="catcher.test",
        ident="mail catcher",
        data_size_limit=LARGEST_MAIL,
        authenticator=check_login,
        auth_require_tls=False,
        enable_SMTPUTF8=True,
        loop=asyncio.get_running_loop(),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry of the process."""
    parser = argparse.ArgumentParser(description="Catch mail on the loopback.")
    parser.add_argument("--folder", type=Path, required=True, help="where mails are kept")
    parser.add_argument("--port", type=int, default=2525)
    chosen = parser.parse_args(arguments)
    asyncio.run(catch(chosen.folder, chosen.port))


if __name__ == "__main__":
    main()
