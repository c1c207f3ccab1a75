"""Where statuses live: the contact in the host, or its membership in a list or campaign.

Delivery enters and commits.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import select, tuple_, update

from massmail_plugin.contracts import ContactRef, Host, OutcomeFact, StatusFact
from massmail_plugin.models import Enrolment, Standing, Subscription
from massmail_plugin.outcomes import host_status
from massmail_plugin.outcomes.mapping import Place
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import Outcome

CONTACT = "contact"


@dataclass(frozen=True)
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
        self._final = set(host.statuses.final)
        self._contacts = sorted(contacts)
        self._rows = self._standings()
        self._status: dict[Spot, str | None] = self._contact_statuses()
        self._changed: dict[Spot, str] = {}

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
            row = self._rows.get(spot)
            self._status[spot] = row.status if row else None
        return self._status.get(spot)

    def standing(self, spot: Spot) -> Place | None:
        row = self._rows.get(spot)
        return Place(row.mailing_id, Outcome(row.outcome), row.status, row.previous_status) if row else None

    def final(self, status: str | None) -> bool:
        return status in self._final

    def set(self, spot: Spot, status: str, fact: OutcomeFact) -> None:
        """Set a status: through the host's `set_status` hook at once, else with `flush`.

        Raises what the hook raises.
        """
        hook = self._host.hooks.set_status
        if spot.of_contact and hook is not None:
            with self._host.session.begin_nested():
                hook(StatusFact(contact=spot.contact, old=self.current(spot), new=status, outcome=fact))
        else:
            self._changed[spot] = status
        self._status[spot] = status

    def remember(self, spot: Spot, place: Place) -> None:
        row = self._rows.get(spot)
        if row is None:
            row = Standing(contact_source=spot.contact.source, contact_key=spot.contact.key, place=spot.name)
            self._host.session.add(row)
            self._rows[spot] = row
        row.mailing_id, row.outcome = place.mailing_id, place.outcome.value
        row.status, row.previous_status = place.status, place.previous

    def flush(self) -> None:
        """Write the changed statuses, one statement for each status and place."""
        groups: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        for spot, status in self._changed.items():
            groups[spot.contact.source, spot.name, status].append(spot.contact.key)
        for (source, place, status), keys in groups.items():
            self._write(source, place, status, keys)
        self._changed.clear()
        self._host.session.flush()

    def _write(self, source: str, place: str, status: str, keys: list[str]) -> None:
        if place == CONTACT:
            host_status.write(self._host, self._host.source(source), keys, status)
            return
        kind, _, number = place.partition(":")
        model, group = (Subscription, Subscription.list_id) if kind == "list" else (Enrolment, Enrolment.campaign_id)
        member = model.contact_source == source, model.contact_key.in_(keys), group == int(number)
        changed(self._host, update(model).where(*member).values(status=status))

    def _standings(self) -> dict[Spot, Standing]:
        key = tuple_(Standing.contact_source, Standing.contact_key)
        rows = self._host.session.scalars(select(Standing).where(key.in_([(c.source, c.key) for c in self._contacts])))
        return {Spot(ContactRef(row.contact_source, row.contact_key), row.place): row for row in rows}

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
