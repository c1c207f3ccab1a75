"""What a lane reads and compiles once for each mailing it sends: the letters, and who may get them. Lanes enter."""

from collections.abc import Collection
from dataclasses import dataclass

from massmail_plugin.contracts import Host
from massmail_plugin.models import Mailing
from massmail_plugin.sending.letters import Letters
from massmail_plugin.sending.recipients import Recipients
from massmail_plugin.vocabulary import MailingKind

MOST = 20
"""Desks kept beside those in use: the mailings of a busy host take turns."""


@dataclass(frozen=True)
class Desk:
    """One mailing as its worker needs it."""

    sender_id: int
    letters: Letters
    recipients: Recipients
    kind: MailingKind
    retries: bool


class Desks:
    """Mailing -> its desk, made when it is first asked for."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._made: dict[int, Desk] = {}

    def of(self, mailing_id: int, *, besides: Collection[int] = ()) -> Desk:
        """The desk of a mailing. Those of `besides` are in use and stay whatever room a new one needs.

        Raises MassMailError where the mailing cannot be sent.
        """
        if mailing_id not in self._made:
            if len(self._made) >= MOST:
                self._made = {known: desk for known, desk in self._made.items() if known in besides}
            self._made[mailing_id] = self._new(mailing_id)
        return self._made[mailing_id]

    def _new(self, mailing_id: int) -> Desk:
        mailing = self._host.session.get_one(Mailing, mailing_id)
        letters = Letters(self._host, mailing)
        recipients = Recipients(self._host, mailing, letters)
        return Desk(mailing.sender_id or 0, letters, recipients, MailingKind(mailing.kind), mailing.retries)
