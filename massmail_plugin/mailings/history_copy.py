"""Copies of mails for the contact's history in the host. Delivery enters through the host's port; reads only."""

import logging

from massmail_plugin.contracts import Host, SentCopy
from massmail_plugin.errors import BadRequest
from massmail_plugin.mailings.as_sent import as_received
from massmail_plugin.models import OutboxMessage

log = logging.getLogger(__name__)


def copy_for_history(host: Host, message_id: int) -> SentCopy | None:
    """The mail of an outbox message, inert; None where the contact or the mailing's words are gone. RenderError."""
    message = host.session.get(OutboxMessage, message_id)
    if message is None:
        return None
    try:
        mail = as_received(host, message)
    except BadRequest as error:
        log.info("The mail %s cannot be put into the contact's history: %s", message_id, error)
        return None
    return SentCopy(
        from_name=mail.from_name,
        from_address=mail.from_address,
        subject=mail.subject,
        html=mail.html or None,
        text=mail.text,
    )
