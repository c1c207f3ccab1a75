"""Uncertain mails: who decides, what each decision does, and that nothing is ever decided twice."""

import pytest
from sqlalchemy import select, update

from massmail_plugin import mailings, outbox
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Chunk, Mailing, OutboxMessage, Sender
from massmail_plugin.outbox import decide
from massmail_plugin.vocabulary import MailingState, MessageState, UncertainPolicy
from tests.mailings.conftest import World

EVIDENCE = "No answer came."


def uncertain(world: World, mailing: Mailing, *positions: int, reason: str = "") -> list[int]:
    """Makes messages of a mailing uncertain, as recovery does; their ids."""
    own = OutboxMessage.mailing_id == mailing.id
    ids = list(world.host.session.scalars(select(OutboxMessage.id).where(own).order_by(OutboxMessage.id)))
    wanted = [ids[position] for position in positions]
    values = {"state": "uncertain", "reason": reason, "attempts": 1, "due_at": None, "reply_text": EVIDENCE}
    world.host.session.execute(update(OutboxMessage).where(OutboxMessage.id.in_(wanted)).values(**values))
    others = own, OutboxMessage.id.not_in(wanted), OutboxMessage.state == "planned"
    world.host.session.execute(update(OutboxMessage).where(*others).values(state="sent", due_at=None))
    outbox.recount(world.host, mailing.id)
    outbox.finish_if_done(world.host, mailing.id)
    world.host.session.commit()
    return wanted


def states(world: World) -> dict[int, tuple[str, str]]:
    rows = world.host.session.execute(select(OutboxMessage.id, OutboxMessage.state, OutboxMessage.reason))
    return {number: (state, reason) for number, state, reason in rows}


def counters_are_right(world: World, mailing: Mailing) -> None:
    counted = outbox.counts(world.host, mailing.id)
    outbox.recount(world.host, mailing.id)
    assert outbox.counts(world.host, mailing.id) == counted


def test_sent_again_they_wait_once_more_and_the_finished_mailing_is_open(world: World) -> None:
    mailing = world.running(7)
    first, second, third = uncertain(world, mailing, 0, 3, 6)
    assert world.state(mailing) == MailingState.FINISHED
    assert mailings.undecided(world.host, mailing) == 3
    assert mailings.resend_uncertain(world.host, mailing, by="ada", ids=[first, third]) == 2
    world.host.session.commit()
    assert world.state(mailing) == MailingState.SENDING
    found = states(world)
    assert [found[number][0] for number in (first, second, third)] == ["planned", "uncertain", "planned"]
    row = world.host.session.get_one(OutboxMessage, first)
    assert (row.attempts, row.due_at, row.handed_at) == (1, world.host.clock(), None)
    assert row.reply_text == f"{EVIDENCE} Sent again by ada on 1 Mar 2027 at 09:00 UTC."
    assert outbox.next_due(world.host, mailing.id) == world.host.clock()
    counters_are_right(world, mailing)
    assert "send" in world.woken


def test_left_they_stay_as_they_are_and_nobody_is_asked_again(world: World) -> None:
    mailing = world.running(4)
    ids = uncertain(world, mailing, 1, 2)
    assert mailings.leave_uncertain(world.host, mailing, by="ada") == 2
    world.host.session.commit()
    assert [states(world)[number] for number in ids] == [("uncertain", "left")] * 2
    assert mailings.undecided(world.host, mailing) == 0
    assert mailings.open_questions(world.host) == []
    assert mailings.uncertain_mails(world.host) == []
    one, _ = mailings.uncertain_mails(world.host, mailing, decided=True)
    assert one.decided
    assert one.message.reply_text.endswith("Left as it is by ada on 1 Mar 2027 at 09:00 UTC.")
    assert world.state(mailing) == MailingState.FINISHED
    for decision in (mailings.leave_uncertain, mailings.resend_uncertain):
        with pytest.raises(BadRequest, match="somebody may have made it"):
            decision(world.host, mailing, by="ben")
        world.host.session.rollback()


def test_of_two_decisions_the_first_counts(world: World) -> None:
    mailing = world.running(3)
    (one,) = uncertain(world, mailing, 0)
    assert decide.resend(world.host, mailing.id, by="ada", ids=[one]) == 1
    assert decide.resend(world.host, mailing.id, by="ben", ids=[one]) == 0
    assert decide.leave(world.host, mailing.id, by="ben") == 0
    assert states(world)[one] == ("planned", "resent")


def test_nothing_but_uncertain_mails_of_this_mailing_is_touched(world: World) -> None:
    mailing, other = world.running(3), world.running(3)
    (one,) = uncertain(world, mailing, 0)
    before = states(world)
    assert decide.resend(world.host, mailing.id, by="ada", ids=list(before)) == 1
    assert {n: s for n, s in states(world).items() if s != before[n]} == {one: ("planned", "resent")}
    counters_are_right(world, other)


def test_of_a_cancelled_mailing_nothing_is_sent_again(world: World) -> None:
    mailing = world.running(3)
    uncertain(world, mailing, 0)
    world.set_state(mailing, MailingState.CANCELLED)
    with pytest.raises(BadRequest, match="cancelled"):
        mailings.resend_uncertain(world.host, mailing, by="ada")
    assert decide.resend(world.host, mailing.id, by="ada") == 0
    assert mailings.leave_uncertain(world.host, mailing, by="ada") == 1


def test_each_is_shown_with_its_contact_its_sender_and_what_is_known(world: World) -> None:
    mailing = world.running(60)
    uncertain(world, mailing, *range(55))
    page = mailings.uncertain_mails(world.host, limit=50)
    assert len(page) == 50
    rest = mailings.uncertain_mails(world.host, mailing, after_id=page[-1].message.id)
    assert len(rest) == 5
    last = rest[-1]
    assert (last.name, last.sender_name) == (f"Member {last.contact.key}", "Post")
    assert last.message.reply_text == EVIDENCE
    assert [(found.id, number) for found, number in mailings.open_questions(world.host)] == [(mailing.id, 55)]


# --- the setting of the sender ---


def policy(world: World, wanted: UncertainPolicy) -> None:
    world.host.session.execute(update(Sender).values(uncertain_policy=wanted.value))
    world.host.session.commit()


def test_by_default_nothing_is_sent_again_by_itself(world: World) -> None:
    uncertain(world, world.running(3), 0)
    assert decide.apply_policy(world.host) == 0


def test_a_sender_that_says_so_sends_each_again_once(world: World) -> None:
    mailing = world.running(4)
    policy(world, UncertainPolicy.RESEND)
    one, two = uncertain(world, mailing, 0, 2)
    assert decide.apply_policy(world.host) == 2
    assert decide.apply_policy(world.host) == 0
    assert world.host.session.get_one(OutboxMessage, one).reply_text.count("the setting of the sender") == 1
    again = {"state": MessageState.UNCERTAIN.value}
    world.host.session.execute(update(OutboxMessage).where(OutboxMessage.id.in_([one, two])).values(**again))
    outbox.recount(world.host, mailing.id)
    assert decide.apply_policy(world.host) == 0, "never twice by itself"
    assert mailings.undecided(world.host, mailing) == 2, "but a person may"
    assert mailings.resend_uncertain(world.host, mailing, by="ada") == 2


def test_what_was_left_on_purpose_or_is_in_a_workers_hands_is_not_sent_again_by_itself(world: World) -> None:
    mailing = world.running(4)
    policy(world, UncertainPolicy.RESEND)
    uncertain(world, mailing, 0, reason=decide.Decision.LEFT)
    assert decide.apply_policy(world.host) == 0
    uncertain(world, mailing, 1)
    world.host.session.execute(update(Chunk).values(leased_by="somebody"))
    world.host.session.commit()
    assert decide.apply_policy(world.host) == 0
    world.host.session.execute(update(Chunk).values(leased_by=None))
    world.host.session.commit()
    assert decide.apply_policy(world.host) == 1
