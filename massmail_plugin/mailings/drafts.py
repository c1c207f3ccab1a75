"""A mailing before it is launched: made, changed, copied, deleted. Admin, CLI and hosts enter and commit."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import List, Mailing
from massmail_plugin.portable_sql import changed
from massmail_plugin.vocabulary import MailingKind, MailingState

CHANGEABLE = frozenset(
    {
        "name",
        "template_id",
        "criterion_id",
        "contact_statuses",
        "resend_window",
        "resend_of",
        "sender_id",
        "address_roles",
        "one_per_address",
        "retries",
        "tracking",
        "statuses",
        "from_name",
        "from_address",
        "reply_to",
        "bcc",
        "digest_to",
        "scheduled_at",
    }
)


def create(
    host: Host,
    *,
    name: str,
    contact_source: str,
    by: str,
    list_ids: Iterable[int] = (),
    excluded_list_ids: Iterable[int] = (),
    scheduled_at: datetime | None = None,
    **values: Any,
) -> Mailing:
    """A new draft; `values` are any of CHANGEABLE. Raises BadRequest for an empty name or an unknown list."""
    host.source(contact_source)
    mailing = Mailing(
        name=_named(name),
        contact_source=contact_source,
        kind=MailingKind.ONE_OFF.value,
        state=MailingState.DRAFT.value,
        address_roles=[],
        created_at=host.clock(),
        created_by=by,
        scheduled_at=scheduled_at,
    )
    _assign(mailing, values)
    host.session.add(mailing)
    mailing.lists = _lists(host, list_ids)
    mailing.excluded_lists = _lists(host, excluded_list_ids)
    host.session.flush()
    return mailing


def change(
    host: Host,
    mailing: Mailing,
    *,
    list_ids: Iterable[int] | None = None,
    excluded_list_ids: Iterable[int] | None = None,
    **values: Any,
) -> None:
    """Change a draft. Raises BadRequest once it was launched: what runs is not edited."""
    if not _held(host, mailing):
        raise BadRequest(
            f"“{mailing.name}” is {mailing.state}, so it can no longer be changed. Copy it and change the copy instead."
        )
    _assign(mailing, values)
    if list_ids is not None:
        mailing.lists = _lists(host, list_ids)
    if excluded_list_ids is not None:
        mailing.excluded_lists = _lists(host, excluded_list_ids)
    host.session.flush()


def copy(host: Host, mailing: Mailing, *, by: str) -> Mailing:
    """A new draft with the same choices; for the resend window both are one mailing."""
    values = {name: getattr(mailing, name) for name in CHANGEABLE - {"name", "scheduled_at"}}
    made = create(
        host,
        name=f"Copy of {mailing.name}"[:200],
        contact_source=mailing.contact_source,
        by=by,
        list_ids=[list_.id for list_ in mailing.lists],
        excluded_list_ids=[list_.id for list_ in mailing.excluded_lists],
        **values,
    )
    made.origin_id = mailing.origin_id or mailing.id
    host.session.flush()
    return made


def remove(host: Host, mailing: Mailing) -> None:
    """Delete a draft. Raises BadRequest once it was launched: what people received is kept."""
    if not _held(host, mailing):
        raise BadRequest(f"“{mailing.name}” was launched, so it is kept as the record of what people received.")
    _hand_on_origin(host, mailing)
    host.session.delete(mailing)
    host.session.flush()


def _hand_on_origin(host: Host, mailing: Mailing) -> None:
    """Its copies stay copies of one another: the oldest of them is the origin now."""
    copies = list(host.session.scalars(select(Mailing).where(Mailing.origin_id == mailing.id).order_by(Mailing.id)))
    for one in copies:
        one.origin_id = None if one is copies[0] else copies[0].id
    host.session.flush()


def _held(host: Host, mailing: Mailing) -> bool:
    """Hold the draft for this transaction, so that it cannot be launched while it is changed; False if it was."""
    draft = Mailing.id == mailing.id, Mailing.state == MailingState.DRAFT.value
    held = changed(host, update(Mailing).where(*draft).values(state=MailingState.DRAFT.value)) == 1
    if not held:
        host.session.refresh(mailing)
    return held


def _assign(mailing: Mailing, values: dict[str, Any]) -> None:
    for name, value in values.items():
        if name not in CHANGEABLE:
            raise TypeError(f"A mailing has no changeable field {name!r}")
        setattr(mailing, name, _named(value) if name == "name" else value)


def _named(name: str) -> str:
    if not name.strip():
        raise BadRequest("The mailing needs a name.")
    return name.strip()[:200]


def _lists(host: Host, list_ids: Iterable[int]) -> list[List]:
    wanted = set(list_ids)
    found = list(host.session.scalars(select(List).where(List.id.in_(wanted))))
    if len(found) != len(wanted):
        raise BadRequest("One of the lists is not there any more. Choose the lists again.")
    return found
