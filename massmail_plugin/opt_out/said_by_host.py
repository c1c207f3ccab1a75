"""What the host says of a contact's wishes: its own flag for all mail, or for one kind of it. The host commits."""

from typing import Any

from sqlalchemy import select

from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.wishes.telling import is_echo
from massmail_plugin.consent.wishes.withdrawal import take_back, withdraw
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import BadRequest, nearest
from massmail_plugin.models import List, Topic
from massmail_plugin.vocabulary import ConsentWay


def from_host(
    host: Host,
    contact: ContactRef,
    *,
    wants_mail: bool,
    list_: int | str | None = None,
    topic: int | str | None = None,
    by: str = "",
) -> bool:
    """The host's flag of a contact changed: for a list or a topic (id or name), else for every mailing.

    True where that was news here. An opt-out from everything outlives a flag for one kind of mail. Nothing happens
    while the host is being told of this very contact: it would be our own word coming back. Raises BadRequest for an
    unknown list or topic or where both are named, SetupError for an unknown source.
    """
    host.source(contact.source)
    if list_ is not None and topic is not None:
        raise BadRequest("preference_changed takes a list or a topic, not both.")
    if is_echo(contact):
        return False
    proof = Proof(ConsentWay.HOST, evidence=f"Set in the host application{f' by {by}' if by else ''}", by=by)
    list_ids = None if list_ is None else [_id(host, List, "list", list_)]
    topic_id = None if topic is None else _id(host, Topic, "topic", topic)
    if wants_mail:
        return take_back(host, contact, list_ids=list_ids, topic_id=topic_id, proof=proof)
    return withdraw(host, contact, list_ids=list_ids, topic_id=topic_id, proof=proof).changed


def _id(host: Host, model: Any, what: str, given: int | str) -> int:
    known = {name: number for number, name in host.session.execute(select(model.id, model.name))}
    if isinstance(given, str) and given in known:
        return int(known[given])
    if given in known.values():
        return int(given)
    raise BadRequest(f"There is no {what} “{given}”. {nearest(str(given), known)}")
