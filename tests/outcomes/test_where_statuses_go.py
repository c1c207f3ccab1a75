"""The mapped status goes to the contact, to its membership, or to both; a removal can be taken back."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from massmail_plugin import outcomes
from massmail_plugin.contracts import StatusMapping
from massmail_plugin.models import Campaign, Chunk, Enrolment, Mailing, OutboxMessage, OutcomeReport, Subscription
from massmail_plugin.vocabulary import MailingState, Outcome
from tests.consent.small_host import Person, add_list, add_person, running_host

STATUSES = {outcome: f"is_{outcome.value}" for outcome in Outcome}


@pytest.fixture
def small_host(database_url):
    with running_host(database_url) as host:
        yield host


def mapped(host, **options):
    return replace(host, statuses=StatusMapping(STATUSES, known=STATUSES.values, **options))


def mail(host, *, status="new", template_statuses=None):
    """A contact on a list who was sent a mailing; the row of that mail."""
    ref = add_person(host, "a@example.org", status=status)
    news = host.session.scalars(select(Subscription)).first() or add_list(host)
    list_id = getattr(news, "list_id", None) or news.id
    now = host.clock()
    host.session.add(Subscription(list_id=list_id, contact_source="person", contact_key=ref.key, since=now))
    mailing = Mailing(
        name="N", state=MailingState.SENDING.value, contact_source="person", address_roles=[], created_at=now,
        statuses=template_statuses,
    )  # fmt: skip
    host.session.add(mailing)
    host.session.flush()
    message = OutboxMessage(
        mailing_id=mailing.id, chunk=0, contact_source="person", contact_key=ref.key, address_role="main",
        address="a@example.org", list_id=list_id,
    )  # fmt: skip
    host.session.add_all([message, Chunk(mailing_id=mailing.id, number=0)])
    host.session.commit()
    return message


def happens(host, message, *what):
    for outcome in what:
        outcomes.record(host, message.id, outcome, at=host.clock())
        host.session.commit()
        outcomes.deliver(host)


def of_contact(host, message):
    return host.session.get_one(Person, int(message.contact_key), populate_existing=True).status


def of_membership(host, message):
    query = select(Subscription.status).where(Subscription.contact_key == message.contact_key)
    return host.session.scalar(query)


@pytest.mark.parametrize(
    ("target", "contact", "membership"),
    [("contact", "is_read", None), ("membership", "new", "is_read"), ("both", "is_read", "is_read")],
)
def test_the_target_says_whose_status_it_is(small_host, target, contact, membership):
    host = mapped(small_host, target=target)
    message = mail(host)
    happens(host, message, Outcome.READ, Outcome.SENT)
    assert (of_contact(host, message), of_membership(host, message)) == (contact, membership)


def test_the_status_of_a_membership_in_a_campaign_is_its_own(small_host):
    host = mapped(small_host, target="membership")
    message = mail(host)
    now = host.clock()
    series = Campaign(name="Welcome", contact_source="person", created_at=now)
    host.session.add(series)
    host.session.flush()
    host.session.get_one(Mailing, message.mailing_id).campaign_id = series.id
    who = {"contact_source": "person", "entered_at": now}
    inside = Enrolment(campaign_id=series.id, contact_key=message.contact_key, **who)
    other = Enrolment(campaign_id=series.id, contact_key="999", **who)
    host.session.add_all([inside, other])
    host.session.commit()
    happens(host, message, Outcome.CLICKED, Outcome.SENT)
    host.session.expire_all()
    assert (inside.status, other.status, of_membership(host, message)) == ("is_clicked", None, "is_clicked")
    assert of_contact(host, message) == "new"


def test_an_outcome_is_reported_once(small_host):
    host = mapped(small_host)
    message = mail(host)
    assert outcomes.record(host, message.id, Outcome.READ, at=host.clock())
    assert not outcomes.record(host, message.id, Outcome.READ, at=host.clock())


def test_a_mailing_may_map_an_outcome_otherwise_or_leave_it(small_host):
    host = mapped(small_host)
    message = mail(host, template_statuses={"read": "special", "sent": None})
    happens(host, message, Outcome.SENT)
    assert of_contact(host, message) == "new"
    happens(host, message, Outcome.READ)
    assert of_contact(host, message) == "special"


def test_taking_a_removal_back_restores_the_status_and_it_can_be_renewed(small_host):
    host = mapped(small_host, target="both")
    message = mail(host)
    happens(host, message, Outcome.READ, Outcome.REMOVED)
    assert outcomes.record_undo(host, message.id, at=host.clock())
    assert not outcomes.record_undo(host, message.id, at=host.clock())
    host.session.commit()
    outcomes.deliver(host)
    assert (of_contact(host, message), of_membership(host, message)) == ("is_read", "is_read")
    happens(host, message, Outcome.REMOVED)
    assert of_contact(host, message) == "is_removed"
    turns = host.session.scalars(select(OutcomeReport.turn).where(OutcomeReport.outcome == Outcome.REMOVED.value))
    assert sorted(turns) == [0, 1, 2]


def test_a_hook_sets_the_status_its_own_way(small_host):
    host = mapped(small_host)
    facts = []
    host.hooks.set_status = facts.append
    message = mail(host)
    happens(host, message, Outcome.CLICKED)
    assert [(fact.old, fact.new, fact.outcome.address) for fact in facts] == [("new", "is_clicked", "a@example.org")]
    assert of_contact(host, message) == "new"


def test_a_hook_that_cannot_set_the_status_is_asked_again_and_stops_nobody(small_host):
    host = mapped(small_host)
    one, two = mail(host), mail(host)

    def hook(fact):
        if fact.contact.key == one.contact_key:
            raise LookupError("no such status")

    host.hooks.set_status = hook
    happens(host, one, Outcome.READ)
    happens(host, two, Outcome.READ)
    query = select(OutcomeReport.state, OutcomeReport.attempts).order_by(OutcomeReport.id)
    assert host.session.execute(query).all() == [("waiting", 1), ("delivered", 0)]
    assert "no such status" in host.session.scalars(select(OutcomeReport.problem)).first()
    assert outcomes.retry_now(host) == 1


def test_a_contact_who_is_gone_keeps_nothing_waiting(small_host):
    host = mapped(small_host)
    message = mail(host)
    host.session.delete(host.session.get_one(Person, int(message.contact_key)))
    host.session.commit()
    happens(host, message, Outcome.READ)
    assert host.session.scalars(select(OutcomeReport.state)).all() == ["delivered"]
