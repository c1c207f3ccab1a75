"""Whom a mailing goes to, before it runs. Screens and launch enter; nothing is committed."""

from datetime import timedelta

from sqlalchemy import or_, select

from massmail_plugin import audience
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import Mailing
from massmail_plugin.vocabulary import UNCOUNTED, ResendOf, ResendWindow

SPANS: dict[ResendWindow, timedelta | None] = {
    ResendWindow.HOUR: timedelta(hours=1),
    ResendWindow.DAY: timedelta(days=1),
    ResendWindow.WEEK: timedelta(days=7),
    ResendWindow.MONTH: timedelta(days=30),
    ResendWindow.YEAR: timedelta(days=365),
    ResendWindow.EVER: None,
}
"""How far each window reaches back; None: without end."""


def request(host: Host, mailing: Mailing) -> audience.AudienceRequest:
    """What the mailing asks of the audience: lists x criterion x statuses x addresses, less those who are left out."""
    topic_id = mailing.template.topic_id if mailing.template else None
    return audience.AudienceRequest(
        source_name=mailing.contact_source,
        list_ids=tuple(list_.id for list_ in mailing.lists),
        rule=mailing.criterion.rule if mailing.criterion else None,
        roles=tuple(mailing.address_roles),
        one_per_address=mailing.one_per_address,
        excluded_list_ids=tuple(list_.id for list_ in mailing.excluded_lists),
        statuses=tuple(mailing.contact_statuses),
        lately=lately(host, mailing),
        topic_ids=() if topic_id is None else (topic_id,),
        mailing_id=mailing.id,
    )


def lately(host: Host, mailing: Mailing) -> audience.Lately | None:
    """Which mails count for the mailing's resend window; None where it has none."""
    window = ResendWindow(mailing.resend_window)
    if window is ResendWindow.NONE:
        return None
    span = SPANS[window]
    since = None if span is None else host.clock() - span
    others = select(Mailing.id).where(
        Mailing.id != mailing.id,
        Mailing.contact_source == mailing.contact_source,
        Mailing.kind.not_in([kind.value for kind in UNCOUNTED]),
        Mailing.launched_at.is_not(None),
    )
    if since is not None:
        others = others.where(or_(Mailing.finished_at.is_(None), Mailing.finished_at > since))
    if mailing.resend_of == ResendOf.MAILING:
        origin = mailing.origin_id or mailing.id
        others = others.where(or_(Mailing.id == origin, Mailing.origin_id == origin))
    elif mailing.resend_of == ResendOf.TEMPLATE:
        others = others.where(Mailing.template_id == mailing.template_id)
    return audience.Lately(tuple(host.session.scalars(others)), since)


def funnel(host: Host, mailing: Mailing) -> list[audience.FunnelStep]:
    """How many contacts are left at each step, from "in the lists" to "will get it"."""
    return audience.funnel(host, request(host, mailing))


def will_get(host: Host, mailing: Mailing) -> int:
    """The exact number of mails that would be sent now."""
    return funnel(host, mailing)[-1].count


def left_out(
    host: Host, mailing: Mailing, step: str, *, after: str = "", limit: int = 50
) -> list[audience.ContactSummary]:
    """The contacts who fall away in a step of the funnel, or who will get it. See `audience.left_out`."""
    return audience.left_out(host, request(host, mailing), step, after=after, limit=limit)


def explain(host: Host, mailing: Mailing, contact: ContactRef) -> audience.Explanation:
    """Whether the contact would be among the recipients now, and why."""
    return audience.explain(host, request(host, mailing), contact)
