"""Whose name a mailing goes out under: the mailing's own, else the template's, else the sender's.

Nothing is committed.
"""

from dataclasses import dataclass

from massmail_plugin.models import Mailing, Sender, Template


@dataclass(frozen=True)
class Identity:
    """From, Reply-To and BCC as they stand in the mail."""

    from_name: str
    from_address: str
    reply_to: str
    bcc: str


def identity(mailing: Mailing, template: Template, sender: Sender) -> Identity:
    """The identity of a mailing. A From address and its name are taken from the same place."""
    named = next((place for place in (mailing, template) if place.from_address), sender)
    own_name = mailing.from_name or template.from_name
    return Identity(
        from_name=own_name or named.from_name,
        from_address=named.from_address,
        reply_to=mailing.reply_to or template.reply_to or sender.reply_to,
        bcc=mailing.bcc or template.bcc or sender.bcc,
    )


def chosen_sender(mailing: Mailing) -> Sender | None:
    """The sender of a mailing: its own, else its template's."""
    return mailing.sender or (mailing.template.sender if mailing.template else None)
