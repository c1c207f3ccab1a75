"""The results of a mailing by mail, a day after it began: a mail to the addresses it names, through the outbox.

The scheduler enters. It leaves as a test mail does: ahead of the rest, with retries, never counted. Commits by itself.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from html import escape

from sqlalchemy import select

from massmail_plugin.contracts import Host
from massmail_plugin.errors import MassMailError
from massmail_plugin.mailings.statistics.hours import started
from massmail_plugin.mailings.statistics.links import link_counts
from massmail_plugin.mailings.statistics.overview import Numbers, overview
from massmail_plugin.mailings.trials import send_words
from massmail_plugin.models import Mailing
from massmail_plugin.vocabulary import MailingKind, MailingState

log = logging.getLogger(__name__)

LINKS = 5
BY = "report of results"
_BEGUN = [
    state.value for state in (MailingState.SENDING, MailingState.PAUSED, MailingState.FINISHED, MailingState.CANCELLED)
]


def send_due_digests(host: Host) -> int:
    """Put the report of every mailing into the outbox whose time has come; how many."""
    now = host.clock()
    due = select(Mailing.id).where(
        Mailing.digest_to != "",
        Mailing.digest_sent_at.is_(None),
        Mailing.kind == MailingKind.ONE_OFF.value,
        Mailing.state.in_(_BEGUN),
        Mailing.launched_at <= now - timedelta(hours=host.config.digest_hours),
    )
    ids = list(host.session.scalars(due.order_by(Mailing.id)))
    host.session.commit()
    return sum(_send_safely(host, mailing_id) for mailing_id in ids)


def _send_safely(host: Host, mailing_id: int) -> bool:
    """A report that cannot be sent is noted in the log and not tried again: the numbers are on the screen too."""
    mailing = host.session.get_one(Mailing, mailing_id)
    begun = started(mailing)
    if begun is None or begun > host.clock() - timedelta(hours=host.config.digest_hours):
        return False
    mailing.digest_sent_at = host.clock()
    host.session.commit()
    try:
        _send(host, mailing)
        host.session.commit()
    except MassMailError as error:
        host.session.rollback()
        log.warning("The report of mailing %s could not be sent: %s", mailing_id, error)
        return False
    return True


def _send(host: Host, mailing: Mailing) -> None:
    numbers = overview(host, [mailing.id])[mailing.id]
    links = [(it.link.label or it.link.target, it.hits, it.mails) for it in link_counts(host, mailing.id)]
    most = sorted(links, key=lambda it: -it[2])[:LINKS]
    send_words(
        host,
        like=mailing,
        subject=f"Results of “{mailing.name}”",
        html=_html(mailing.name, numbers, most),
        text=_text(mailing.name, numbers, most),
        addresses=[part.strip() for part in mailing.digest_to.split(",") if part.strip()],
        by=BY,
    )


def lines(numbers: Numbers) -> list[tuple[str, int, int | None]]:
    """Words, number, and percent of the mails sent."""
    sent = numbers.sent
    shares = (
        ("Read", numbers.read),
        ("Clicked", numbers.clicked),
        ("Answered", numbers.replied),
        ("Opted out", numbers.removed),
        ("Bounced", numbers.bounced),
        ("Complained", numbers.complained),
    )
    whole: list[tuple[str, int, int | None]] = [
        ("Recipients", numbers.recipients, None),
        ("Sent", sent, None),
        ("Failed", numbers.failed, None),
    ]
    return whole + [(name, number, round(100 * number / sent) if sent else None) for name, number in shares]


def _text(name: str, numbers: Numbers, links: Sequence[tuple[str, int, int]]) -> str:
    share = "{0}: {1:,} ({2} %)".format
    told = [
        f"{what}: {number:,}" if part is None else share(what, number, part) for what, number, part in lines(numbers)
    ]
    clicked = [f"{mails:,} mails, {hits:,} clicks: {label}" for label, hits, mails in links]
    most = ["", "Most clicked:", *clicked] if links else []
    return "\n".join(
        [f"Results of “{name}” so far", "", *told, *most, "", "Opens and clicks by programs are not counted.", ""]
    )


def _html(name: str, numbers: Numbers, links: Sequence[tuple[str, int, int]]) -> str:
    cell = (
        '<td style="padding:4px 16px 4px 0">{0}</td><td style="padding:4px 16px 4px 0;text-align:right">{1}</td>'.format
    )
    rows = "".join(
        f"<tr>{cell(what, f'{number:,}')}<td>{'' if part is None else f'{part} %'}</td></tr>"
        for what, number, part in lines(numbers)
    )
    clicked = "".join(
        f"<tr>{cell(escape(label), f'{mails:,}')}<td>{hits:,} clicks</td></tr>" for label, hits, mails in links
    )
    most = f"<h2>Most clicked</h2><table>{clicked}</table>" if links else ""
    return (
        f'<html lang="en"><body style="font:15px/1.5 sans-serif"><h1>Results of “{escape(name)}” so far</h1>'
        f"<table>{rows}</table>{most}<p>Opens and clicks by programs are not counted.</p></body></html>"
    )
