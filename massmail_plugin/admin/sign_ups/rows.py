"""What the screens of sign-ups read: lists with forms, sign-ups of one list, how many there are. Only reads."""

from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select

from massmail_plugin.consent.addresses import normalised
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import List, SignUp
from massmail_plugin.sign_ups.exporting import shown
from massmail_plugin.vocabulary import SignUpState

COUNTED = 1_000
"""Of each state so many are counted at the most."""


def lists() -> Select[Any]:
    """Lists that take sign-ups, or once did, by name."""
    # In an order, and not an EXISTS: one look into the index for each list, where the planner would read all sign-ups.
    first = select(SignUp.id).where(SignUp.list_id == List.id).order_by(SignUp.state, SignUp.id).limit(1)
    taken = first.scalar_subquery()
    return select(List).where(or_(List.sign_up, taken.is_not(None))).order_by(List.active.desc(), func.lower(List.name))


def counts(host: Host, list_ids: list[int]) -> dict[int, dict[str, int]]:
    """List -> state -> number of sign-ups, COUNTED at the most: a screen takes no longer for a million."""
    return {
        list_id: {
            state.value: _count(host, SignUp.list_id == list_id, SignUp.state == state.value) for state in SignUpState
        }
        for list_id in list_ids
    }


def _count(host: Host, *where: ColumnElement[bool]) -> int:
    some = select(SignUp.id).where(*where).limit(COUNTED).subquery()
    return host.session.scalar(select(func.count()).select_from(some)) or 0


def one(host: Host, list_id: int, sign_up_id: int) -> Select[Any]:
    """A sign-up for a list, if who looks may see it."""
    return select(SignUp).where(SignUp.id == sign_up_id, SignUp.list_id == list_id, shown(host))


def of_list(host: Host, list_id: int, state: str, text: str) -> Select[Any]:
    """Sign-ups of a list in a state that who looks may see, of addresses that begin with `text`."""
    query = select(SignUp).where(SignUp.list_id == list_id, SignUp.state == state, shown(host))
    return query.where(SignUp.address.startswith(normalised(text), autoescape=True)) if text else query


def contacts(rows: list[SignUp]) -> list[ContactRef]:
    """Whom they made subscribers."""
    return [ContactRef(row.contact_source, row.contact_key) for row in rows if row.contact_source and row.contact_key]
