"""Who of a leased chunk may get the mail now: today's addresses and values, and why the others are skipped.

A lane enters and commits.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, update
from sqlalchemy.orm import aliased

from massmail_plugin import audience, consent, outbox
from massmail_plugin.contracts import ContactRef, Host, SendFact
from massmail_plugin.models import Mailing, OutboxMessage
from massmail_plugin.portable_sql import changed
from massmail_plugin.sending.chunk_run import ChunkRun, Recipient
from massmail_plugin.sending.letters import Letters
from massmail_plugin.vocabulary import MailingKind, SkipReason

Skips = dict[int, tuple[SkipReason, str]]


@dataclass(frozen=True)
class _Mailing:
    """What is asked of the mailing for every chunk; read once."""

    id: int
    name: str
    kind: MailingKind


class Recipients:
    """Reads chunks of one mailing and sorts out who must not be written to."""

    def __init__(self, host: Host, mailing: Mailing, letters: Letters) -> None:
        self._host = host
        self._letters = letters
        self._mailing = _Mailing(mailing.id, mailing.name, MailingKind(mailing.kind))
        self._source = host.source(mailing.contact_source)
        self._roles = {one.role: place for place, one in enumerate(self._source.addresses)}
        self._purpose = consent.Purpose(
            mailing.id,
            tuple(list_.id for list_ in mailing.lists),
            mailing.template.topic_id if mailing.template else None,
            by_criterion=any(list_.criterion_id is not None for list_ in mailing.lists),
        )

    def read(self, chunk: outbox.LeasedChunk, *, most: int) -> list[Recipient]:
        """Those of the chunk who may get the mail now; the others are skipped with their reason."""
        rows = outbox.rows_to_send(self._host, chunk, most=most)
        if self._mailing.kind is MailingKind.SERVICE:
            return self._service(rows)
        readers = self._readers([row.contact_key for row in rows])
        skips: Skips = {row.id: (SkipReason.CONTACT_GONE, "") for row in rows if row.contact_key not in readers}
        found = [
            Recipient(
                row.id,
                row.contact_key,
                row.address_role,
                row.address,
                row.attempts,
                row.first_tried_at,
                reader.name.strip(),
                reader.values,
                reader.tracked,
                row.list_id,
            )
            for row in rows
            if (reader := readers.get(row.contact_key)) is not None
        ]
        if self._mailing.kind.counted:
            self._look_up_addresses(found, readers, skips)
            skips |= self._stopped([one for one in found if one.id not in skips])
        found = self._without(skips, found)
        outbox.keep_values(self._host, chunk.mailing_id, chunk.number, ((one.id, one.values) for one in found))
        return found

    def _service(self, rows: Sequence[outbox.WaitingRow]) -> list[Recipient]:
        """Somebody asked for the mail to this very address, whoever it belongs to: only dead ones get none."""
        dead = consent.undeliverable(self._host, [row.address for row in rows])
        found = [
            Recipient(
                row.id, row.contact_key, row.address_role, row.address, row.attempts, row.first_tried_at, "", {}, False
            )
            for row in rows
        ]
        return self._without({row.id: (SkipReason.SUPPRESSED, "") for row in rows if row.address in dead}, found)

    def _without(self, skips: Skips, found: list[Recipient]) -> list[Recipient]:
        """Skip these rows; the recipients that are left."""
        if not skips:
            return found
        outbox.lock_mailing(self._host, self._mailing.id, shared=True)
        outbox.skip(self._host, skips)
        return [one for one in found if one.id not in skips]

    def stop_late(self, run: ChunkRun, *, look_at_contacts: bool) -> None:
        """Keep back those who must not get it any more, although the chunk was read before they said so.

        With `look_at_contacts`, also those the host has deleted, made inactive or given another address.
        """
        if not self._mailing.kind.counted:
            return
        untaken = run.untaken()
        skips = self._stopped([recipient for _, recipient in untaken])
        moved: set[int] = set()
        if look_at_contacts:
            moved = self._changed([recipient for _, recipient in untaken], skips)
        late = [one.id for place, one in untaken if (one.id in skips or one.id in moved) and run.stop(place)]
        if any(row in skips for row in late):
            outbox.lock_mailing(self._host, self._mailing.id, shared=True)
            outbox.skip(self._host, {row: skips[row] for row in late if row in skips})

    def vetoed(self, recipient: Recipient) -> str | None:
        """The first reason a host's `before_send` hook gives to keep the mail back; None lets it go.

        A hook that raises keeps the mail back, to be on the safe side.
        """
        hooks = self._host.hooks.before_send
        if not hooks or not self._mailing.kind.counted:
            return None
        fact = SendFact(
            contact=ContactRef(self._source.source_name, recipient.key),
            address=recipient.address,
            mailing_id=self._mailing.id,
            mailing_name=self._mailing.name,
        )
        try:
            return next((reason for hook in hooks if (reason := hook(fact)) is not None), None)
        except Exception as error:
            self._host.session.rollback()
            return f"The host's before_send hook failed: {type(error).__name__}: {error}"

    def _readers(self, keys: Sequence[str]) -> dict[str, audience.Reader]:
        letters = self._letters
        return audience.readers(
            self._host, self._source, sorted(set(keys)), paths=letters.paths, related=letters.related
        )

    def _look_up_addresses(self, found: Sequence[Recipient], readers: dict[str, audience.Reader], skips: Skips) -> None:
        """Nothing goes to an address the host has replaced since the outbox was filled, nor to inactive contacts."""
        for one in found:
            reader = readers[one.key]
            address = self._address(reader, one.role)
            if address == one.address and reader.active:
                continue
            if not reader.active:
                skips[one.id] = (SkipReason.INACTIVE, "")
            elif not address:
                skips[one.id] = (SkipReason.NO_ADDRESS, "")
            else:
                self._move(one, address, skips)

    def _address(self, reader: audience.Reader, role: str) -> str:
        """Where a contact is reached today in one role, trimmed; "" where it has no address."""
        place = self._roles.get(role)
        found = None if place is None else reader.addresses[place]
        return "" if found is None else str(found).strip()

    def _move(self, one: Recipient, address: str, skips: Skips) -> None:
        if fault := consent.fault(address):
            skips[one.id] = (SkipReason.BAD_ADDRESS, fault)
        elif not self._written(one.id, address):
            skips[one.id] = (SkipReason.DUPLICATE, f"The new address {address} gets this mailing already.")
        else:
            one.address = address

    def _written(self, message_id: int, address: str) -> bool:
        """Write the new address into the row; False where another row of the mailing has it."""
        key = consent.normalised(address)
        other = aliased(OutboxMessage)
        taken = exists().where(other.mailing_id == self._mailing.id, other.dedup_key == key, other.id != message_id)
        row = update(OutboxMessage).where(OutboxMessage.id == message_id)
        alone = changed(self._host, row.where(OutboxMessage.dedup_key.is_(None)).values(address=address))
        return alone == 1 or changed(self._host, row.where(~taken).values(address=address, dedup_key=key)) == 1

    def _stopped(self, recipients: Sequence[Recipient]) -> Skips:
        if not recipients:
            return {}
        rows = [consent.Asked(one.id, one.key, one.address, one.list_id) for one in recipients]
        found = consent.stopped(self._host, self._source.source_name, rows, self._purpose)
        return {row: (reason, "") for row, reason in found.items()}

    def _changed(self, recipients: Sequence[Recipient], skips: Skips) -> set[int]:
        """Those the host gave another address meanwhile: they wait for the next worker. Who is gone is skipped."""
        readers = self._readers([one.key for one in recipients])
        moved = set()
        for one in recipients:
            reader = readers.get(one.key)
            if reader is None or not reader.active:
                skips[one.id] = (SkipReason.CONTACT_GONE if reader is None else SkipReason.INACTIVE, "")
            elif self._address(reader, one.role) != one.address:
                moved.add(one.id)
        return moved
