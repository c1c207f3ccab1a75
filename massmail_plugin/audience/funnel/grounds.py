"""On what grounds a contact passes a step of the funnel or does not, in words. `explain` enters; reads only."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, literal, or_, select

from massmail_plugin.audience.contacts.summaries import current_addresses, summaries
from massmail_plugin.audience.criteria.rule_json import parse
from massmail_plugin.audience.criteria.rule_sql import clause
from massmail_plugin.audience.criteria.rules import Group
from massmail_plugin.audience.criteria.words import sentence
from massmail_plugin.audience.funnel import stop_grounds
from massmail_plugin.audience.funnel.request import AudienceRequest, addresses_of
from massmail_plugin.audience.members import members
from massmail_plugin.consent.addresses import LONGEST, fault, normalised_sql
from massmail_plugin.consent.contact_keys import TextOf, has_key, key_text
from massmail_plugin.contracts import ContactRef, ContactSource, Host
from massmail_plugin.models import List, Subscription
from massmail_plugin.vocabulary import SubscriptionState

MOST_NAMED = 3
"""Other contacts that are named."""


class Case(NamedTuple):
    """The contact in question, and what is asked of it."""

    host: Host
    source: ContactSource
    request: AudienceRequest
    contact: ContactRef
    on: set[int]
    """The lists of the request it is on."""

    @property
    def addresses(self) -> dict[str, str]:
        """Role -> address as the host has it, of the roles the request asks for."""
        found = current_addresses(self.host, self.source, [self.contact.key])
        wanted = [one.role for one in addresses_of(self.source, self.request)]
        return {role: found[self.contact.key, role] for role in wanted if (self.contact.key, role) in found}


def case_of(host: Host, request: AudienceRequest, contact: ContactRef) -> Case:
    """The case of one contact of the request's source."""
    source = host.source(request.source_name)
    return Case(host, source, request, contact, _on(host, source, contact, request.list_ids))


def alike(case: Case) -> Select[Any]:
    """The key texts of the contact, and of everybody with one of its addresses where that matters."""
    only_this = select(literal(case.contact.key))
    normal = {address.lower() for address in case.addresses.values()}
    if not case.request.one_per_address or not normal:
        return only_this
    columns = [normalised_sql(one.column) for one in addresses_of(case.source, case.request)]
    same = or_(*(column.in_(sorted(normal)) for column in columns), has_key(case.source, [case.contact.key]))
    return select(key_text(case.source)).select_from(case.source.model).where(same)


def narrowed(case: Case) -> AudienceRequest:
    """The request, for these alone."""
    return replace(case.request, only=alike(case))


def words(case: Case, step: str, *, passed: bool) -> str:
    """Why the contact passes the step or not; "" where the step's name says it all."""
    told = _WHEN_PASSED if passed else _WHEN_STOPPED
    return told[step](case) if step in told else ""


def when(moment: datetime) -> str:
    """A moment for people."""
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


# --- Lists ---------------------------------------------------------------------------------------------------------


def _on(host: Host, source: ContactSource, contact: ContactRef, list_ids: Sequence[int]) -> set[int]:
    found = members(host, source, list_ids).subquery()
    return set(host.session.scalars(select(found.c.list_id).where(found.c.key == contact.key)))


def _listed(case: Case) -> str:
    told = []
    for list_ in _named(case, case.on):
        row = _subscription(case, list_)
        how = f"since {when(row.since)}" if row else "found by its criterion"
        told.append(f"“{list_.name}” ({how})")
    return f"On {', '.join(told)}."


def _not_listed(case: Case) -> str:
    lists = _named(case, case.request.list_ids)
    if not lists:
        return "No list is chosen."
    left = [(list_, row) for list_ in lists if (row := _subscription(case, list_))]
    if not left:
        return f"Is not on {' or '.join(f'“{list_.name}”' for list_ in lists)}, and never was."
    told = [f"“{list_.name}” on {when(row.since)}{_quoted(row.evidence)}" for list_, row in left]
    return f"Left {', '.join(told)}."


def _archived(case: Case) -> str:
    return f"On {', '.join(f'“{list_.name}”' for list_ in _named(case, case.on))}: archived, nothing goes there."


def _excluded(case: Case) -> str:
    on = _on(case.host, case.source, case.contact, case.request.excluded_list_ids)
    return f"On {', '.join(f'“{list_.name}”' for list_ in _named(case, on))}, which the mailing leaves out."


def _named(case: Case, list_ids: Iterable[int]) -> Sequence[List]:
    return case.host.session.scalars(select(List).where(List.id.in_(list(list_ids))).order_by(List.name)).all()


def _subscription(case: Case, list_: List) -> Subscription | None:
    return case.host.session.scalars(
        select(Subscription).where(
            Subscription.list_id == list_.id,
            Subscription.contact_source == case.contact.source,
            Subscription.contact_key == case.contact.key,
            Subscription.state.in_([state.value for state in SubscriptionState]),
        )
    ).first()


def _quoted(evidence: str) -> str:
    return f" ({evidence})" if evidence else ""


# --- What the host says of the contact -----------------------------------------------------------------------------


def _within(case: Case) -> str:
    return "" if case.request.rule is None else sentence(case.host, case.source, case.request.rule)


def _outside(case: Case) -> str:
    """Names the parts that do not hold, where all of several must."""
    rule = parse(case.request.rule)
    parts = rule.rules if isinstance(rule, Group) and rule.kind == "all" else (rule,)
    wrong = [part for part in parts if not _holds(case, part)]
    return "This does not hold: " + "; ".join(sentence(case.host, case.source, part) for part in wrong) + "."


def _holds(case: Case, rule: object) -> bool:
    this = has_key(case.source, [case.contact.key])
    found = select(func.count()).select_from(case.source.model)
    return bool(case.host.session.scalar(found.where(this, clause(case.host, case.source, rule))))


def _status(case: Case) -> str:
    if case.source.status is None or not case.request.statuses:
        return ""
    this = select(TextOf(case.source.status)).where(has_key(case.source, [case.contact.key]))
    status = case.host.session.scalar(this)
    own = f"Its status is “{status}”" if status else "It has no status"
    return f"{own}; the mailing goes to {', '.join(f'“{one}”' for one in case.request.statuses)}."


def _no_address(case: Case) -> str:
    roles = [one.label or one.role for one in addresses_of(case.source, case.request)]
    return f"There is nothing in {' or '.join(f'“{role}”' for role in roles)}."


def _faults(case: Case) -> str:
    found = ((address, fault(address)) for address in case.addresses.values())
    longest = f"The address is longer than {LONGEST} characters."
    return " ".join(f"{address[:LONGEST]}: {why or longest}" for address, why in found)


# --- Others --------------------------------------------------------------------------------------------------------


def _twins(case: Case) -> str:
    keys = case.host.session.scalars(alike(case).limit(MOST_NAMED + 2)).all()
    refs = [ContactRef(case.source.source_name, key) for key in keys if key != case.contact.key]
    found = summaries(case.host, refs)
    names = [found[ref].name if ref in found else "a contact you may not see" for ref in refs]
    more = " and others" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more} can be reached at the same address; the mail goes there once."


def _stops(case: Case) -> str:
    return stop_grounds.stops(case.host, case.request, case.contact, list(case.addresses.values()), when)


def _mailed(case: Case) -> str:
    return stop_grounds.mailed(case.host, case.request, case.contact, when)


def _wants_fewer(case: Case) -> str:
    return stop_grounds.wants_fewer(case.host, case.contact)


_WHEN_PASSED: dict[str, Callable[[Case], str]] = {"listed": _listed, "matching": _within, "status": _status}
_WHEN_STOPPED: dict[str, Callable[[Case], str]] = {
    "listed": _not_listed,
    "matching": _outside,
    "status": _status,
    "open": _archived,
    "included": _excluded,
    "with_address": _no_address,
    "usable": _faults,
    "willing": _stops,
    "allowed": _stops,
    "rested": _mailed,
    "paced": _wants_fewer,
    "unique": _twins,
}
