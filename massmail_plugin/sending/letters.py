"""Writes the letters of one mailing: prepared once, then values, words and envelope for each recipient."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from massmail_plugin import composing, signed_links
from massmail_plugin.channels.email import EmailParts, build
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import Host, Outgoing
from massmail_plugin.errors import RenderError
from massmail_plugin.models import Mailing, PreparedMessage


class Letters:
    """The letters of one mailing. Making one is cheap: everything the same for all is read once, in `__init__`.

    Nothing here touches the database afterwards, so that no transaction opens while a letter is under way.
    """

    def __init__(self, host: Host, mailing: Mailing) -> None:
        prepared = host.session.get(PreparedMessage, mailing.id)
        if prepared is None:
            raise RenderError(f"Mailing {mailing.id} was never prepared; launch it again from a copy.")
        self._host = host
        self._domain = mailing.message_domain
        self._list_id = _list_id(host, mailing)
        self._who = (prepared.from_name, prepared.from_address, prepared.reply_to)
        self.bcc = prepared.bcc
        words = composing.Prepared(
            subject=prepared.subject,
            html=prepared.html,
            text=prepared.text,
            links=(),
            tracks_opens=prepared.tracks_opens,
        )
        self._renderer = composing.Renderer(words, host.config)
        self.related = _related_names(host, mailing, words)
        self._fixed = composing.values_for(
            host,
            contact={},
            sender_name=prepared.from_name,
            sender_address=prepared.from_address,
            mailing_name=mailing.name,
            topic=mailing.template.topic if mailing.template else "",
        )

    def write(self, message_id: int, address: str, name: str, contact: Mapping[str, Any]) -> Outgoing:
        """The letter of one outbox message. Raises RenderError where it cannot be made for this recipient."""
        token = signed_links.message_token(self._host.config, message_id)
        return self._outgoing(message_id, address, name, contact, token)

    def write_copy(self, original: Outgoing, name: str, contact: Mapping[str, Any]) -> Outgoing:
        """The same letter for the BCC address: its links are inert and nothing in it counts."""
        token = signed_links.PREVIEW_TOKEN
        letter = self._outgoing(original.message_id, original.rcpt_to, name, contact, token)
        return replace(letter, rcpt_to=self.bcc, is_copy=True)

    def _outgoing(self, message_id: int, address: str, name: str, contact: Mapping[str, Any], token: str) -> Outgoing:
        rendered = self._renderer.render({**self._fixed, "contact": contact}, token=token)
        from_name, from_address, reply_to = self._who
        real = token != signed_links.PREVIEW_TOKEN
        parts = EmailParts(
            subject=rendered.subject,
            html=rendered.html,
            text=rendered.text,
            from_name=from_name,
            from_address=from_address,
            to_name=name,
            to_address=address,
            reply_to=reply_to,
            message_id=signed_links.message_id_field(self._host.config, message_id, self._domain),
            date=self._host.clock(),
            list_unsubscribe_url=signed_links.opt_out_url(self._host.config, token) if real else None,
            list_id=self._list_id,
            bulk=True,
        )
        return Outgoing(message_id=message_id, mail_from=from_address, rcpt_to=address, content=build(parts))


def _list_id(host: Host, mailing: Mailing) -> tuple[str, str] | None:
    """Title and List-Id (RFC 2919) of the mailing's first list."""
    if not mailing.lists:
        return None
    return mailing.lists[0].title, f"list-{mailing.lists[0].id}.{host.config.domain}"


def _related_names(host: Host, mailing: Mailing, words: composing.Prepared) -> set[str]:
    """The related rows whose name stands in the texts at all: only these are read for each chunk."""
    texts = words.subject + words.html + words.text
    return {rows.name for rows in register(host.source(mailing.contact_source)).related if rows.name in texts}
