"""A mail as it was sent: the frozen words of its mailing, filled in for one contact, with inert links and no pixel.

Screens enter; nothing is sent, nothing is committed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from massmail_plugin import audience, composing, outbox, signed_links
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Mailing, OutboxMessage, PreparedMessage


@dataclass(frozen=True)
class SentMail:
    """What a person received. `exact` is False where the values are today's, since those of then are not kept."""

    subject: str
    from_name: str
    from_address: str
    reply_to: str
    html: str
    text: str
    exact: bool


def as_received(host: Host, message: OutboxMessage, prepared: composing.Prepared | None = None) -> SentMail:
    """The mail of one message; with other words, where `prepared` holds some.

    Raises BadRequest where the contact or the mailing's words are gone, RenderError.
    """
    mailing = host.session.get_one(Mailing, message.mailing_id)
    kept = outbox.values_of(host, message)
    contact = kept if kept is not None else _values_now(host, ContactRef(message.contact_source, message.contact_key))
    day = {"today": message.handed_at.date()} if message.handed_at else {}
    return _rendered(host, mailing, prepared or words(host, mailing), contact, exact=kept is not None, **day)


def words(host: Host, mailing: Mailing) -> composing.Prepared:
    """The frozen words of a mailing. Raises BadRequest where it has none."""
    prepared = host.session.get(PreparedMessage, mailing.id)
    if prepared is None:
        raise BadRequest(f"The words of “{mailing.name}” are not kept any more.")
    return composing.Prepared(prepared.subject, prepared.html, prepared.text, links=(), tracks_opens=False)


def _rendered(
    host: Host, mailing: Mailing, prepared: composing.Prepared, contact: Mapping[str, Any], *, exact: bool, **also: Any
) -> SentMail:
    """The words filled in; `also` replaces values such as `today`."""
    frozen = host.session.get_one(PreparedMessage, mailing.id)
    values = composing.values_for(
        host,
        contact=contact,
        sender_name=frozen.from_name,
        sender_address=frozen.from_address,
        mailing_name=mailing.name,
        topic=mailing.template.topic_title if mailing.template else "",
    )
    made = composing.Renderer(prepared, host.config).render({**values, **also}, token=signed_links.PREVIEW_TOKEN)
    who = frozen.from_name, frozen.from_address, frozen.reply_to
    return SentMail(made.subject, *who, made.html or "", made.text, exact)


def _values_now(host: Host, contact: ContactRef) -> Mapping[str, Any]:
    found = audience.values(host, host.source(contact.source), [contact.key]).get(contact.key)
    if found is None:
        raise BadRequest("That contact is not there any more, so its mail cannot be filled in.")
    return found
