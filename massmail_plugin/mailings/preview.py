"""A message as one contact would get it, with inert links. Screens enter; nothing is sent, nothing is committed."""

from dataclasses import dataclass

from sqlalchemy import select

from massmail_plugin import audience, composing, signed_links
from massmail_plugin.channels.email import EmailParts, build
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.mailings.identity import Identity
from massmail_plugin.models import Sender, Template, TemplateVersion
from massmail_plugin.vocabulary import Channel


@dataclass(frozen=True)
class Preview:
    """One finished mail: what a person sees of it, and its bytes as text. `size` is in bytes."""

    subject: str
    from_name: str
    from_address: str
    to_name: str
    to_address: str
    html: str
    text: str
    source: str
    size: int

    @property
    def headers(self) -> str:
        """The header lines of the source."""
        return self.source.partition("\n\n")[0]


def preview(
    host: Host, version: TemplateVersion, *, contact: ContactRef, who: Identity, mailing_name: str = "", topic: str = ""
) -> Preview:
    """The words of `version` as `contact` would get them. Raises BadRequest for a contact that is gone, RenderError."""
    prepared = composing.prepare(
        host,
        version_subject=version.subject,
        html=version.html,
        text=version.text,
        format=version.template.format,
        track_opens=False,
        track_clicks=False,
    )
    renderer = composing.Renderer(prepared, host.config)
    found = audience.values(host, host.source(contact.source), [contact.key])
    if contact.key not in found:
        raise BadRequest("That contact is not there any more. Choose another.")
    printable = composing.values_for(
        host,
        contact=found[contact.key],
        sender_name=who.from_name,
        sender_address=who.from_address,
        mailing_name=mailing_name,
        topic=topic,
    )
    rendered = renderer.render(printable, token=signed_links.PREVIEW_TOKEN)
    return _finished(host, rendered, contact, who)


def _finished(host: Host, rendered: composing.Rendered, contact: ContactRef, who: Identity) -> Preview:
    to_name, to_address = _recipient(host, contact)
    content = build(
        EmailParts(
            subject=rendered.subject,
            html=rendered.html or None,
            text=rendered.text,
            from_name=who.from_name,
            from_address=who.from_address,
            to_name=to_name,
            to_address=to_address or f"no-address@{host.config.domain}",
            reply_to=who.reply_to,
            message_id=f"<massmail.preview@{host.config.domain}>",
            date=host.clock(),
            list_unsubscribe_url=signed_links.opt_out_url(host.config, signed_links.PREVIEW_TOKEN),
            list_id=None,
            bulk=True,
        )
    )
    return Preview(
        subject=rendered.subject,
        from_name=who.from_name,
        from_address=who.from_address,
        to_name=to_name,
        to_address=to_address,
        html=rendered.html or "",
        text=rendered.text,
        source=content.decode("utf-8", "replace").replace("\r\n", "\n"),
        size=len(content),
    )


def _recipient(host: Host, contact: ContactRef) -> tuple[str, str]:
    """Name and first e-mail address of the contact."""
    found = audience.summaries(host, [contact]).get(contact)
    if found is None:
        return "", ""
    roles = [address.role for address in host.source(contact.source).addresses if address.channel == Channel.EMAIL]
    return found.name, next((found.addresses[role] for role in roles if role in found.addresses), "")


def template_identity(host: Host, template: Template) -> Identity:
    """Whose name a template goes out under by itself: its own, its sender's, else that of the first sender there is."""
    sender = template.sender or host.session.scalar(select(Sender).order_by(Sender.id).limit(1))
    return Identity(
        from_name=template.from_name or (sender.from_name if sender else ""),
        from_address=template.from_address or (sender.from_address if sender else f"nobody@{host.config.domain}"),
        reply_to=template.reply_to or (sender.reply_to if sender else ""),
        bcc=template.bcc or (sender.bcc if sender else ""),
    )
