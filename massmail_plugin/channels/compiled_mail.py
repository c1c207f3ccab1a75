"""The mails of one mailing as compiled functions: what all of them share is encoded once, then values are filled in.

Mail forms enter; nothing is read or committed.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from secrets import token_hex
from time import thread_time
from typing import Any

from liquid import BoundTemplate

from massmail_plugin.channels.email import (
    MIME_VERSION,
    EmailParts,
    bulk_fields,
    date_field,
    from_field,
    list_fields,
    message_id_field,
    reply_to_field,
    to_field,
)
from massmail_plugin.channels.mail_bodies import QUOTED, encoded
from massmail_plugin.channels.mail_headers import text_field
from massmail_plugin.channels.quoted_printable import quoted, settled
from massmail_plugin.composing import Doubt, Known, LineEncoder, Renderer, compiled_lines, compiled_text, one_line
from massmail_plugin.composing.rendering import MAX_SUBJECT
from massmail_plugin.config import Config
from massmail_plugin.signed_links import PREVIEW_TOKEN, TOKEN_LENGTH, opt_out_url

Part = Callable[..., list[bytes]]

WIDEST = 4
"""Octets of a character in UTF-8, at the most."""


class CompiledMail:
    """The mails of one mailing, for tokens of TOKEN_LENGTH characters or, `inert`, with links that lead nowhere."""

    def __init__(
        self, config: Config, renderer: Renderer, fixed: Mapping[str, Any], sample: EmailParts, *, inert: bool
    ) -> None:
        """`sample` has what the mails share, with a plan.

        Raises CannotCompile, and RenderError for a header that all of them would have.
        """
        how = sample.plan
        assert how is not None
        placeholder = token_hex(TOKEN_LENGTH // 2)
        addresses = renderer.addresses(PREVIEW_TOKEN if inert else placeholder)
        known = Known(fixed, addresses, placeholder)
        self._seconds, self._room = config.render_seconds, config.max_message_bytes
        self._subject = compiled_text(renderer.subject, known)
        self._text = _part(renderer.text, known, how.text)
        self._html = _part(renderer.html, known, how.html) if renderer.html and how.html else None
        self._from = from_field(sample.from_name, sample.from_address)
        self._reply_to = reply_to_field(sample.reply_to)
        start, self._between, self._end = how.around()
        way_out = None if inert else opt_out_url(config, placeholder)
        standing = [*list_fields(sample, way_out), *bulk_fields(sample), MIME_VERSION, start]
        self._standing = b"".join(standing).split(placeholder.encode("ascii"))
        self._opt_out_address = sample.list_unsubscribe_address.encode("ascii")
        self._date = (sample.date, date_field(sample.date))

    def write(
        self,
        message_id_text: str,
        token: str,
        to_address: str,
        to_name: str,
        contact: Mapping[str, Any],
        date: datetime,
        opt_out_address: str = "",
    ) -> bytes:
        """As `MailForm.write`. Raises TooSlow; for everything else that goes wrong the ordinary path has the words."""
        octets = token.encode("ascii")
        given = (contact, token, octets, thread_time() + self._seconds, self._room)
        subject = self._subject(*given)
        if len(subject) * WIDEST > MAX_SUBJECT:
            raise Doubt
        mail = [
            self._from,
            to_field(to_name, to_address),
            self._reply_to,
            text_field("Subject", one_line(subject)),
            self._date_field(date),
            message_id_field(message_id_text),
            self._standing_for(octets, opt_out_address),
        ]
        mail += self._text(*given)
        if self._html is not None:
            mail.append(self._between)
            mail += self._html(*given)
            mail.append(self._end)
        content = b"".join(mail)
        if len(content) > self._room:
            raise Doubt
        return content

    def _standing_for(self, token: bytes, opt_out_address: str) -> bytes:
        standing = token.join(self._standing)
        if not self._opt_out_address:
            return standing
        return standing.replace(self._opt_out_address, opt_out_address.encode("ascii"))

    def _date_field(self, date: datetime) -> bytes:
        """The field changes once a second."""
        known, made = self._date
        if date is not known and (date.replace(microsecond=known.microsecond) != known or date.tzinfo != known.tzinfo):
            made = date_field(date)
            self._date = (date, made)
        return made


def _part(template: BoundTemplate, known: Known, encoding: str) -> Part:
    if encoding == QUOTED:
        return compiled_lines(template, known, LineEncoder(quoted, settled))
    text = compiled_text(template, known)
    return lambda *given: [encoded(text(*given), encoding)]
