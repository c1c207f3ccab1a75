"""Erases a person: what tells who it was goes from every table, numbers stay, and no mail goes to the addresses again,
which we then know by their keyed hashes alone. Doors enter and commit.
"""

import json
import logging
from collections.abc import Set
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import Select, and_, delete, exists, select, update

from massmail_plugin import consent, outbox
from massmail_plugin.consent.addresses import spellings
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import (
    Chunk,
    Erasure,
    Event,
    LinkRequest,
    OptOutReason,
    OutboxMessage,
    OutcomeReport,
    PastMessage,
    PreparedMessage,
    ProviderListEntry,
    Received,
    ReleasedSuppression,
    SignUp,
    SubscriptionEvent,
    Suppression,
    WebhookDelivery,
)
from massmail_plugin.portable_sql import changed, one_of
from massmail_plugin.upkeep.contacts import move, past_hashes_of, retire_as, skip_waiting
from massmail_plugin.upkeep.privacy.held import held
from massmail_plugin.upkeep.privacy.holdings import HOLDINGS, Whose
from massmail_plugin.upkeep.privacy.people import Person
from massmail_plugin.vocabulary import (
    FORGOTTEN,
    GONE,
    WAITING,
    ReportState,
    SignUpState,
    SkipReason,
    SuppressionReason,
    SuppressionScope,
)

log = logging.getLogger(__name__)
_WAITING = [state.value for state in WAITING]
_WHICH = {one.model: one.which for one in HOLDINGS}


@dataclass(frozen=True)
class Erased:
    """How many rows of each table were erased; none where nothing was held."""

    counts: dict[str, int]
    news: bool
    """Whether anything changed."""

    @property
    def rows(self) -> int:
        return sum(self.counts.values())


def erase(host: Host, person: Person, *, by: str, note: str = "") -> Erased:
    """Erase a person; once more it changes nothing. `note` says why, and must not say who.

    Rows that numbers are counted from stay, under a key that leads to nobody. Links in old mails go on to open a page
    that says that nothing is sent. Raises BadRequest while a mail to the person is in a worker's hands.
    """
    host.session.flush()
    counts = held(host, person).erasable
    if not counts and not _to_keep_off(host, person):
        return Erased({}, news=False)
    _stop_mail(host, Whose(host, person))
    past = _past_hashes(host, person)
    former = Whose(host, Person(None, _retire(host, person, past), person.addresses))
    _keep_off(host, former, past, by)
    _scrub_mails(host, former)
    _scrub_what_came_back(host, former)
    _scrub_wishes(host, former)
    source = person.refs[0].source if person.refs else ""
    row = {"at": host.clock(), "by": by, "note": note, "contact_source": source, "counts": json.dumps(counts)}
    host.session.add(Erasure(**row))
    host.session.flush()
    host.session.expire_all()
    log.info("A person was erased by %s: %s rows", by, sum(counts.values()))
    return Erased(counts, news=True)


def erasures() -> Select[Any]:
    """The record of erasures, the newest first."""
    return select(Erasure).order_by(Erasure.id.desc())


# --- Mail that waits, and the contact -------------------------------------------------------------------------


def _stop_mail(host: Host, whose: Whose) -> None:
    mine = whose.mail(OutboxMessage.id)
    skip_waiting(host, mine, SkipReason.CONTACT_GONE)
    if host.session.scalar(select(exists().where(mine, OutboxMessage.state.in_(_WAITING)))):
        raise BadRequest("A mail to this person is about to leave at this moment. Try again in a minute.")


def _retire(host: Host, person: Person, past: Set[str]) -> tuple[ContactRef, ...]:
    """Every contact of the person under a new key that tells nothing; these. What the contact wished goes over to the
    addresses first.
    """
    moved = []
    for ref in person.refs:
        key = GONE + uuid4().hex
        if ref.key.startswith(GONE):
            move(host, ref, key)
        else:
            retire_as(host, ref, key, person.addresses, past)
        moved.append(ContactRef(ref.source, key))
    return tuple(moved)


# --- Addresses ------------------------------------------------------------------------------------------------


def _to_keep_off(host: Host, person: Person) -> list[str]:
    """The addresses that no erasure stops yet."""
    mark = Suppression.address_hash
    erased = Suppression.reason == SuppressionReason.ERASED.value, Whose(host, person).hash(mark)
    known = set(host.session.scalars(select(mark).where(*erased)))
    return [one for one in person.addresses if not known & set(consent.address_hashes(host.config, one))]


def _past_hashes(host: Host, person: Person) -> set[str]:
    """Of addresses that nothing but the hash is known of, since mails to them were deleted for their age."""
    known = (*person.addresses, *person.shared)
    return {mark for ref in person.refs for mark in past_hashes_of(host, ref, but=known)}


def _keep_off(host: Host, whose: Whose, past: Set[str], by: str) -> None:
    """What stops mail to the addresses goes on to do so, by their hashes; what stopped the contact alone ends."""
    changed(host, delete(ReleasedSuppression).where(_WHICH[ReleasedSuppression](whose)))
    changed(host, delete(Suppression).where(whose.contact(Suppression)))
    for address in whose.person.addresses:
        bare = {"address": None, "address_hash": consent.address_hash(host.config, address), "message_id": None}
        this = one_of(Suppression.address, sorted(spellings(address)))
        changed(host, update(Suppression).where(this).values(**bare))
    changed(host, update(Suppression).where(whose.hash(Suppression.address_hash)).values(note=""))
    now = {consent.address_hash(host.config, address) for address in _to_keep_off(host, whose.person)}
    for mark in sorted(now | past):
        consent.suppress(
            host,
            address_hash=mark,
            scope=SuppressionScope.ALL_BUT_TRANSACTIONAL,
            reason=SuppressionReason.ERASED,
            by=by,
        )


# --- Rows that stay, but tell nothing -------------------------------------------------------------------------


def _scrub_mails(host: Host, whose: Whose) -> None:
    """Their chunks are counted anew, since the domain of an address counts in the statistics."""
    mine = whose.mail(OutboxMessage.id)
    here = exists().where(mine, OutboxMessage.mailing_id == Chunk.mailing_id, OutboxMessage.chunk == Chunk.number)
    changed(host, update(Chunk).where(here).values(uncounted=True))
    outbox.forget_values_of(host, whose.messages)
    words = update(PreparedMessage).where(_WHICH[PreparedMessage](whose))
    changed(host, words.values(subject="", html="", text=""))
    changed(host, update(OutboxMessage).where(mine).values(address="", dedup_key=None, reply_text=""))
    changed(host, update(PastMessage).where(_WHICH[PastMessage](whose)).values(address_hash=None))


def _scrub_what_came_back(host: Host, whose: Whose) -> None:
    mine = whose.mail(Event.message_id)
    with_address = and_(mine, Event.provider_event_id.contains("@"))
    changed(host, update(Event).where(with_address).values(provider_event_id=None))
    unknown = {"user_agent": "", "detail": "", "request": FORGOTTEN, "received_id": None}
    changed(host, update(Event).where(mine).values(**unknown))
    deliveries, waiting = _WHICH[WebhookDelivery](whose), WebhookDelivery.state == ReportState.WAITING.value
    changed(host, delete(WebhookDelivery).where(deliveries, waiting))
    changed(host, update(WebhookDelivery).where(deliveries).values(problem=""))
    changed(host, update(OutcomeReport).where(whose.mail(OutcomeReport.message_id)).values(problem=""))
    bare = {"address": "", "subject": "", "note": "", "raw": None}
    changed(host, update(Received).where(_WHICH[Received](whose)).values(**bare))
    changed(host, delete(ProviderListEntry).where(_WHICH[ProviderListEntry](whose)))


def _scrub_wishes(host: Host, whose: Whose) -> None:
    """What was agreed to when, and by how many, stays; who it was does not."""
    history = update(SubscriptionEvent).where(_WHICH[SubscriptionEvent](whose))
    changed(host, history.values(evidence="", origin=""))
    changed(host, update(OptOutReason).where(_WHICH[OptOutReason](whose)).values(comment=""))
    changed(host, delete(LinkRequest).where(_WHICH[LinkRequest](whose)))
    sign_ups = _WHICH[SignUp](whose)
    waiting = SignUp.state == SignUpState.WAITING.value
    changed(host, update(SignUp).where(sign_ups, waiting).values(state=SignUpState.EXPIRED.value, due_at=None))
    nobody = {"address": "", "values": {}, "origin": "", "network": "", "confirmed_from": "", "locale": ""}
    changed(host, update(SignUp).where(sign_ups).values(**nobody, contact_source=None, contact_key=None))
