"""For the tests of host authors: a clock to turn, and jobs that run in the test's own process until nothing is left.

>>> clock = TurnableClock()
>>> massmail = MassMail(..., clock=clock)
>>> run_jobs(app)
"""

from datetime import UTC, datetime, timedelta

from flask import Flask

from massmail_plugin import feedback, mailings, outcomes
from massmail_plugin.contracts import Host
from massmail_plugin.jobs.scheduler import tick
from massmail_plugin.sending import run_lane

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class TurnableClock:
    """A clock that stands still until it is turned; pass it to `MassMail(clock=...)`."""

    __test__ = False

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **span: float) -> None:
        """Move on by `timedelta(**span)`, such as `turn(days=7)`."""
        self.now += timedelta(**span)


def run_jobs(app: Flask, *, rounds: int = 100) -> int:
    """Do what scheduler and workers would do now, until nothing is due; the number of messages settled.

    With a clock that stands still, `rounds` bounds the work: each round is one tick.
    """
    host: Host = app.extensions["massmail"]
    settled = 0
    with app.app_context():
        for _ in range(rounds):
            tick(host)
            feedback.drain(host, wait=timedelta(0))
            filled = mailings.fill_launched(host)
            lane = run_lane(host, seconds=30)
            told = outcomes.deliver(host)
            settled += lane.settled
            if not (filled or lane.settled or told):
                return settled
    return settled
