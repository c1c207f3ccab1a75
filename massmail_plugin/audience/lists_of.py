"""The lists that one contact is on, at the price of one contact. Pages and screens enter; reads only."""

import logging
from collections.abc import Iterator

from sqlalchemy import select

from massmail_plugin.audience.criteria.rule_sql import clause
from massmail_plugin.consent.contact_keys import has_key
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import RuleError
from massmail_plugin.models import List, Subscription
from massmail_plugin.vocabulary import SubscriptionState

log = logging.getLogger(__name__)


def lists_of(host: Host, contact: ContactRef) -> set[int]:
    """Lists the contact subscribed to, and those whose criterion finds them unless they left. Archived ones too."""
    own = select(Subscription.list_id, Subscription.state).where(
        Subscription.contact_source == contact.source, Subscription.contact_key == contact.key
    )
    states = dict(host.session.execute(own).all())
    subscribed = {list_id for list_id, state in states.items() if state == SubscriptionState.SUBSCRIBED}
    return subscribed | {list_.id for list_ in lists_finding(host, contact) if list_.id not in states}


def lists_finding(host: Host, contact: ContactRef) -> Iterator[List]:
    """Lists whose criterion finds the contact, also those they left. One that cannot be read finds nobody."""
    source = host.sources.get(contact.source)
    if source is None:
        return
    for list_ in host.session.scalars(select(List).where(List.criterion_id.is_not(None)).order_by(List.id)).all():
        criterion = list_.criterion
        if criterion is None or criterion.contact_source != contact.source:
            continue
        try:
            wanted = clause(host, source, criterion.rule)
        except RuleError as error:
            log.warning("The criterion of list %s cannot be read: %s", list_.id, error)
            continue
        this_one = select(1).select_from(source.model).where(has_key(source, [contact.key]), wanted)
        if host.session.scalar(this_one) is not None:
            yield list_
