"""Whom a mailing goes to, before it runs. Screens and launch enter; nothing is committed."""

from massmail_plugin import audience
from massmail_plugin.contracts import Host
from massmail_plugin.models import Mailing


def request(host: Host, mailing: Mailing) -> audience.AudienceRequest:
    """What the mailing asks of the audience: lists x criterion x addresses."""
    return audience.AudienceRequest(
        source_name=mailing.contact_source,
        list_ids=tuple(list_.id for list_ in mailing.lists),
        rule=mailing.criterion.rule if mailing.criterion else None,
        roles=tuple(mailing.address_roles),
        one_per_address=mailing.one_per_address,
    )


def funnel(host: Host, mailing: Mailing) -> list[audience.FunnelStep]:
    """How many contacts are left at each step, from "in the lists" to "will get it"."""
    return audience.funnel(host, request(host, mailing))


def will_get(host: Host, mailing: Mailing) -> int:
    """The exact number of mails that would be sent now."""
    return funnel(host, mailing)[-1].count
