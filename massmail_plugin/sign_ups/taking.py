"""A filled-in form becomes a sign-up: bounded by network and address, with the words that were agreed to. Flushes only.

Whatever is known of the address, the same is done and the same is answered.
"""

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

from sqlalchemy import ColumnElement, func, select

from massmail_plugin import consent
from massmail_plugin.contracts import Host
from massmail_plugin.models import ConsentText, List, SignUp
from massmail_plugin.sign_ups.asking import ask
from massmail_plugin.sign_ups.entries import Entry
from massmail_plugin.sign_ups.form import Form
from massmail_plugin.vocabulary import SignUpState

PER_ADDRESS = 3
"""Sign-ups of one address in a day that bring it a mail."""
PRESSED_TWICE = timedelta(minutes=10)


class Taken(Enum):
    """What the page says: THANKS whatever was known of the address, TOO_MANY where the network has sent too many."""

    THANKS = auto()
    TOO_MANY = auto()


@dataclass(frozen=True)
class Visitor:
    """Who fills in a form or confirms: network address and program, as far as they can be told."""

    address: str
    program: str

    @property
    def origin(self) -> str:
        """For the record."""
        return f"{self.address} {self.program}".strip()[:300]

    @property
    def network(self) -> str:
        """What one visitor cannot easily change: an IPv4 address, the first half of an IPv6 one."""
        try:
            found = ipaddress.ip_address(self.address)
        except ValueError:
            return self.address[:64]
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
            return str(ipaddress.ip_network((found, 64), strict=False))
        return str(getattr(found, "ipv4_mapped", None) or found)


def take(host: Host, form: Form, entry: Entry, visitor: Visitor) -> Taken:
    """Store what a faultless `entry` says, and ask by mail whether it was meant, where the list wants that."""
    list_ = host.session.scalars(select(List).where(List.id == form.list_id).with_for_update(key_share=True)).one()
    address, now = consent.normalised(entry.address), host.clock()
    if _is_repeated(host, list_, address, entry):
        return Taken.THANKS
    if _are_too_many(host, visitor.network):
        return Taken.TOO_MANY
    if _count(host, SignUp.address == address, since=timedelta(days=1)) >= PER_ADDRESS:
        return Taken.THANKS
    sign_up = SignUp(
        list_id=list_.id,
        address=address,
        state=SignUpState.WAITING.value,
        values=dict(entry.answers),
        locale=form.language,
        consent_text_id=consent_text(host, list_, form.language, form.words).id,
        origin=visitor.origin,
        network=visitor.network,
        created_at=now,
        due_at=now,
    )
    host.session.add(sign_up)
    host.session.flush()
    if list_.double_opt_in:
        ask(host, sign_up)
    return Taken.THANKS


def consent_text(host: Host, list_: List, language: str, words: str) -> ConsentText:
    """The version of a list's words that reads so, made when somebody first agrees to it. The caller holds the list."""
    of_list = ConsentText.list_id == list_.id, ConsentText.locale == language
    query = select(ConsentText).where(*of_list).order_by(ConsentText.number.desc())
    newest = host.session.scalars(query.limit(1)).first()
    if newest is not None and newest.words == words:
        return newest
    number = newest.number + 1 if newest else 1
    made = ConsentText(list_id=list_.id, locale=language, number=number, words=words, created_at=host.clock())
    host.session.add(made)
    host.session.flush()
    return made


def _is_repeated(host: Host, list_: List, address: str, entry: Entry) -> bool:
    """Somebody pressed the button twice, or loaded the answer again."""
    query = select(SignUp).where(
        SignUp.address == address,
        SignUp.created_at > host.clock() - PRESSED_TWICE,
        SignUp.list_id == list_.id,
        SignUp.state == SignUpState.WAITING.value,
    )
    return any(found.values == dict(entry.answers) for found in host.session.scalars(query))


def _are_too_many(host: Host, network: str) -> bool:
    most = host.config.sign_ups_per_hour
    return 0 < most <= _count(host, SignUp.network == network, since=timedelta(hours=1))


def _count(host: Host, which: ColumnElement[bool], *, since: timedelta) -> int:
    query = select(func.count()).select_from(SignUp).where(which, SignUp.created_at > host.clock() - since)
    return host.session.scalar(query) or 0
