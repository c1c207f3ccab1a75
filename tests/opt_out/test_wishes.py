"""Every wish a recipient may have, said once, twice, taken back, and through a test mail."""

import pytest
from sqlalchemy import select

from massmail_plugin import opt_out
from massmail_plugin.consent.preferences import opted_out_of_everything
from massmail_plugin.errors import BadLink
from massmail_plugin.models import Event, SubscriptionEvent
from tests.public.mailed_host import ANN, BEN, EVE, MailedHost


def test_one_click_leaves_the_lists_of_the_mailing_alone(mailed: MailedHost) -> None:
    number = mailed.message(ANN).id
    assert opt_out.one_click(mailed.host, number)
    mailed.host.session.commit()
    assert mailed.lists_of(ANN) == ["events"]
    assert mailed.lists_of(BEN) == ["news"]
    assert mailed.reports() == [("1", "removed", 0)]
    assert mailed.events() == [("opt_out", False)]
    assert "outcomes" in mailed.woken
    assert {wish.list_name for wish in mailed.wishes} == {"news", "offers"}


def test_saying_it_twice_changes_nothing(mailed: MailedHost) -> None:
    number = mailed.message(ANN).id
    assert [opt_out.one_click(mailed.host, number) for _ in range(3)] == [True, False, False]
    assert mailed.reports() == [("1", "removed", 0)]
    assert mailed.events() == [("opt_out", False)]


def test_leaving_everything(mailed: MailedHost) -> None:
    number = mailed.message(ANN).id
    assert opt_out.leave(mailed.host, number, everything=True)
    state = opt_out.page_state(mailed.host, number)
    assert (state.out, state.out_of_everything) == (True, True)
    assert mailed.lists_of(ANN) == []
    assert mailed.reports() == [("1", "removed", 0)]


def test_evidence_names_the_way_and_the_mail(mailed: MailedHost) -> None:
    number = mailed.message(ANN).id
    opt_out.one_click(mailed.host, number)
    left = mailed.host.session.scalars(select(SubscriptionEvent).where(SubscriptionEvent.state == "unsubscribed"))
    assert {(row.evidence, row.message_id) for row in left} == {
        (f"One-click unsubscribe of the mail program, mail {number}", number)
    }


@pytest.mark.parametrize("everything", [False, True])
def test_undo_restores_what_was(mailed: MailedHost, everything: bool) -> None:
    number = mailed.message(ANN).id
    opt_out.leave(mailed.host, number, everything=everything)
    assert opt_out.undo(mailed.host, number)
    assert mailed.lists_of(ANN) == ["events", "news", "offers"]
    assert not opted_out_of_everything(mailed.host, ANN)
    assert mailed.reports() == [("1", "removed", 0), ("1", "removed", 1)]
    assert mailed.events() == [("opt_out", False), ("opt_back_in", False)]
    assert not opt_out.undo(mailed.host, number)


def test_undo_does_not_put_anybody_on_a_list_they_never_were_on(mailed: MailedHost) -> None:
    number = mailed.message(BEN).id
    opt_out.leave(mailed.host, number, everything=False)
    opt_out.undo(mailed.host, number)
    assert mailed.lists_of(BEN) == ["news"]


def test_out_back_and_out_again_is_reported_each_time(mailed: MailedHost) -> None:
    number = mailed.message(EVE).id
    opt_out.one_click(mailed.host, number)
    opt_out.undo(mailed.host, number)
    opt_out.one_click(mailed.host, number)
    assert mailed.reports() == [("3", "removed", turn) for turn in (0, 1, 2)]


def test_preferences_leave_one_list(mailed: MailedHost) -> None:
    number = mailed.message(ANN).id
    kept = {mailed.list_id("news"), mailed.list_id("offers")}
    assert opt_out.save_preferences(mailed.host, number, kept)
    assert mailed.lists_of(ANN) == ["news", "offers"]
    assert mailed.reports() == []
    assert mailed.events() == [("opt_out", False)]


def test_preferences_leaving_all_lists_of_the_mailing_is_a_removal(mailed: MailedHost) -> None:
    number = mailed.message(ANN).id
    opt_out.save_preferences(mailed.host, number, {mailed.list_id("events")})
    assert mailed.lists_of(ANN) == ["events"]
    assert mailed.reports() == [("1", "removed", 0)]
    opt_out.save_preferences(mailed.host, number, {mailed.list_id("events"), mailed.list_id("news")})
    assert mailed.lists_of(ANN) == ["events", "news"]
    assert mailed.reports() == [("1", "removed", 0), ("1", "removed", 1)]


def test_preferences_after_leaving_everything_bring_back_what_is_ticked(mailed: MailedHost) -> None:
    number = mailed.message(ANN).id
    opt_out.leave(mailed.host, number, everything=True)
    assert opt_out.save_preferences(mailed.host, number, {mailed.list_id("offers")})
    assert mailed.lists_of(ANN) == ["offers"]
    assert not opted_out_of_everything(mailed.host, ANN)
    assert mailed.reports() == [("1", "removed", 0), ("1", "removed", 1)]


def test_preferences_saved_with_nothing_ticked_stay_out_of_everything(mailed: MailedHost) -> None:
    number = mailed.message(ANN).id
    opt_out.leave(mailed.host, number, everything=True)
    assert not opt_out.save_preferences(mailed.host, number, set())
    assert opted_out_of_everything(mailed.host, ANN)


def test_preferences_take_no_list_the_contact_was_never_on(mailed: MailedHost) -> None:
    number = mailed.message(BEN).id
    opt_out.save_preferences(mailed.host, number, {mailed.list_id("news"), mailed.list_id("events"), 4711})
    assert mailed.lists_of(BEN) == ["news"]
    assert mailed.events() == []


def test_test_mail_changes_nothing(mailed: MailedHost) -> None:
    number = mailed.message(ANN, test=True).id
    assert not opt_out.one_click(mailed.host, number)
    assert not opt_out.leave(mailed.host, number, everything=True)
    assert not opt_out.save_preferences(mailed.host, number, set())
    assert not opt_out.undo(mailed.host, number)
    assert mailed.lists_of(ANN) == ["events", "news", "offers"]
    assert mailed.host.session.scalars(select(Event)).all() == []


def test_removal_through_another_mail_is_taken_back_too(mailed: MailedHost) -> None:
    first, second = mailed.message(ANN), mailed.message(EVE)
    second.contact_key, second.address_role = first.contact_key, "second"
    mailed.host.session.flush()
    opt_out.leave(mailed.host, first.id, everything=False)
    opt_out.undo(mailed.host, second.id)
    assert mailed.reports() == [("1", "removed", 0), ("1", "removed", 1)]


def test_removal_stays_where_the_contact_is_still_off_the_lists(mailed: MailedHost) -> None:
    number = mailed.message(ANN).id
    opt_out.leave(mailed.host, number, everything=False)
    opt_out.leave(mailed.host, number, everything=True)
    opt_out.undo(mailed.host, number)
    assert mailed.lists_of(ANN) == ["events"]
    assert mailed.reports() == [("1", "removed", 0)]
    assert opt_out.page_state(mailed.host, number).out


def test_unknown_mail_is_a_bad_link(mailed: MailedHost) -> None:
    for act in (opt_out.one_click, opt_out.undo, opt_out.page_state):
        with pytest.raises(BadLink):
            act(mailed.host, 4711)


def test_titles_are_those_the_contact_knows(mailed: MailedHost) -> None:
    assert opt_out.page_state(mailed.host, mailed.message(BEN).id).titles == ("Monthly news",)
    assert opt_out.page_state(mailed.host, mailed.message(ANN).id).titles == ("Monthly news", "Offers & <deals>")
    opt_out.leave(mailed.host, mailed.message(BEN).id, everything=False)
    assert "Monthly news" in opt_out.page_state(mailed.host, mailed.message(BEN).id).titles


def test_wish_set_in_the_host(mailed: MailedHost) -> None:
    assert opt_out.from_host(mailed.host, BEN, wants_mail=False, by="anna")
    assert opted_out_of_everything(mailed.host, BEN)
    assert not opt_out.from_host(mailed.host, BEN, wants_mail=False, by="anna")
    assert opt_out.from_host(mailed.host, BEN, wants_mail=True)
    assert mailed.lists_of(BEN) == ["news"]
    mailed.host.session.commit()
    assert [wish.source for wish in mailed.wishes] == [
        "Set in the host application by anna",
        "Set in the host application",
    ]
