"""Rows of ours as people name them on the command line. The files of the room enter; reads only."""

from typing import TypeVar

from sqlalchemy import select

from massmail_plugin import audience
from massmail_plugin.cli.group import contact_ref
from massmail_plugin.contracts import ContactRef, ContactSource, Host
from massmail_plugin.errors import BadRequest, nearest
from massmail_plugin.models import Criterion, List, Topic

Named = TypeVar("Named", List, Criterion, Topic)


def list_called(host: Host, name: str) -> List:
    """The list of this name or number. Raises BadRequest, with the name that comes nearest."""
    return _called(host, List, name, "list")


def criterion_called(host: Host, name: str) -> Criterion:
    """The saved criterion of this name or number. Raises BadRequest, with the name that comes nearest."""
    return _called(host, Criterion, name, "criterion")


def topic_called(host: Host, name: str) -> Topic:
    """The topic of this name or number. Raises BadRequest, with the name that comes nearest."""
    return _called(host, Topic, name, "topic")


def source_called(host: Host, name: str | None) -> ContactSource:
    """The contact source that --source names, or the only one there is. Raises BadRequest where there are several."""
    if name is None and len(host.sources) > 1:
        raise BadRequest(f"Say which contacts with --source: one of {', '.join(sorted(host.sources))}.")
    return host.source(name or next(iter(host.sources)))


def _called(host: Host, model: type[Named], name: str, noun: str) -> Named:
    found = host.session.scalars(select(model).where(model.name == name)).first()
    if found is None and name.isdecimal() and len(name) < 10:
        found = host.session.get(model, int(name))
    if found is None:
        raise BadRequest(f"There is no {noun} “{name}”. {nearest(name, host.session.scalars(select(model.name)))}")
    return found


def known_contact(host: Host, text: str) -> ContactRef:
    """A contact that the host has: its key, or `source:key`. Raises BadRequest where it has none."""
    ref = contact_ref(host, text)
    if not audience.exists(host, ref):
        raise BadRequest(f"The contact source “{ref.source}” has no contact with the key “{ref.key}”.")
    return ref
