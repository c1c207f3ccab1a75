"""Whatever comes back, late, twice, in any order, through the rooms it really comes through: the same status."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from massmail_plugin import feedback, outcomes
from massmail_plugin.contracts import Hooks
from massmail_plugin.models import Event, EventTally, OutboxMessage, OutcomeReport, Standing, Suppression
from massmail_plugin.outcomes import NewEvent
from massmail_plugin.smtp_status import reply
from massmail_plugin.vocabulary import EventKind, Outcome
from tests.consent.small_host import Person, clock

from .test_delivery import mails
from .test_where_statuses_go import mapped, small_host  # noqa: F401

HARD, SOFT = reply(550, "5.1.1 no such user"), reply(452, "4.2.2 mailbox full")


def hit(kind, reason=""):
    def happen(host, message):
        event = NewEvent(message_id=message.id, kind=kind, at=host.clock(), machine_reason=reason)
        outcomes.keep_events(host, [event])

    return happen


def told_again(host, message):
    """A provider repeats an event."""
    event = NewEvent(
        message_id=message.id, kind=EventKind.CLICK, at=host.clock(), provider="p", provider_event_id=f"e{message.id}"
    )
    outcomes.keep_events(host, [event, event])


HAPPENINGS = {
    "sent": lambda host, message: outcomes.record(host, message.id, Outcome.SENT, at=host.clock()),
    "failed": lambda host, message: outcomes.record(host, message.id, Outcome.FAILED, at=host.clock()),
    "open": hit(EventKind.OPEN),
    "machine": hit(EventKind.CLICK, "scanner"),
    "click": told_again,
    "reply": hit(EventKind.REPLY),
    "delivered": hit(EventKind.DELIVERED),
    "soft": lambda host, message: feedback.bounce(host, message, SOFT),
    "hard": lambda host, message: feedback.bounce(host, message, HARD),
    "complaint": lambda host, message: feedback.complaint(host, message),
    "opt-out": lambda host, message: outcomes.record(host, message.id, Outcome.REMOVED, at=host.clock()),
    "undo": lambda host, message: outcomes.record_undo(host, message.id, at=host.clock()),
}


@pytest.fixture
def host(small_host):  # noqa: F811
    return replace(mapped(small_host), hooks=Hooks())


def status_after(host, ids, order, deliver_after):
    """Play it for the two mailings of one contact; `order` holds (mailing, what)."""
    for table in (EventTally, Event, OutcomeReport, Standing, Suppression):
        host.session.execute(delete(table))
    host.session.execute(update(Person).values(status="new"))
    host.session.commit()
    for number, (mailing, what) in enumerate(order):
        HAPPENINGS[what](host, host.session.get_one(OutboxMessage, ids[mailing]))
        host.session.commit()
        clock(host).tick(seconds=1)
        if number in deliver_after:
            outcomes.deliver(host)
    outcomes.deliver(host)
    return host.session.scalars(select(Person.status).execution_options(populate_existing=True)).one()


def possible(order):
    """Nobody can take back what they did not do: an undo comes after its opt-out."""
    return all((mailing, "opt-out") in order[:place] for place, (mailing, what) in enumerate(order) if what == "undo")


def two_mails_to_one(host):
    (first,) = mails(host, 1)
    (second,) = mails(host, 1)
    message = host.session.get_one(OutboxMessage, second)
    message.contact_key = host.session.get_one(OutboxMessage, first).contact_key
    host.session.query(Person).filter(Person.id != int(message.contact_key)).delete()
    host.session.commit()
    return [first, second]


happenings = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from(sorted(HAPPENINGS))), min_size=2, max_size=5, unique=True
).filter(lambda order: any(map(possible, permutations(order))))


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=happenings, data=st.data())
def test_every_order_ends_in_the_same_status(host, order, data):
    ids = two_mails_to_one(host)
    orders = [one for one in permutations(order) if possible(one)]
    tried = orders if len(orders) <= 8 else data.draw(st.lists(st.sampled_from(orders), min_size=8, max_size=8))
    after = data.draw(st.sets(st.integers(0, 4)))
    assert len({status_after(host, ids, one, after) for one in [orders[0], *tried]}) == 1


FIVE = ["complaint", "delivered", "hard", "soft", "open"]


def test_the_five_of_the_promise_in_all_orders(host):
    """Complaint before delivered, bounce after delivered, soft after hard, open before delivered."""
    few = 12 if host.db.engine.dialect.name == "postgresql" else 1
    ids = two_mails_to_one(host)
    orders = [[(0, what) for what in one] for one in permutations(FIVE)]
    assert {status_after(host, ids, one, {1}) for one in orders[::few]} == {"is_complained"}
    orders = [[(0, what) for what in one] for one in permutations(["delivered", "hard", "soft", "open", "click"])]
    assert {status_after(host, ids, one, {2}) for one in orders[::12]} == {"is_bounced"}


def test_an_opt_out_that_is_taken_back_leaves_what_else_happened(host):
    ids = two_mails_to_one(host)
    what = [(0, "sent"), (0, "opt-out"), (0, "click"), (0, "undo")]
    orders = [one for one in permutations(what) if possible(one)]
    assert {status_after(host, ids, one, {0, 2}) for one in orders} == {"is_clicked"}
