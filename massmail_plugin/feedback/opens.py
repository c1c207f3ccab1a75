"""Somebody's mail program loaded the open pixel. Public enters and commits."""

from massmail_plugin.contracts import Host
from massmail_plugin.feedback.hits import Visitor, hit, mail_of
from massmail_plugin.vocabulary import EventKind, Outcome


def record_open(host: Host, message_id: int, visitor: Visitor) -> None:
    """Keep one open; the mail counts as read unless a machine fetched the pixel. Raises BadLink."""
    hit(host, mail_of(host, message_id), EventKind.OPEN, [Outcome.READ], visitor)
