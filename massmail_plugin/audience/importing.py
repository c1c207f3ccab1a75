"""Addresses from a CSV file matched with the host's contacts and put on a list, in batches. Flushes, never commits."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import and_, or_, select, union_all

from massmail_plugin.audience.csv_reading import CsvFile
from massmail_plugin.consent.addresses import fault, normalised, normalised_sql, spellings
from massmail_plugin.consent.contact_keys import key_text
from massmail_plugin.consent.subscriptions import Counts, subscribe
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import ContactRef, ContactSource, Host
from massmail_plugin.errors import ImportRefused
from massmail_plugin.models import List, Suppression
from massmail_plugin.vocabulary import Channel, SuppressionScope

BATCH = 2000
MAX_REPORTED = 10_000
"""Rows of a kind that are kept to be shown; all are counted."""

Addressed = tuple[int, str]
"""Row number and address as the file has it."""


@dataclass
class ImportResult:
    """What an import did. `kept_out` unsubscribed or are suppressed; `unknown` belong to no contact of the host."""

    new: int = 0
    already: int = 0
    kept_out: int = 0
    rows: int = 0
    unknown_count: int = 0
    invalid_count: int = 0
    unknown: list[tuple[int, str]] = field(default_factory=list)
    """(row, text), the first MAX_REPORTED."""
    invalid: list[tuple[int, str, str]] = field(default_factory=list)
    """(row, text, why), the first MAX_REPORTED."""

    def add_unknown(self, row: int, text: str) -> None:
        self.unknown_count += 1
        if len(self.unknown) < MAX_REPORTED:
            self.unknown.append((row, text[:100]))

    def add_invalid(self, row: int, text: str, why: str) -> None:
        self.invalid_count += 1
        if len(self.invalid) < MAX_REPORTED:
            self.invalid.append((row, text[:100], why))


def match_and_subscribe(
    host: Host, list_: List, source: ContactSource, file: CsvFile, *, evidence: str, column: str | None = None
) -> ImportResult:
    """Put on a list every contact of the host who has an address of the file at one of its e-mail roles.

    `column` names the column of the addresses (None: the one that looks like it). Nobody is re-subscribed, and nobody
    with a suppressed address is added. To try it first, call it and roll back. Raises ImportRefused; the door then
    rolls back.
    """
    at = file.column(column)
    if not register(source).roles(Channel.EMAIL):
        raise ImportRefused(f"The contacts of “{source.source_name}” have no e-mail address to match with.")
    result = ImportResult()
    usable = _usable(file, at, result)
    while batch := list(islice(usable, BATCH)):
        _add(host, list_, source, batch, evidence, result)
    return result


def _usable(file: CsvFile, at: int, result: ImportResult) -> Iterator[Addressed]:
    for row, cells in file.rows():
        result.rows += 1
        text = cells[at].strip() if at < len(cells) else ""
        why = fault(text)
        if why:
            result.add_invalid(row, text, why)
        else:
            yield row, text


def _add(
    host: Host, list_: List, source: ContactSource, batch: list[Addressed], evidence: str, result: ImportResult
) -> None:
    found = _contacts_at(host, source, {form for _, text in batch for form in spellings(text)})
    stopped = _suppressed(host, list_, {normalised(text) for _, text in batch})
    welcome: set[str] = set()
    kept_out: set[str] = set()
    for row, text in batch:
        keys = {key for form in spellings(text) for key in found.get(form, ())}
        if not keys:
            result.add_unknown(row, text)
        (kept_out if normalised(text) in stopped else welcome).update(keys)
    counts = Counts(kept_out=len(kept_out))
    refs = [ContactRef(source.source_name, key) for key in sorted(welcome - kept_out)]
    counts += subscribe(host, list_, refs, evidence=evidence)
    result.new, result.already = result.new + counts.new, result.already + counts.already
    result.kept_out += counts.kept_out


def _contacts_at(host: Host, source: ContactSource, addresses: set[str]) -> dict[str, set[str]]:
    """Normalised address -> key texts; the host's table is read once for a batch."""
    roles = [normalised_sql(one.column) for one in register(source).roles(Channel.EMAIL)]
    wanted = union_all(
        *(select(role.label("address"), key_text(source).label("key")).where(role.in_(addresses)) for role in roles)
    )
    found: dict[str, set[str]] = {}
    for address, key in host.session.execute(wanted):
        found.setdefault(address, set()).add(key)
    return found


def _suppressed(host: Host, list_: List, addresses: set[str]) -> set[str]:
    everywhere = Suppression.scope == SuppressionScope.ALL_BUT_TRANSACTIONAL
    here = and_(Suppression.scope == SuppressionScope.LIST, Suppression.list_id == list_.id)
    return set(
        host.session.scalars(
            select(Suppression.address).where(Suppression.address.in_(addresses), or_(everywhere, here))
        )
    )
