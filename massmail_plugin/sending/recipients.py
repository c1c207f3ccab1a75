"""Who of a leased chunk may get the mail now: today's addresses and values, and why the others are skipped.

A chunk run enters and commits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import exists, update
from sqlalchemy.orm import aliased

from massmail_plugin import audience, consent, outbox
from massmail_plugin.contracts import ContactRef, Host, SendFact
from massmail_plugin.models import Mailing, OutboxMessage
from massmail_plugin.portable_sql import changed
from massmail_plugin.sending.letters import Letters
from massmail_plugin.vocabulary import SkipReason


@dataclass(frozen=True)
class Recipient:
    """A row of the chunk; `values` are what its templates may print of the contact."""

    id: int
    contact: ContactRef
    role: str
    address: str
    attempts: int
    first_tried_at: datetime | None
    name: str
    values: dict[str, Any]


class Recipients:
    """Reads a chunk's rows and sorts out who must not be written to."""

    def __init__(self, host: Host, mailing: Mailing, letters: Letters) -> None:
        self._host = host
        self._letters = letters
        self._mailing_id, self._mailing_name, self._is_test = mailing.id, mailing.name, mailing.is_test
        self._source = host.source(mailing.contact_source)
        self.list_ids = tuple(list_.id for list_ in mailing.lists)

    def ready(self, chunk: outbox.LeasedChunk) -> list[Recipient]:
        """Those of the chunk who may get the mail now; the others are skipped with their reason."""
        outbox.lock_mailing(self._host, self._mailing_id, shared=True)
        rows = outbox.rows_to_send(self._host, chunk)
        keys = sorted({row.contact_key for row in rows})
        values = audience.values(self._host, self._source, keys, paths=None, related=self._letters.related)
        names = self._names(keys)
        present = [
            Recipient(
                row.id,
                ContactRef(row.contact_source, row.contact_key),
                row.address_role,
                row.address,
                row.attempts,
                row.first_tried_at,
                names.get(row.contact_key, ""),
                values[row.contact_key],
            )
            for row in rows
            if row.contact_key in values
        ]
        here = {recipient.id for recipient in present}
        outbox.skip(self._host, {row.id: (SkipReason.CONTACT_GONE, "") for row in rows if row.id not in here})
        if self._is_test:
            return present
        return self.not_stopped(self._at_todays_address(self._active(present)))

    def not_stopped(self, recipients: Sequence[Recipient]) -> list[Recipient]:
        """Without those who opted out, left the lists or are suppressed; they are skipped with that reason."""
        rows = [(r.id, r.contact, r.address, self.list_ids) for r in recipients]
        stopped = {} if self._is_test else consent.stopped(self._host, rows)
        outbox.skip(self._host, {row: (reason, "") for row, reason in stopped.items()})
        return [recipient for recipient in recipients if recipient.id not in stopped]

    def _active(self, recipients: Sequence[Recipient]) -> list[Recipient]:
        """Without those whom the host has made inactive since the outbox was filled."""
        gone = audience.inactive(self._host, self._source, sorted({recipient.contact.key for recipient in recipients}))
        stopped = [recipient.id for recipient in recipients if recipient.contact.key in gone]
        outbox.skip(self._host, dict.fromkeys(stopped, (SkipReason.INACTIVE, "")))
        return [recipient for recipient in recipients if recipient.contact.key not in gone]

    def _names(self, keys: Sequence[str]) -> dict[str, str]:
        refs = [ContactRef(self._source.source_name, key) for key in keys]
        return {ref.key: found.name for ref, found in audience.summaries(self._host, refs).items()}

    def _at_todays_address(self, recipients: Iterable[Recipient]) -> list[Recipient]:
        """Nothing goes to an address the host has replaced since the outbox was filled."""
        found = list(recipients)
        keys = sorted({recipient.contact.key for recipient in found})
        today = audience.current_addresses(self._host, self._source, keys)
        kept = []
        for recipient in found:
            address = (today.get((recipient.contact.key, recipient.role)) or "").strip()
            problem = _problem(address)
            if problem is None and address != recipient.address and not self._move(recipient.id, address):
                problem = (SkipReason.DUPLICATE, f"The new address {address} gets this mailing already.")
            if problem is not None:
                outbox.skip(self._host, {recipient.id: problem})
            else:
                kept.append(replace(recipient, address=address))
        return kept

    def _move(self, message_id: int, address: str) -> bool:
        """Write the new address into the row; False where another row of the mailing has it."""
        key = consent.normalised(address)
        other = aliased(OutboxMessage)
        taken = exists().where(other.mailing_id == self._mailing_id, other.dedup_key == key, other.id != message_id)
        row = update(OutboxMessage).where(OutboxMessage.id == message_id, OutboxMessage.handed_at.is_(None))
        alone = changed(self._host, row.where(OutboxMessage.dedup_key.is_(None)).values(address=address))
        return alone == 1 or changed(self._host, row.where(~taken).values(address=address, dedup_key=key)) == 1

    def vetoed(self, recipient: Recipient) -> bool:
        """Whether a hook of the host keeps this mail back; then it is skipped with that reason. Commits."""
        if self._is_test or not self._host.hooks.before_send:
            return False
        reason = self._veto(recipient)
        if reason is not None:
            outbox.skip(self._host, {recipient.id: (SkipReason.VETOED, reason)})
        self._host.session.commit()
        return reason is not None

    def _veto(self, recipient: Recipient) -> str | None:
        """The first reason a host's hook gives; a hook that raises keeps the mail back, to be on the safe side."""
        fact = SendFact(
            contact=recipient.contact,
            address=recipient.address,
            mailing_id=self._mailing_id,
            mailing_name=self._mailing_name,
        )
        try:
            return next((reason for hook in self._host.hooks.before_send if (reason := hook(fact)) is not None), None)
        except Exception as error:
            self._host.session.rollback()
            return f"The host's before_send hook failed: {type(error).__name__}: {error}"


def _problem(address: str) -> tuple[SkipReason, str] | None:
    if not address:
        return SkipReason.NO_ADDRESS, ""
    fault = consent.fault(address)
    return (SkipReason.BAD_ADDRESS, fault) if fault else None
