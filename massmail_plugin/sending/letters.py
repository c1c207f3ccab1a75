"""The letters of one mailing for its recipients: identities and addresses around the mail form. Lanes enter."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import exists, select

from massmail_plugin import composing
from massmail_plugin.channels.mail_form import Letterhead, MailForm
from massmail_plugin.consent.wishes.contact_wishes import names_of_wishes
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import Host, Outgoing
from massmail_plugin.errors import RenderError
from massmail_plugin.models import Mailbox, Mailing, PreparedMessage, Sender
from massmail_plugin.sending.provider_marks import provider_mark
from massmail_plugin.signed_links import PREVIEW_TOKEN, OptOutAddresses, ReturnPaths, Sealer
from massmail_plugin.vocabulary import MailingKind, TemplateFormat


class Letters:
    """The letters of one mailing. Everything the same for all is read and compiled once, in `__init__`.

    Nothing here touches the database afterwards, so that no transaction opens while a letter is under way.
    """

    paths: set[str]
    """Registered fields and wishes of contacts that the texts may print or ask for: only these need to be read."""
    related: set[str]
    """The related rows among them."""
    why_ordinary: str
    """Why letters are rendered and built one by one, in words; "" where they are compiled."""

    def __init__(self, host: Host, mailing: Mailing) -> None:
        """Raises RenderError where the mailing was never prepared."""
        prepared = host.session.get(PreparedMessage, mailing.id)
        if prepared is None:
            raise RenderError(f"Mailing {mailing.id} was never prepared; launch it again from a copy.")
        self._clock = host.clock
        self._sealer = Sealer(host.config, mailing.message_domain, mailing.id)
        self._opt_outs = _opt_out_addresses(host, mailing)
        by_mail = self._opt_outs.of(mailing.id) if self._opt_outs else ""
        fixed, who = _fixed(host, mailing, prepared), _letterhead(host, mailing, prepared, by_mail)
        self._form = MailForm(host.config, _words(prepared), fixed, who)
        plain = _untracked_words(host, mailing, prepared)
        self._untracked = MailForm(host.config, plain, fixed, who) if plain else self._form
        back_to = return_path(host, mailing)
        self._mail_from = back_to or prepared.from_address
        self._return_paths = ReturnPaths(host.config, back_to) if back_to else None
        self._mark = provider_mark(host, mailing)
        self.bcc = prepared.bcc
        self.why_ordinary = self._form.why_ordinary
        known = register(host.source(mailing.contact_source))
        asked = self._form.contact_paths | self._untracked.contact_paths
        names = [*(one.path for one in known.fields), *names_of_wishes(host.source(mailing.contact_source))]
        self.paths = {name for name in names if any(_meets(name, path) for path in asked)}
        self.related = {rows.name for rows in known.related if any(_meets(rows.name, path) for path in asked)}

    def write(
        self, message_id: int, address: str, name: str, contact: Mapping[str, Any], *, tracked: bool = True
    ) -> Outgoing:
        """The letter of one outbox message; without a pixel and with plain links where it must not be `tracked`.

        Raises RenderError where it cannot be made for this recipient.
        """
        form = self._form if tracked else self._untracked
        content = self._content(form, message_id, self._sealer.token(message_id), address, name, contact)
        if self._mark:
            content = self._mark(message_id) + content
        back_to = self._return_paths.of(message_id) if self._return_paths else self._mail_from
        return Outgoing(message_id, back_to, address, content, dotless=True)

    def write_copy(self, original: Outgoing, name: str, contact: Mapping[str, Any]) -> Outgoing:
        """The same letter for the BCC address: its links are inert and nothing in it counts."""
        content = self._content(self._form, original.message_id, PREVIEW_TOKEN, original.rcpt_to, name, contact)
        return Outgoing(original.message_id, self._mail_from, self.bcc, content, is_copy=True, dotless=True)

    def _content(
        self, form: MailForm, message_id: int, token: str, address: str, name: str, contact: Mapping[str, Any]
    ) -> bytes:
        leave = self._opt_outs.of(message_id) if self._opt_outs else ""
        return form.write(self._sealer.message_id(message_id), token, address, name, contact, self._clock(), leave)


def return_path(host: Host, mailing: Mailing) -> str:
    """Where bounces of a mailing come back to, without the token of a mail; "" means to its From address."""
    sender = host.session.get(Sender, mailing.sender_id) if mailing.sender_id else None
    return sender.return_path if sender else ""


def _opt_out_addresses(host: Host, mailing: Mailing) -> OptOutAddresses | None:
    """Where a recipient may write to opt out: only while some mailbox is read."""
    sender = host.session.get(Sender, mailing.sender_id) if mailing.sender_id else None
    if sender is None or not sender.opt_out_address or not host.session.scalar(select(exists().where(Mailbox.active))):
        return None
    return OptOutAddresses(host.config, sender.opt_out_address)


def _meets(registered: str, asked: str) -> bool:
    """Whether a text that asks for one path may see the other: a part of it, or the group it stands in."""
    return not asked or f"{registered}.".startswith(f"{asked}.") or asked.startswith(f"{registered}.")


def _words(prepared: PreparedMessage) -> composing.Prepared:
    return composing.Prepared(
        subject=prepared.subject,
        html=prepared.html,
        text=prepared.text,
        links=(),
        tracks_opens=prepared.tracks_opens,
    )


def _untracked_words(host: Host, mailing: Mailing, prepared: PreparedMessage) -> composing.Prepared | None:
    """The same words with plain links, from the same version; None where no contact may ask for them."""
    if host.source(mailing.contact_source).tracking is None or not mailing.tracking:
        return None
    if mailing.version is None:
        raise RenderError(f"Mailing {mailing.id} has no template any more; launch it again from a copy.")
    return composing.prepare(
        host,
        version_subject=prepared.subject,
        html=mailing.version.html,
        text=mailing.version.text,
        format=TemplateFormat.HTML if prepared.html else TemplateFormat.TEXT,
        track_opens=False,
        track_clicks=False,
    )


def _fixed(host: Host, mailing: Mailing, prepared: PreparedMessage) -> dict[str, Any]:
    return composing.values_for(
        host,
        contact={},
        sender_name=prepared.from_name,
        sender_address=prepared.from_address,
        mailing_name=mailing.name,
        topic=mailing.template.topic_title if mailing.template else "",
    )


def _letterhead(host: Host, mailing: Mailing, prepared: PreparedMessage, opt_out_address: str) -> Letterhead:
    """With title and List-Id (RFC 2919) of the mailing's first list."""
    first = next(iter(mailing.lists), None)
    list_id = (first.title, f"list-{first.id}.{host.config.domain}") if first else None
    service = mailing.kind == MailingKind.SERVICE
    return Letterhead(
        prepared.from_name,
        prepared.from_address,
        prepared.reply_to,
        list_id,
        asked_for=service,
        opt_out_address=opt_out_address,
    )
