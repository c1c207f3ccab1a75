"""The visitor says by the link in the mail that they meant it. The page enters and commits.

Saying it again changes nothing.
"""

import logging
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from sqlalchemy import exists, select, update

from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadLink
from massmail_plugin.models import ConsentText, List, SignUp
from massmail_plugin.portable_sql import changed
from massmail_plugin.sign_ups.asking import end_of
from massmail_plugin.sign_ups.joining import join
from massmail_plugin.sign_ups.taking import Visitor
from massmail_plugin.vocabulary import SignUpState

log = logging.getLogger(__name__)


class Where(Enum):
    """Where a sign-up stands, as its page says it."""

    WAITING = auto()
    CONFIRMED = auto()
    EXPIRED = auto()
    CLOSED = auto()
    """The list is archived: nothing goes to it any more."""


@dataclass(frozen=True)
class Standing:
    """What the page of a sign-up shows. Never an address: the mail may have been passed on."""

    where: Where
    list_: List
    words: str
    """What was agreed to."""
    locale: str


def standing(host: Host, sign_up_id: int) -> Standing:
    """Where a sign-up stands. Raises BadLink where it is not kept any more. Reads only."""
    sign_up = host.session.get(SignUp, sign_up_id)
    if sign_up is None:
        raise BadLink("This sign-up is not known here any more.")
    return _standing(host, sign_up)


def confirm(host: Host, sign_up_id: int, visitor: Visitor) -> Standing:
    """The visitor wants the list: they are put on it, and their own stops against it end. Raises BadLink.

    Where the host cannot name or make the contact at this moment, the confirmation is kept and carried out later.
    """
    query = select(SignUp).where(SignUp.id == sign_up_id).with_for_update().execution_options(populate_existing=True)
    sign_up = host.session.scalars(query).first()
    if sign_up is None:
        raise BadLink("This sign-up is not known here any more.")
    if _standing(host, sign_up).where is Where.WAITING:
        sign_up.state = SignUpState.CONFIRMED.value
        sign_up.confirmed_at = sign_up.due_at = host.clock()
        sign_up.confirmed_from = visitor.origin
        _end_others(host, sign_up)
        host.session.flush()
        join(host, sign_up)
    return _standing(host, sign_up)


def _standing(host: Host, sign_up: SignUp) -> Standing:
    list_ = host.session.get_one(List, sign_up.list_id)
    text = host.session.get(ConsentText, sign_up.consent_text_id) if sign_up.consent_text_id else None
    return Standing(_where(host, sign_up, list_), list_, text.words if text else "", sign_up.locale)


def _where(host: Host, sign_up: SignUp, list_: List) -> Where:
    if sign_up.state == SignUpState.CONFIRMED or _is_confirmed_by_another(host, sign_up):
        return Where.CONFIRMED
    if not list_.active:
        return Where.CLOSED
    over = sign_up.state == SignUpState.EXPIRED or end_of(host, sign_up) <= host.clock()
    return Where.EXPIRED if over else Where.WAITING


def _is_confirmed_by_another(host: Host, sign_up: SignUp) -> bool:
    """Somebody who signed up twice may follow either link."""
    another = exists().where(
        SignUp.address == sign_up.address,
        SignUp.list_id == sign_up.list_id,
        SignUp.state == SignUpState.CONFIRMED.value,
        SignUp.confirmed_at >= sign_up.created_at,
    )
    return bool(host.session.scalar(select(another)))


def _end_others(host: Host, sign_up: SignUp) -> None:
    others = (
        SignUp.address == sign_up.address,
        SignUp.list_id == sign_up.list_id,
        SignUp.id != sign_up.id,
        SignUp.state == SignUpState.WAITING.value,
    )
    ended: dict[str, Any] = {
        "state": SignUpState.EXPIRED.value,
        "due_at": None,
        "values": {},
        "origin": "",
        "network": "",
    }
    changed(host, update(SignUp).where(*others).values(**ended))
