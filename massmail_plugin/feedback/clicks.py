"""Somebody followed a link of a mail: where it leads, and that it was followed. Public enters and commits."""

from dataclasses import dataclass

from sqlalchemy import select

from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadLink
from massmail_plugin.feedback.hits import Mail, Visitor, hit, mail_of
from massmail_plugin.feedback.targets import target_for
from massmail_plugin.models import Link
from massmail_plugin.vocabulary import EventKind, Outcome

LARGEST_NUMBER = 2**31 - 1


@dataclass(frozen=True)
class Destination:
    """Where a link leads, and what is needed to count that it was followed."""

    url: str
    mail: Mail
    link_id: int


def destination(host: Host, message_id: int, number: int) -> Destination:
    """Where link `number` of this mail leads, by the database alone. Reads only.

    Raises BadLink where there is no such link, or where it leads to anything but a web page.
    """
    if number > LARGEST_NUMBER:
        raise BadLink("There is no such link in the mail.")
    mail = mail_of(host, message_id)
    link = host.session.scalars(select(Link).filter_by(mailing_id=mail.mailing_id, number=number)).one_or_none()
    if link is None:
        raise BadLink("There is no such link in the mail.")
    url = target_for(host, message_id, link.target)
    return Destination(url, mail, link.id)


def record_click(host: Host, to: Destination, visitor: Visitor) -> None:
    """Keep one click; unless a machine followed the link, the mail counts as read and clicked."""
    hit(host, to.mail, EventKind.CLICK, [Outcome.READ, Outcome.CLICKED], visitor, link_id=to.link_id)
