"""Where statuses live: the contact in the host, or its membership in a list or campaign.

Delivery enters and commits.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from sqlalchemy import Table, select, update

from massmail_plugin.contracts import ContactRef, Host, OutcomeFact, StatusFact
from massmail_plugin.models import Enrolment, Standing, Subscription
from massmail_plugin.outcomes import host_status
from massmail_plugin.outcomes.mapping import Place
from massmail_plugin.portable_sql import changed, dialect, one_of, upsert_of
from massmail_plugin.vocabulary import Outcome

CONTACT = "contact"


@dataclass(frozen=True, slots=True)
class Spot:
    """One status: whose, and where it is kept ("contact", "list:5", "campaign:3")."""

    contact: ContactRef
    name: str

    @property
    def of_contact(self) -> bool:
        return self.name == CONTACT


class Places:
    """The statuses of some contacts: read at once, changed in memory, written at once by `flush`."""

    def __init__(self, host: Host, contacts: Collection[ContactRef]) -> None:
        self._host = host
        self._contacts = sorted(contacts)
        self._standing = self._standings()
        self._remembered: dict[Spot, Place] = {}
        self._status: dict[Spot, str | None] = self._contact_statuses()
        self._changed: dict[Spot, str | None] = {}
        self.written: list[tuple[OutcomeFact, str | None, str | None]] = []
        """For each status of a contact that was set: by what, the one before, the new one."""

    def of(self, contact: ContactRef, list_id: int | None, campaign_id: int | None) -> list[Spot]:
        """The statuses an outcome goes to, as the host's StatusMapping says."""
        target = self._host.statuses.target
        spots = [Spot(contact, CONTACT)] if target in ("contact", "both") else []
        if target in ("membership", "both"):
            spots += [Spot(contact, f"list:{list_id}")] if list_id else []
            spots += [Spot(contact, f"campaign:{campaign_id}")] if campaign_id else []
        return spots

    def current(self, spot: Spot) -> str | None:
        if spot not in self._status and not spot.of_contact:
            place = self._standing.get(spot, Place())
            self._status[spot] = place.status if place.removed is None else place.removed
        return self._status.get(spot)

    def standing(self, spot: Spot) -> Place | None:
        return self._standing.get(spot)

    def set(self, spot: Spot, status: str | None, fact: OutcomeFact) -> None:
        """Set a status that `current` was asked for: through the host's `set_status` hook at once, else with `flush`.

        Raises what the hook raises. The hook sets no contact back to having none.
        """
        hook, before = self._host.hooks.set_status, self._status.get(spot)
        if spot.of_contact and hook is not None:
            if status is None:
                return
            with self._host.session.begin_nested():
                hook(StatusFact(contact=spot.contact, old=before, new=status, outcome=fact))
        else:
            self._changed[spot] = status
        self._status[spot] = status
        if spot.of_contact:
            self.written.append((fact, before, status))

    def remember(self, spot: Spot, place: Place) -> None:
        self._standing[spot] = self._remembered[spot] = place

    def flush(self) -> None:
        """Write the changed statuses, one statement for each status and place, and what decided them."""
        groups: dict[tuple[str, str, str | None], list[str]] = defaultdict(list)
        for spot, status in self._changed.items():
            groups[spot.contact.source, spot.name, status].append(spot.contact.key)
        for (source, place, status), keys in groups.items():
            self._write(source, place, status, keys)
        self._changed.clear()
        self._host.session.flush()
        if self._remembered:
            self._host.session.execute(_keep(dialect(self._host).name), list(map(_row, self._remembered.items())))
            self._remembered.clear()

    def _write(self, source: str, place: str, status: str | None, keys: list[str]) -> None:
        if place == CONTACT:
            host_status.write(self._host, self._host.source(source), keys, status)
            return
        kind, _, number = place.partition(":")
        model, group = (Subscription, Subscription.list_id) if kind == "list" else (Enrolment, Enrolment.campaign_id)
        member = model.contact_source == source, model.contact_key.in_(keys), group == int(number)
        changed(self._host, update(model).where(*member).values(status=status))

    def _standings(self) -> dict[Spot, Place]:
        found: dict[Spot, Place] = {}
        for source, keys in _by_source(self._contacts).items():
            of_contacts = _STANDING.c.contact_source == source, one_of(_STANDING.c.contact_key, keys)
            for row in self._host.session.execute(select(_STANDING).where(*of_contacts)):
                decided = Place(
                    row.mailing_id, Outcome(row.outcome), row.status, row.removed_status, row.previous_status
                )
                found[Spot(ContactRef(source, row.contact_key), row.place)] = decided
        return found

    def _contact_statuses(self) -> dict[Spot, str | None]:
        found: dict[Spot, str | None] = {}
        for source, keys in _by_source(self._contacts).items():
            if source in self._host.sources:
                for key, status in host_status.read(self._host, self._host.source(source), keys).items():
                    found[Spot(ContactRef(source, key), CONTACT)] = status
        return found


def _by_source(refs: Iterable[ContactRef]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for ref in refs:
        groups[ref.source].append(ref.key)
    return groups


_STANDING = cast(Table, Standing.__table__)


@cache
def _keep(dialect_name: str) -> Any:
    new = upsert_of(dialect_name, _STANDING)
    names = ("mailing_id", "outcome", "status", "removed_status", "previous_status")
    decided = {name: new.excluded[name] for name in names}
    return new.on_conflict_do_update(index_elements=list(_STANDING.primary_key), set_=decided)


def _row(remembered: tuple[Spot, Place]) -> dict[str, Any]:
    spot, place = remembered
    return {
        "contact_source": spot.contact.source,
        "contact_key": spot.contact.key,
        "place": spot.name,
        "mailing_id": place.mailing_id,
        "outcome": place.outcome.value,
        "status": place.status,
        "removed_status": place.removed,
        "previous_status": place.previous,
    }
