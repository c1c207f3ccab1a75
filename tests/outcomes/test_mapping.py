"""Which outcome wins: any order of late and repeated reports ends in the same status."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from massmail_plugin.contracts import StatusMapping
from massmail_plugin.errors import SetupError
from massmail_plugin.outcomes.mapping import Place, decide, mapped_status, take_back
from massmail_plugin.vocabulary import Outcome

STATUSES = {outcome: f"is_{outcome.value}" for outcome in Outcome}
ALL = ["new", *STATUSES.values()]
MAPPING = StatusMapping(STATUSES, known=lambda: ALL)


def play(reports, *, start="new", final=frozenset(), mapping=MAPPING):
    """Deliver (mailing, outcome) reports one after another; the status they end in."""
    status, standing = start, None
    for mailing, outcome in reports:
        new = mapped_status(outcome, mapping)
        decision = decide(outcome, mailing, new, current=status, standing=standing, final=status in final)
        status = decision.status or status
        standing = decision.place or standing
    return status


def test_a_late_read_does_not_overwrite_a_removal():
    assert play([(1, Outcome.SENT), (1, Outcome.REMOVED), (1, Outcome.READ)]) == "is_removed"


def test_a_failed_mail_that_is_tried_again_with_success_ends_as_sent():
    assert play([(1, Outcome.FAILED), (1, Outcome.SENT)]) == "is_sent"


def test_a_complaint_wins_over_a_removal_and_stays():
    assert play([(1, Outcome.REMOVED), (1, Outcome.COMPLAINED), (1, Outcome.REMOVED)]) == "is_complained"


def test_a_newer_mailing_starts_afresh():
    assert play([(1, Outcome.CLICKED), (2, Outcome.SENT)]) == "is_sent"


def test_a_newer_mailing_does_not_undo_a_removal():
    assert play([(1, Outcome.REMOVED), (2, Outcome.SENT)]) == "is_removed"


def test_a_status_given_by_the_host_ends_the_hold_of_a_removal():
    standing = Place(1, Outcome.REMOVED, "is_removed", "new")
    decision = decide(Outcome.SENT, 2, "is_sent", current="customer", standing=standing, final=False)
    assert decision.status == "is_sent"


def test_a_late_answer_to_an_older_mailing_changes_nothing():
    assert play([(2, Outcome.SENT), (1, Outcome.CLICKED)]) == "is_sent"


def test_a_final_status_is_left_alone():
    assert play([(1, Outcome.READ)], start="customer", final={"customer"}) == "customer"


def test_a_final_status_set_by_the_same_mailing_may_still_rise():
    assert play([(1, Outcome.REMOVED), (1, Outcome.COMPLAINED)], final={"is_removed"}) == "is_complained"


def test_an_outcome_without_status_still_holds_back_lower_ones():
    mapping = StatusMapping({Outcome.READ: "is_read"}, known=lambda: ALL)
    assert play([(1, Outcome.REMOVED), (1, Outcome.READ)], mapping=mapping) == "new"


def test_overrides_come_first_and_may_say_leave_it():
    assert mapped_status(Outcome.READ, MAPPING, {"read": None}, {"read": "other"}) is None
    assert mapped_status(Outcome.READ, MAPPING, {"sent": "x"}, {"read": "other"}) == "other"
    assert mapped_status(Outcome.READ, MAPPING, None, None) == "is_read"


def test_taking_a_removal_back_restores_the_status_from_before():
    decision = decide(Outcome.REMOVED, 1, "is_removed", current="is_read", standing=None, final=False)
    assert take_back(1, current="is_removed", standing=decision.place).status == "is_read"


def test_taking_back_leaves_a_status_the_host_has_given_since():
    decision = decide(Outcome.REMOVED, 1, "is_removed", current="is_read", standing=None, final=False)
    assert take_back(1, current="customer", standing=decision.place).status is None


@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(list(Outcome))), min_size=1, max_size=5), st.data())
def test_any_order_and_any_repetition_ends_in_the_same_status(reports, data):
    expected = play(reports)
    assert all(play(order) == expected for order in permutations(reports))
    again = data.draw(st.lists(st.sampled_from(reports), max_size=5))
    assert play([*reports, *again]) == expected


def test_a_misspelt_status_is_named_with_the_nearest_one():
    mapping = StatusMapping({Outcome.READ: "is_raed"}, known=lambda: ALL)
    with pytest.raises(SetupError, match=r"is_raed.*Did you mean “is_read”"):
        mapping.check()
