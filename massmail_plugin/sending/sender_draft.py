"""What a person entered for a sender, and what speaks against it. The room of senders enters; nothing is written."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from sqlalchemy import select

from massmail_plugin.channels.dkim_keys import checked_domain, checked_selector, ed25519_key, rsa_key
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest, nearest
from massmail_plugin.models import Sender
from massmail_plugin.signed_links import checked_return_path
from massmail_plugin.vocabulary import Security, UncertainPolicy

RANGES = {
    "connections": (1, 500),
    "per_window": (1, 10_000_000),
    "window_seconds": (1, 31 * 86_400),
    "seconds_between": (0, 86_400),
    "per_day": (1, 100_000_000),
    "ramp_first": (1, 1_000_000),
}
SECRETS = ("secret", "dkim_key", "dkim_ed_key")
ENTER_AGAIN = "Enter the password again: it is kept for the server it was entered for, and for no other."
Problems = Iterator[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class DomainLimit:
    """At most `per_window` mails to one recipient domain in any stretch of `window_seconds`."""

    domain: str
    per_window: int
    window_seconds: int


@dataclass(frozen=True, kw_only=True)
class SenderDraft:
    """What a person entered; the fields are those of models.Sender.

    Of `secret`, `dkim_key` and `dkim_ed_key` (PEM), None keeps what is stored and "" drops it. An empty `dkim_domain`
    drops both keys, an empty `dkim_ed_selector` the second one.
    """

    name: str
    provider: str = "smtp"
    host: str
    port: int
    security: str
    auth: str
    username: str
    from_name: str
    from_address: str
    reply_to: str = ""
    bcc: str = ""
    return_path: str = ""
    opt_out_address: str = ""
    events_by: str = ""
    secret: str | None = field(default=None, repr=False)
    connections: int = 10
    per_window: int | None = None
    window_seconds: int = 3600
    seconds_between: float = 0.0
    per_day: int | None = None
    spreads_day: bool = False
    ramp_from: date | None = None
    ramp_first: int | None = None
    domain_limits: tuple[DomainLimit, ...] = ()
    spill_to_id: int | None = None
    uncertain_policy: str = UncertainPolicy.LEAVE
    dkim_domain: str = ""
    dkim_selector: str = ""
    dkim_key: str | None = field(default=None, repr=False)
    dkim_ed_selector: str = ""
    dkim_ed_key: str | None = field(default=None, repr=False)


def tidied(draft: SenderDraft) -> SenderDraft:
    """The draft as it is kept: domains in ASCII, no selector without a domain, no key without its selector.

    For a draft without problems.
    """
    limits = tuple(replace(limit, domain=checked_domain(limit.domain)) for limit in draft.domain_limits)
    draft = replace(draft, domain_limits=limits)
    if not draft.dkim_domain:
        return replace(draft, dkim_selector="", dkim_key="", dkim_ed_selector="", dkim_ed_key="")
    return replace(
        draft,
        dkim_domain=checked_domain(draft.dkim_domain),
        dkim_selector=draft.dkim_selector.lower(),
        dkim_ed_selector=draft.dkim_ed_selector.lower(),
        dkim_ed_key=draft.dkim_ed_key if draft.dkim_ed_selector else "",
    )


def stored_secrets(host: Host, sender: Sender | None) -> frozenset[str]:
    """The names (of SECRETS) under which something is stored; nothing is decrypted."""
    if sender is None or sender.id is None:
        return frozenset()
    query = select(*(getattr(Sender, name).is_not(None) for name in SECRETS)).where(Sender.id == sender.id)
    return frozenset(name for name, there in zip(SECRETS, host.session.execute(query).one(), strict=True) if there)


def problems(host: Host, sender: Sender | None, draft: SenderDraft) -> dict[str, str]:
    """What keeps the draft from being saved, in words, by the field to change. `sender` is what is changed, if any."""
    stored = stored_secrets(host, sender)
    found = [
        *_account(host, sender, draft, stored),
        *_limits(draft),
        *_spill_over(host, sender, draft),
        *_signature(draft, stored),
    ]
    return dict(reversed(found))


def name_taken(host: Host, name: str, but: Sender | None) -> bool:
    """Whether another sender has this name."""
    found = host.session.scalar(select(Sender.id).where(Sender.name == name))
    return found is not None and (but is None or found != but.id)


def _account(host: Host, sender: Sender | None, draft: SenderDraft, stored: frozenset[str]) -> Problems:
    if name_taken(host, draft.name, sender):
        yield "name", f"There is a sender called “{draft.name}” already."
    if draft.provider not in host.providers:
        yield "provider", f"There is no provider “{draft.provider}”. {nearest(draft.provider, host.providers)}"
    if sender is not None and "secret" in stored and draft.secret is None and _leaves(sender, draft):
        yield "secret", ENTER_AGAIN
    if draft.auth == "xoauth2" and not draft.username:
        yield "username", "XOAUTH2 needs the user name the access token was made for."
    if draft.uncertain_policy not in list(UncertainPolicy):
        yield "uncertain_policy", "Choose what becomes of these mails."
    yield from _refused("return_path", checked_return_path, draft.return_path)
    yield from _refused("opt_out_address", checked_return_path, draft.opt_out_address)
    if draft.events_by and draft.events_by not in host.event_readers:
        yield "events_by", "This provider is not known here any more. Choose another one, or none."


def _leaves(sender: Sender, draft: SenderDraft) -> bool:
    """True where a stored password would go to another server, or in clear: who changes that must know it."""
    elsewhere = sender.host.lower() != draft.host.lower() or sender.provider != draft.provider
    return elsewhere or (draft.security == Security.NONE and sender.security != Security.NONE)


def _limits(draft: SenderDraft) -> Problems:
    for name, (least, most) in RANGES.items():
        value = getattr(draft, name)
        if value is not None and not least <= value <= most:
            yield name, f"This is between {least:,} and {most:,}."
    if draft.ramp_from is None and draft.ramp_first is not None:
        yield "ramp_from", "Say on which day the warm-up begins, or leave its first number empty too."
    if draft.ramp_from is not None and draft.ramp_first is None:
        yield "ramp_first", "Say how many mails may leave on the first day, or leave the date empty too."
    if draft.spreads_day and not _has_quota(draft):
        yield "per_day", "Say how many mails a day are to be spread."
    yield from _domain_limits(draft)


def _domain_limits(draft: SenderDraft) -> Problems:
    names = []
    for limit in draft.domain_limits:
        for name in ("per_window", "window_seconds"):
            least, most = RANGES[name]
            if not least <= getattr(limit, name) <= most:
                yield "domain_limits", f"{limit.domain}: this is between {least:,} and {most:,}."
        try:
            names.append(checked_domain(limit.domain))
        except BadRequest as error:
            yield "domain_limits", str(error)
    for name, times in Counter(names).items():
        if times > 1:
            yield "domain_limits", f"There are {times} lines for {name}. Keep one."


def _has_quota(draft: SenderDraft) -> bool:
    return draft.per_day is not None or draft.ramp_first is not None


def _spill_over(host: Host, sender: Sender | None, draft: SenderDraft) -> Problems:
    if draft.spill_to_id is None:
        return
    if not _has_quota(draft):
        yield "per_day", "Say how many mails a day leave through this sender before the other one carries on."
    own = sender.id if sender else None
    ways = {row.id: row.spill_to_id for row in host.session.execute(select(Sender.id, Sender.spill_to_id))}
    if draft.spill_to_id not in ways:
        yield "spill_to_id", "This sender does not exist any more. Choose another one."
    passed: list[int | None] = [own]
    following: int | None = draft.spill_to_id
    while following is not None and following not in passed:
        passed.append(following)
        following = ways.get(following)
    if own is not None and following == own:
        yield "spill_to_id", _circle(host, passed)


def _circle(host: Host, passed: list[int | None]) -> str:
    if len(passed) == 1:
        return "A sender cannot carry on for itself. Choose another one."
    query = select(Sender.id, Sender.name).where(Sender.id.in_(passed))
    names = {row.id: row.name for row in host.session.execute(query)}
    way = " → ".join(f"“{names[number]}”" for number in passed[1:] if number is not None)
    return f"This leads in a circle: {way} → back to this sender. Choose another one."


def _signature(draft: SenderDraft, stored: frozenset[str]) -> Problems:
    if not draft.dkim_domain:
        if draft.dkim_key or draft.dkim_ed_key:
            yield "dkim_domain", "Say for which domain the key signs, such as example.org."
        return
    yield from _refused("dkim_domain", checked_domain, draft.dkim_domain)
    if draft.dkim_selector:
        yield from _refused("dkim_selector", checked_selector, draft.dkim_selector)
    else:
        yield "dkim_selector", "Name the key, such as news1. Its record stands in DNS under this name."
    if draft.dkim_key:
        yield from _refused("dkim_key", rsa_key, draft.dkim_key)
    elif draft.dkim_key == "" or "dkim_key" not in stored:
        yield "dkim_key", "An RSA key is needed to sign; an Ed25519 key comes besides, never alone."
    yield from _second_signature(draft, stored)


def _second_signature(draft: SenderDraft, stored: frozenset[str]) -> Problems:
    if draft.dkim_ed_key:
        yield from _refused("dkim_ed_key", ed25519_key, draft.dkim_ed_key)
        if not draft.dkim_ed_selector:
            yield "dkim_ed_selector", "The Ed25519 key needs a selector of its own."
    if not draft.dkim_ed_selector:
        return
    yield from _refused("dkim_ed_selector", checked_selector, draft.dkim_ed_selector)
    if draft.dkim_ed_selector.lower() == draft.dkim_selector.lower():
        yield "dkim_ed_selector", "Each key needs a selector of its own: one record in DNS holds one key."
    if not draft.dkim_ed_key and (draft.dkim_ed_key == "" or "dkim_ed_key" not in stored):
        yield "dkim_ed_key", "Paste the Ed25519 key, or leave its selector empty."


def _refused(field: str, check: Callable[[str], object], value: str) -> Problems:
    try:
        check(value)
    except BadRequest as error:
        yield field, str(error)
