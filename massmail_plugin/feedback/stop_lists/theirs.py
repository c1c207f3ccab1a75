"""What a provider's list says: dead addresses, complaints, opt-outs. The exchange enters and commits."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import or_, select

from massmail_plugin import outcomes
from massmail_plugin.consent import suppress
from massmail_plugin.consent.addresses import normalised, normalised_sql, spellings, usable
from massmail_plugin.consent.contact_keys import key_text
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.stops.known_by_hash import stopped_by_hash
from massmail_plugin.consent.wishes.withdrawal import withdraw
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import Mailing, OutboxMessage, ProviderListEntry
from massmail_plugin.outcomes import CameBack, NewEvent
from massmail_plugin.portable_sql import insert_new, one_of
from massmail_plugin.providers.stop_lists import Listed
from massmail_plugin.smtp_status import Meaning
from massmail_plugin.vocabulary import (
    UNCOUNTED,
    Channel,
    ConsentWay,
    EventKind,
    MessageState,
    SuppressionReason,
    SuppressionScope,
)

_KINDS = {SuppressionReason.HARD_BOUNCE: EventKind.BOUNCE, SuppressionReason.COMPLAINT: EventKind.COMPLAINT}
_PAGE = 500


class _Known(NamedTuple):
    """A new entry, and the contact who has that address here."""

    listed: Listed
    address: str
    contact: ContactRef | None


def take_over(host: Host, feed_id: int, feed_name: str, provider: str, page: Sequence[Listed]) -> int:
    """Stop what is new on a page of the list; the number of new ones.

    A dead address and a complaint are told to the host with the last mail that went there. An unsubscription is the
    contact's opt-out from everything. An address that no contact has is stopped all the same. Who was erased here stays
    so: their addresses are stopped by the hash, and are not stored again.
    """
    total = 0
    entries = {normalised(one.address): one for one in page if usable(one.address.strip())}
    for start in range(0, len(entries), _PAGE):
        some = dict(list(entries.items())[start : start + _PAGE])
        for address in stopped_by_hash(host, some):
            del some[address]
        new = _note(host, feed_id, some, _contacts(host, some))
        _stop(host, feed_name, provider, new)
        total += len(new)
    return total


def _contacts(host: Host, addresses: Iterable[str]) -> dict[str, ContactRef]:
    """Normalised address -> the first contact who has it."""
    forms = {form: address for address in addresses for form in spellings(address)}
    found: dict[str, ContactRef] = {}
    for name, source in host.sources.items():
        columns = [one.column for one in register(source).roles(Channel.EMAIL)]
        has_one = or_(*(one_of(normalised_sql(column), sorted(forms)) for column in columns))
        for key, *values in host.session.execute(select(key_text(source), *columns).where(has_one)):
            for value in values:
                if value and (address := forms.get(str(value).strip().lower())):
                    found.setdefault(address, ContactRef(name, key))
    return found


def _note(host: Host, feed_id: int, entries: Mapping[str, Listed], contacts: Mapping[str, ContactRef]) -> list[_Known]:
    """Remember a page of the list; those that were not known before."""
    known = [_Known(listed, address, contacts.get(address)) for address, listed in entries.items()]
    rows = [_row(host, feed_id, one) for one in known]
    if not rows:
        return []
    new = insert_new(host, ProviderListEntry).values(rows).returning(ProviderListEntry.address)
    added = set(host.session.scalars(new))
    return [one for one in known if one.address in added]


def _row(host: Host, feed_id: int, one: _Known) -> dict[str, Any]:
    wish = one.contact if one.listed.reason is SuppressionReason.OPT_OUT else None
    return {
        "feed_id": feed_id,
        "address": one.address,
        "ours": False,
        "contact_source": wish.source if wish else None,
        "contact_key": wish.key if wish else None,
        "at": host.clock(),
    }


def _stop(host: Host, feed_name: str, provider: str, new: Sequence[_Known]) -> None:
    told = [one for one in new if one.listed.reason in _KINDS and one.contact]
    mails = _last_mails(host, told)
    came = [_came_back(host, provider, one, mails[one.address]) for one in told if one.address in mails]
    if came:
        outcomes.take_in(host, came)
    for one in new:
        if one.listed.reason is SuppressionReason.OPT_OUT and one.contact:
            said = f"On the list of unsubscriptions at {feed_name}"
            withdraw(host, one.contact, list_ids=None, proof=Proof(ConsentWay.PROVIDER, evidence=said))
        else:
            _suppress(host, feed_name, one)


def _last_mails(host: Host, known: Sequence[_Known]) -> dict[str, OutboxMessage]:
    """Address -> the last mail that went there and was no test."""
    found: dict[str, OutboxMessage] = {}
    no_test = select(OutboxMessage).join(Mailing, Mailing.id == OutboxMessage.mailing_id)
    for source in sorted({one.contact.source for one in known if one.contact}):
        keys = sorted({one.contact.key for one in known if one.contact and one.contact.source == source})
        query = no_test.where(
            Mailing.kind.not_in(UNCOUNTED),
            OutboxMessage.contact_source == source,
            one_of(OutboxMessage.contact_key, keys),
            OutboxMessage.state == MessageState.SENT.value,
        )
        found |= {normalised(one.address): one for one in host.session.scalars(query.order_by(OutboxMessage.id))}
    return found


def _came_back(host: Host, provider: str, one: _Known, message: OutboxMessage) -> CameBack:
    kind = _KINDS[one.listed.reason]
    event = NewEvent(
        message_id=message.id,
        kind=kind,
        at=host.clock(),
        meaning=Meaning.HARD.value if kind is EventKind.BOUNCE else "",
        detail=f"On the provider's own list: {one.listed.words}",
        provider=provider,
        provider_event_id=f"list:{one.address}:{kind.value}"[:200],
    )
    return CameBack(message, event)


def _suppress(host: Host, feed_name: str, one: _Known) -> None:
    """For what no mail of ours tells; one that says the same already stays alone."""
    suppress(
        host,
        address=one.address,
        scope=SuppressionScope.ALL_BUT_TRANSACTIONAL,
        reason=one.listed.reason,
        note=one.listed.words,
        by=feed_name,
        way=ConsentWay.PROVIDER,
    )
