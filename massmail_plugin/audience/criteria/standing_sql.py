"""How a contact stands to lists, and what stops mail to it, as SQL over the contact. Commits nothing."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, exists, false, not_, or_, select

from massmail_plugin.audience.criteria.membership import Finds, found_by, kept_by_criterion
from massmail_plugin.audience.criteria.rules import ListRule, OnList, OptOut, OptOutRule
from massmail_plugin.consent.addresses import normalised_sql
from massmail_plugin.consent.contact_keys import key_text
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import ContactSource, Host
from massmail_plugin.errors import RuleError
from massmail_plugin.models import List, Subscription, Suppression, Topic
from massmail_plugin.vocabulary import Channel, SubscriptionState, SuppressionReason, SuppressionScope

Clause = ColumnElement[bool]


def on_lists(host: Host, source: ContactSource, rule: ListRule, finds: Finds) -> Clause:
    """True or false for each contact. Raises RuleError for a list that is gone, or kept by this very criterion."""
    lists_of(host, rule.list_ids)
    if rule.op is OnList.LEFT:
        return _with_state(source, rule.list_ids, SubscriptionState.UNSUBSCRIBED)
    subscribed = _with_state(source, rule.list_ids, SubscriptionState.SUBSCRIBED)
    found = [found_by(host, source, one, finds) for one in kept_by_criterion(host, source, rule.list_ids)]
    # What nests stands first: SQLite then needs fewer of its hundred places to read it.
    return or_(*found, subscribed) if rule.op is OnList.ON else and_(*map(not_, found), not_(subscribed))


def lists_of(host: Host, list_ids: Sequence[int]) -> list[List]:
    """The lists a rule names, in its order. Raises RuleError for one that is gone."""
    found = {one.id: one for one in host.session.scalars(select(List).where(List.id.in_(list_ids)))}
    gone = next((number for number in list_ids if number not in found), None)
    if gone is not None:
        raise RuleError(f"The list number {gone} is not there any more. Choose another.")
    return [found[number] for number in list_ids]


def _with_state(source: ContactSource, list_ids: Sequence[int], state: SubscriptionState) -> Clause:
    return exists().where(
        Subscription.list_id.in_(list_ids),
        Subscription.contact_source == source.source_name,
        Subscription.contact_key == key_text(source),
        Subscription.state == state,
    )


def opted_out(host: Host, source: ContactSource, rule: OptOutRule) -> Clause:
    """True or false for each contact: by its own suppressions and those of its e-mail addresses.

    Of a list has opted out who was unsubscribed from it, too. Raises RuleError for a list or topic that is gone.
    """
    list_ids = () if rule.list_id is None else (rule.list_id,)
    topics = {one.topic_id for one in lists_of(host, list_ids)} | {topic_of(host, rule)}
    stopped = _stopped(host, source, rule, list_ids, [one for one in topics if one is not None])
    left = _with_state(source, list_ids, SubscriptionState.UNSUBSCRIBED)
    found = or_(stopped, left) if list_ids else stopped
    return found if rule.op in (OptOut.OPTED_OUT, OptOut.STOPPED) else not_(found)


def topic_of(host: Host, rule: OptOutRule) -> int | None:
    """The topic a rule names. Raises RuleError where it is gone."""
    if rule.topic_id is not None and host.session.get(Topic, rule.topic_id) is None:
        raise RuleError(f"The topic number {rule.topic_id} is not there any more. Choose another.")
    return rule.topic_id


def _stopped(
    host: Host, source: ContactSource, rule: OptOutRule, list_ids: Sequence[int], topic_ids: Sequence[int]
) -> Clause:
    everything = Suppression.scope == SuppressionScope.ALL_BUT_TRANSACTIONAL
    of_lists = and_(Suppression.scope == SuppressionScope.LIST, Suppression.list_id.in_(list_ids))
    of_topics = and_(Suppression.scope == SuppressionScope.TOPIC, Suppression.topic_id.in_(topic_ids))
    reaches = [everything, *([of_lists] if list_ids else []), *([of_topics] if topic_ids else [])]
    holds = [or_(*reaches), or_(Suppression.until.is_(None), Suppression.until > host.clock())]
    if rule.op in (OptOut.OPTED_OUT, OptOut.NOT_OPTED_OUT):
        holds.append(Suppression.reason == SuppressionReason.OPT_OUT)
    contact = and_(Suppression.contact_source == source.source_name, Suppression.contact_key == key_text(source))
    addresses = [normalised_sql(one.column) for one in register(source).roles(Channel.EMAIL)]
    return or_(
        false(),
        exists().where(contact, *holds),
        *(exists().where(Suppression.address == address, *holds) for address in addresses),
    )
