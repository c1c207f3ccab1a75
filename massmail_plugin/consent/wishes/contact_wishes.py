"""A contact's wishes as values for templates: whether they opted out, and which lists they are on. Reads only."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select

from massmail_plugin.consent.wishes.opt_outs import Wide
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import ContactSource, Host
from massmail_plugin.models import List, Subscription, Suppression
from massmail_plugin.portable_sql import one_of
from massmail_plugin.vocabulary import SubscriptionState

OPTED_OUT, SUBSCRIPTIONS = "opted_out", "subscriptions"
LIST_NAME, LIST_TOPIC = "name", "topic"


def names_of_wishes(source: ContactSource) -> set[str]:
    """What templates may print of the wishes of these contacts: a field or rows of the host by that name go before."""
    known = register(source)
    taken = {one.path.partition(".")[0] for one in known.fields} | {rows.name for rows in known.related}
    return {OPTED_OUT, SUBSCRIPTIONS} - taken


def wishes_of(
    host: Host, source: ContactSource, keys: Sequence[str], names: Collection[str]
) -> dict[str, dict[str, Any]]:
    """Key -> {name: value} for those of `names` that are wishes; one statement for each of these.

    `opted_out` is whether they want no mailing at all, `subscriptions` are the active lists they are on, by title, each
    with name and topic as recipients read them.
    """
    wanted = names_of_wishes(source) & set(names)
    if not wanted:
        return {}
    answer: dict[str, dict[str, Any]] = {key: {} for key in keys}
    if OPTED_OUT in wanted:
        out = _opted_out(host, source, keys)
        for key, values in answer.items():
            values[OPTED_OUT] = key in out
    if SUBSCRIPTIONS in wanted:
        for values in answer.values():
            values[SUBSCRIPTIONS] = []
        for key, list_ in _on_lists(host, source, keys):
            topic = list_.topic.title if list_.topic else ""
            answer[key][SUBSCRIPTIONS].append({LIST_NAME: list_.title, LIST_TOPIC: topic})
    return answer


def _opted_out(host: Host, source: ContactSource, keys: Sequence[str]) -> set[str | None]:
    of_source = Suppression.contact_source == source.source_name
    found = select(Suppression.contact_key).where(of_source, one_of(Suppression.contact_key, keys), Wide().stops())
    return set(host.session.scalars(found))


def _on_lists(host: Host, source: ContactSource, keys: Sequence[str]) -> list[tuple[str, List]]:
    lists = {row.id: row for row in host.session.scalars(select(List).where(List.active))}
    found = host.session.execute(
        select(Subscription.contact_key, Subscription.list_id).where(
            Subscription.contact_source == source.source_name,
            one_of(Subscription.contact_key, keys),
            Subscription.state == SubscriptionState.SUBSCRIBED.value,
        )
    )
    known = [(key, lists[list_id]) for key, list_id in found if list_id in lists]
    return sorted(known, key=lambda one: (one[1].title.lower(), one[1].id))
