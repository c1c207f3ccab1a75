"""A real SMTP server in this process that keeps what comes, for the journeys without a browser."""

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from sample_host.demo_once import PORTS
from sample_host.reachable import free_port

PIXEL = re.compile(r'<img[^>]+src="([^"]+)"[^>]*width="1"|<img[^>]+width="1"[^>]*src="([^"]+)"')


class Mail:
    """A caught mail, as its recipient's program sees it."""

    def __init__(self, to: str, content: bytes) -> None:
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.to, self.content, self.message = to, content, message

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def html(self) -> str:
        part = self.message.get_body(("html",))
        assert isinstance(part, EmailMessage)
        return str(part.get_content())

    @property
    def pixel(self) -> str:
        found = PIXEL.search(self.html)
        assert found, self.html
        return found.group(1) or found.group(2)

    def link(self, words: str) -> str:
        found = re.search(rf'<a[^>]+href="([^"]+)"[^>]*>[^<]*{words}', self.html, re.IGNORECASE)
        assert found, self.html
        return found.group(1)

    @property
    def one_click(self) -> str:
        assert self.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        found = re.search(rb"^List-Unsubscribe:.*?<(https?://[^>\r\n]+)>", self.content, re.MULTILINE | re.DOTALL)
        assert found, self.content[:2000]
        return found.group(1).decode("ascii")


class Postbox:
    """aiosmtpd's handler: keeps every mail, oldest first."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.port = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        self.mails += [Mail(to, content) for to in envelope.rcpt_tos]
        return "250 2.0.0 Kept"

    def to(self, address: str) -> list[Mail]:
        return [mail for mail in self.mails if mail.to == address]


@contextmanager
def postbox() -> Iterator[Postbox]:
    """A mail server on a free port of the loopback."""
    box = Postbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port(random.choice(PORTS)))
    controller.start()
    box.port = controller.port
    try:
        yield box
    finally:
        controller.stop()
