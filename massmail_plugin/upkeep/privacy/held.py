"""Everything that is held about a person, table by table, as a page shows it and as JSON. Doors enter; reads only."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from massmail_plugin import audience, outbox
from massmail_plugin.contracts import Host
from massmail_plugin.upkeep.privacy.holdings import HOLDINGS, Whose
from massmail_plugin.upkeep.privacy.people import Person

VALUES = "values"
NOTE = (
    "What the mailing section holds about this person. What else the application itself holds, and files that were "
    "imported and are not deleted yet, are not part of it."
)


@dataclass(frozen=True)
class Held:
    """Tables that hold something: name -> rows. `titles` names every table for people."""

    person: Person
    name: str
    """Of the contact in the host; "" where it has none any more."""
    at: datetime
    rows: dict[str, list[dict[str, Any]]]
    titles: dict[str, str]

    @property
    def counts(self) -> dict[str, int]:
        """Rows of each table."""
        return {name: len(rows) for name, rows in self.rows.items()}

    @property
    def erasable(self) -> dict[str, int]:
        """The counts without what erasing leaves: stops that know the address by its hash alone."""
        hashes = sum(_is_bare(row) for row in self.rows.get("suppressions", ()))
        left = self.counts | {"suppressions": self.counts.get("suppressions", 0) - hashes}
        return {name: number for name, number in left.items() if number}

    def whole(self) -> dict[str, Any]:
        """All of it, as it is handed out."""
        person = self.person
        contacts = [{"source": ref.source, "key": ref.key} for ref in person.refs]
        return {
            "about": NOTE,
            "made_at": self.at,
            "name": self.name,
            "contacts": contacts,
            "addresses": person.addresses,
            "addresses_shared_with_others": person.shared,
            "held": self.rows,
        }


def as_json(data: Any) -> str:
    """What is held (`Held.whole`), for programs and for handing out: times as ISO 8601 in UTC, bytes as text."""
    return json.dumps(data, default=_plain, ensure_ascii=False, indent=2)


def held(host: Host, person: Person) -> Held:
    """What is held about a person; tables that hold nothing are left out."""
    whose = Whose(host, person)
    rows = {one.name: found for one in HOLDINGS if (found := one.rows(whose))}
    values = [
        {"message_id": message_id, "at": at, "values": kept}
        for message_id, at, kept in outbox.all_values_of(host, whose.messages)
    ]
    titles = {one.name: one.title for one in HOLDINGS} | {VALUES: "What mails were filled in with"}
    return Held(person, _name(host, person), host.clock(), rows | ({VALUES: values} if values else {}), titles)


def _name(host: Host, person: Person) -> str:
    if person.contact is None:
        return ""
    found = audience.summaries(host, [person.contact]).get(person.contact)
    return found.name if found else ""


def _is_bare(row: dict[str, Any]) -> bool:
    return row["address"] is None and row["contact_key"] is None and not row["note"]


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.isoformat() if isinstance(value, datetime | date) else str(value)
