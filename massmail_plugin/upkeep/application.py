"""Checks of what the host declared and people set up: keys, senders, contacts, statuses. The doctor enters."""

from collections.abc import Iterator

from flask import current_app
from sqlalchemy import select

from massmail_plugin.consent.stops.address_hashes import no_key_finds
from massmail_plugin.contact_fields import register
from massmail_plugin.contracts import Host
from massmail_plugin.errors import SecretUnreadable, SetupError
from massmail_plugin.models import Sender, Template
from massmail_plugin.upkeep.check import Check, fail, ok, warning


def secret_keys(host: Host) -> Iterator[Check]:
    """Every stored password can be read with the keys there are, and every stop of an erased address still holds."""
    if no_key_finds(host):
        yield fail(
            "secret keys",
            "Stops of erased addresses were made with a key that MASSMAIL_SECRET_KEYS has no more: mail may go there.",
            "Put that key back at the end of the list, and keep it there.",
        )
    found = host.session.execute(select(Sender.id, Sender.name).where(Sender.secret.is_not(None)).order_by(Sender.name))
    unreadable = [name for number, name in found if not _readable(host, number)]
    if unreadable:
        yield fail(
            "secret keys",
            f"The password of {_named(unreadable)} cannot be read with MASSMAIL_SECRET_KEYS.",
            "Put the key it was saved with back into the list, or enter the password again.",
        )
    else:
        number = len(host.config.secret_keys)
        yield ok("secret keys", f"{number} {'key' if number == 1 else 'keys'}; every stored password can be read.")


def _readable(host: Host, sender_id: int) -> bool:
    try:
        host.session.scalar(select(Sender.secret).where(Sender.id == sender_id))
    except SecretUnreadable:
        return False
    return True


def senders(host: Host) -> Iterator[Check]:
    """There is a sender, and each passed its test and works."""
    found = host.session.execute(select(Sender.name, Sender.tested_at, Sender.fault).order_by(Sender.name)).all()
    if not found:
        yield fail("senders", "There is no sender, so nothing can be sent.", "Add one under Senders and press Test.")
        return
    untested = [name for name, tested_at, _ in found if tested_at is None]
    faulty = [name for name, _, fault in found if fault]
    if untested:
        yield warning(
            "senders", f"{_named(untested)} has not passed its test.", "Open it under Senders and press Test."
        )
    if faulty:
        yield warning("senders", f"Sending through {_named(faulty)} is held.", "Open it under Senders; it says why.")
    if not untested and not faulty:
        yield ok("senders", f"{_named([name for name, *_ in found])}: tested, no fault.")


def signatures(host: Host) -> Iterator[Check]:
    """A DKIM signature counts for DMARC only where its domain is aligned with the From address (RFC 7489, 3.1.1)."""
    signed = Sender.dkim_domain != ""
    own = select(Sender.name, Sender.dkim_domain, Sender.from_address).where(signed)
    of_templates = (
        select(Sender.name, Sender.dkim_domain, Template.from_address)
        .join(Template, Template.sender_id == Sender.id)
        .where(signed, Template.from_address != "")
    )
    found = host.session.execute(own.union(of_templates).order_by("name")).all()
    apart = [(name, domain, address) for name, domain, address in found if not _aligned(domain, address)]
    for name, domain, address in apart:
        yield warning(
            "signatures",
            f"“{name}” signs for {domain}, but mails go out from {address}: receivers do not count the signature.",
            "Sign for the domain of the From address, or write from an address of the domain signed for.",
        )
    if found and not apart:
        yield ok("signatures", "Every signature is for the domain of its From address.")


def _aligned(signed: str, address: str) -> bool:
    """Relaxed alignment, as far as one can tell without a list of public suffixes: the same domain, or one below."""
    domain, signed = f".{address.rpartition('@')[2].lower()}", f".{signed.lower()}"
    return domain.endswith(signed) or signed.endswith(domain)


def contacts(host: Host) -> Iterator[Check]:
    """The columns the host registered can be read."""
    for name, source in host.sources.items():
        fields = register(source)
        columns = [fields.key_column, *(address.column for address in fields.addresses)]
        columns += [column for column in (source.name, source.active, source.status) if column is not None]
        there = host.session.execute(select(*columns).limit(1)).first()
        if there is None:
            yield warning("contacts", f"The contact source “{name}” is empty.", "Add contacts in the application.")
        else:
            yield ok("contacts", f"The contact source “{name}” can be read.")


def statuses(host: Host) -> Iterator[Check]:
    """Every status of the mapping is known to the host."""
    known = set(host.statuses.known())
    try:
        host.statuses.check()
    except SetupError as error:
        yield fail("statuses", str(error), "Add the status in the application, or name another one in StatusMapping.")
        return
    mapped = ", ".join(f"{outcome} → {status}" for outcome, status in host.statuses.statuses.items())
    yield ok("statuses", f"{len(known)} known; {mapped or 'none mapped'}.")


def permissions(host: Host) -> Iterator[Check]:
    """Somebody may enter."""
    if host.hooks.may is None:
        yield warning(
            "permissions",
            "The host has no permission function, so every screen of the plugin stays closed.",
            "Write one: @massmail.may and def may(user, act, subject) -> bool.",
        )
    elif getattr(current_app, "login_manager", None) is None:
        yield warning(
            "permissions",
            "Flask-Login is not set up in the host, so nobody is logged in and every screen stays closed.",
            "Set it up: LoginManager(app), with a user_loader.",
        )
    else:
        yield ok("permissions", "The host's function decides who may do what.")


def _named(names: list[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)
