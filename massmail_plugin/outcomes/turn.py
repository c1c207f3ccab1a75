"""The right to do one duty of the delivery: one process at a time, for a bounded time. Commits by itself."""

from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from massmail_plugin import leases
from massmail_plugin.contracts import Host

LEASE_SPAN = timedelta(seconds=90)
LEASE_SECONDS = LEASE_SPAN.total_seconds()

Hand = Callable[[int], None]
"""Told which report is with the host's own code right now, and 0 afterwards: such code may hang, or end the process."""


class Turn:
    """`with Turn(host, "hooks", end) as turn: while turn.may_go_on(): ...`; only within `turn.held` is it ours.

    One process at a time, so that a contact's reports arrive in their order.
    """

    def __init__(self, host: Host, duty: str, end: datetime, stopping: Callable[[], bool], hand: Hand) -> None:
        self.hand = hand
        self.held = False
        self._host = host
        self._duty = duty
        self._end = end
        self._stopping = stopping
        self._renew_at = host.clock()

    def __enter__(self) -> Self:
        self.held = leases.take(self._host, self._duty, seconds=LEASE_SECONDS)
        self._renew_at = self._host.clock() + LEASE_SPAN / 3
        return self

    def may_go_on(self) -> bool:
        """Time is left, and the lease is still ours; it is renewed long before it ends. Commits where it renews."""
        now = self._host.clock()
        if not self.held or now >= self._end or self._stopping():
            return False
        if now >= self._renew_at:
            self.held = leases.take(self._host, self._duty, seconds=LEASE_SECONDS)
            self._renew_at = now + LEASE_SPAN / 3
        return self.held

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._host.session.rollback()
        if self.held:
            leases.give_back(self._host, self._duty)
