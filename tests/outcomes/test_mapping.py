"""Which outcome wins: any order of late and repeated reports, removals and their undoing, ends in the same status."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from massmail_plugin.contracts import StatusMapping
from massmail_plugin.errors import SetupError
from massmail_plugin.outcomes.mapping import Place, decide, decide_removal, mapped_status
from massmail_plugin.vocabulary import Outcome

STATUSES = {outcome: f"is_{outcome.value}" for outcome in Outcome}
ALL = ["new", *STATUSES.values()]
MAPPING = StatusMapping(STATUSES, known=lambda: ALL)
REMOVED, UNDONE = (Outcome.REMOVED, 0), (Outcome.REMOVED, 1)


class Contact:
    """A status, and what decided it; reports are (mailing, outcome) or (mailing, (REMOVED, turn))."""

    def __init__(self, *, start="new", final=frozenset(), mapping=MAPPING):
        self.status, self.standing, self.final, self.mapping = start, None, final, mapping
        self.turns = {}

    def hears(self, mailing, what):
        outcome, turn = what if isinstance(what, tuple) else (what, 0)
        known = {"current": self.status, "standing": self.standing, "final": self.final}
        if outcome is Outcome.REMOVED:
            self.turns[mailing] = max(turn, self.turns.get(mailing, 0))
            stands = any(latest % 2 == 0 for latest in self.turns.values())
            status = mapped_status(outcome, self.mapping) if stands else None
            decision = decide_removal(status, again=turn % 2 == 0, **known)
        else:
            decision = decide(outcome, mailing, mapped_status(outcome, self.mapping), **known)
        if decision.changes:
            self.status = decision.status
        self.standing = decision.place or self.standing


def play(reports, **options):
    """The status a contact ends in."""
    contact = Contact(**options)
    for mailing, what in reports:
        contact.hears(mailing, what)
    return contact.status


def test_a_late_read_does_not_overwrite_a_removal():
    assert play([(1, Outcome.SENT), (1, REMOVED), (1, Outcome.READ)]) == "is_removed"


def test_a_failed_mail_that_is_tried_again_with_success_ends_as_sent():
    assert play([(1, Outcome.FAILED), (1, Outcome.SENT)]) == "is_sent"


def test_a_complaint_wins_over_a_removal_and_stays():
    assert play([(1, REMOVED), (1, Outcome.COMPLAINED), (1, REMOVED), (2, Outcome.SENT)]) == "is_complained"


def test_a_newer_mailing_starts_afresh():
    assert play([(1, Outcome.CLICKED), (2, Outcome.SENT)]) == "is_sent"


def test_a_newer_mailing_does_not_undo_a_removal():
    assert play([(1, REMOVED), (2, Outcome.SENT)]) == "is_removed"


def test_a_status_given_by_the_host_ends_the_hold_of_a_removal():
    contact = Contact()
    contact.hears(1, REMOVED)
    contact.status = "customer"
    contact.hears(2, Outcome.SENT)
    assert contact.status == "is_sent"


def test_a_late_answer_to_an_older_mailing_changes_nothing():
    assert play([(2, Outcome.SENT), (1, Outcome.CLICKED)]) == "is_sent"


def test_a_final_status_of_the_host_is_left_alone():
    reports = [(1, Outcome.READ), (1, REMOVED), (1, Outcome.COMPLAINED)]
    assert play(reports, start="customer", final={"customer"}) == "customer"


def test_a_final_status_that_an_outcome_set_stays_but_for_removals_and_complaints():
    final = {"is_clicked"}
    assert play([(1, Outcome.CLICKED), (1, Outcome.BOUNCED), (2, Outcome.SENT)], final=final) == "is_clicked"
    assert play([(1, Outcome.CLICKED), (2, REMOVED)], final=final) == "is_removed"
    assert play([(1, REMOVED), (1, Outcome.COMPLAINED)], final={"is_removed"}) == "is_complained"


def test_an_outcome_without_status_changes_nothing_and_holds_nothing_back():
    mapping = StatusMapping({Outcome.READ: "is_read"}, known=lambda: ALL)
    assert play([(1, REMOVED), (1, Outcome.READ)], mapping=mapping) == "is_read"
    assert play([(1, Outcome.READ), (1, REMOVED)], mapping=mapping) == "is_read"


def test_overrides_come_first_and_may_say_leave_it():
    assert mapped_status(Outcome.READ, MAPPING, {"read": None}, {"read": "other"}) is None
    assert mapped_status(Outcome.READ, MAPPING, {"sent": "x"}, {"read": "other"}) == "other"
    assert mapped_status(Outcome.READ, MAPPING, None, None) == "is_read"


def test_taking_a_removal_back_restores_the_status_from_before():
    assert play([(1, Outcome.READ), (1, REMOVED), (1, UNDONE)]) == "is_read"
    assert play([(1, REMOVED), (1, UNDONE)]) == "new"


def test_what_came_late_under_a_removal_is_seen_when_it_is_taken_back():
    assert play([(1, REMOVED), (1, Outcome.CLICKED), (1, UNDONE)]) == "is_clicked"


def test_taking_back_leaves_a_status_the_host_has_given_since():
    contact = Contact()
    contact.hears(1, REMOVED)
    contact.status = "customer"
    contact.hears(1, UNDONE)
    assert contact.status == "customer"


def test_of_two_removals_one_taken_back_the_other_stands():
    assert play([(1, REMOVED), (2, REMOVED), (2, UNDONE)]) == "is_removed"
    assert play([(1, REMOVED), (2, REMOVED), (2, UNDONE), (1, UNDONE)]) == "new"


def test_a_place_of_the_first_version_is_understood():
    """It knew that a removal stood, and what was there before."""
    decision = decide_removal(
        None, again=False, current="out", standing=Place(7, removed="out", previous="x"), final=()
    )
    assert (decision.changes, decision.status) == (True, "x")


what = st.sampled_from([outcome for outcome in Outcome if outcome is not Outcome.REMOVED])
removal = st.tuples(st.just(Outcome.REMOVED), st.integers(0, 2))
reports_ = st.lists(st.tuples(st.integers(1, 3), st.one_of(what, removal)), min_size=1, max_size=5)


@given(reports_, st.sets(st.sampled_from(ALL), max_size=3), st.sets(st.sampled_from(list(Outcome))), st.data())
def test_any_order_and_any_repetition_ends_in_the_same_status(reports, final, unmapped, data):
    mapping = StatusMapping({o: s for o, s in STATUSES.items() if o not in unmapped}, known=lambda: ALL)
    options = {"start": data.draw(st.sampled_from([*ALL, None])), "final": final, "mapping": mapping}
    expected = play(reports, **options)
    assert {play(order, **options) for order in permutations(reports)} == {expected}
    again = data.draw(st.lists(st.sampled_from(reports), max_size=5))
    assert play([*reports, *again], **options) == expected


def test_a_misspelt_status_is_named_with_the_nearest_one():
    mapping = StatusMapping({Outcome.READ: "is_raed"}, known=lambda: ALL)
    with pytest.raises(SetupError, match=r"is_raed.*Did you mean “is_read”"):
        mapping.check()
