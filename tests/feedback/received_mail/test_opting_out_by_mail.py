"""Mails to the address in List-Unsubscribe: the recipient is out, once; forged and automatic ones change nothing."""

from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from massmail_plugin import opt_out
from massmail_plugin.consent.wishes.opt_outs import Wide, opted_out_of
from massmail_plugin.contracts import ContactRef
from massmail_plugin.models import PastMessage, Received, Suppression
from tests.feedback import post
from tests.feedback.received_mail.conftest import Office

MEMBER = ContactRef("members", "1")


def is_out(office: Office) -> bool:
    return opted_out_of(office.host, MEMBER, Wide())


def test_the_recipient_is_out(office: Office) -> None:
    mail = office.sent()
    (taken,) = office.take(post.leaving(mail.opt_out_address))
    assert is_out(office)
    assert (taken.kind, taken.leaves) == ("opt_out", True)
    assert (office.events(), office.outcomes()) == ([("opt_out", "")], ["removed"])
    assert office.received() == {("matched", "opt_out"): 1}
    stop = office.host.session.scalars(select(Suppression)).one()
    assert (stop.way, stop.reason) == ("mail", "opt_out")
    row = office.host.session.scalars(select(Received)).one()
    assert row.note == "They want no more mails of this kind."


def test_whoever_sends_it_and_however_servers_spell_the_address(office: Office) -> None:
    """Mail is forwarded, people write from another account: who has the address has the leave."""
    mail = office.sent()
    office.take(post.leaving(mail.opt_out_address.upper(), by="Rita <rita@elsewhere.test>"))
    assert is_out(office)


@pytest.mark.parametrize(
    ("head", "text"),
    [
        ("Auto-Submitted: auto-generated\n", ""),
        ("X-Auto-Response-Suppress: All\nPrecedence: bulk\n", "This message was automatically generated."),
        ("Cc: news@crm.test\n", "Please take me off your list. I am out of office until Monday."),
        ("In-Reply-To: <1@box.test>\n", "> unsubscribe"),
    ],
)
def test_mail_programs_may_say_that_they_wrote_it(office: Office, head: str, text: str) -> None:
    office.take(post.leaving(office.sent().opt_out_address, head=head, text=text))
    assert is_out(office)
    assert office.outcomes() == ["removed"]


def test_the_address_may_stand_in_what_servers_add(office: Office) -> None:
    office.take(post.leaving("leave@crm.test", head=f"Delivered-To: {office.sent().opt_out_address}\n"))
    assert is_out(office)


def test_said_again_it_is_no_news(office: Office) -> None:
    mail = office.sent()
    wish = post.leaving(mail.opt_out_address)
    office.take(wish)
    assert [one.repeated for one in office.take(wish, post.leaving(mail.opt_out_address))] == [True, False]
    office.take(wish, origin="mailbox:2")
    assert office.events() == [("opt_out", "")]
    assert office.outcomes() == ["removed"]


def test_many_of_them_are_one_wish(office: Office) -> None:
    mail = office.sent()
    office.take(*(post.leaving(mail.opt_out_address) for _ in range(20)))
    assert office.events() == [("opt_out", "")]
    opt_out.undo(office.host, 1, everything=True)
    office.host.session.commit()
    office.take(post.leaving(mail.opt_out_address))
    assert is_out(office)


def test_several_in_one_reading_and_in_one_mail(office: Office) -> None:
    mails = [office.sent(str(number)) for number in (3, 1, 2)]
    office.take(*(post.leaving(mail.opt_out_address) for mail in mails[:2]), post.leaving(mails[2].opt_out_address))
    both = office.sent("4"), office.sent("5")
    office.take(post.leaving(", ".join(mail.opt_out_address for mail in both)))
    stopped = office.host.session.scalars(select(Suppression.contact_key).order_by(Suppression.contact_key))
    assert list(stopped) == ["1", "2", "3", "4", "5"]


def test_a_mail_from_before_they_came_back_changes_nothing(office: Office) -> None:
    message = office.mail()
    address, written = post.sent(office.host, message).opt_out_address, office.host.clock()
    office.take(post.leaving(address, at=written))
    office.days_later(1)
    opt_out.undo(office.host, message.id, everything=True)
    office.host.session.commit()
    office.days_later(1)
    office.take(post.leaving(address, at=written))
    assert not is_out(office)
    office.take(post.leaving(address, at=written + timedelta(days=2)))
    assert is_out(office)


@pytest.mark.parametrize("date", ["Date: nonsense\n", "Date: Tue, 99 Foo 99999 99:99 +9999\n", ""])
def test_without_a_readable_date_it_counts(office: Office, date: str) -> None:
    office.take(post.leaving(office.sent().opt_out_address, head=date))
    assert is_out(office)


def test_a_wrong_clock_is_corrected_by_the_servers_on_the_way(office: Office) -> None:
    message, now = office.mail(), office.host.clock()
    address = post.sent(office.host, message).opt_out_address
    office.take(post.leaving(address))
    opt_out.undo(office.host, message.id, everything=True)
    office.host.session.commit()
    later = now + timedelta(days=2)
    stamp = f"Received: from box.test by mx.crm.test; {later:%a, %d %b %Y %H:%M:%S} +0000\n"
    office.take(post.leaving(address, at=datetime(1990, 1, 1).astimezone(), head=stamp))
    assert is_out(office)


def test_it_works_when_the_mail_itself_was_deleted_for_its_age(office: Office) -> None:
    message = office.mail()
    address = post.sent(office.host, message).opt_out_address
    names = ("id", "mailing_id", "contact_source", "contact_key", "address_role")
    office.host.session.add(PastMessage(**{name: getattr(message, name) for name in names}))
    office.host.session.delete(message)
    office.host.session.commit()
    office.take(post.leaving(address))
    assert is_out(office)


# --- What is no wish ------------------------------------------------------------------------------------------


def test_forged_addresses_change_nothing(office: Office) -> None:
    """Nor do those tokens of a mail that servers on the way see: they are of another kind."""
    mail = office.sent()
    token = mail.return_path.partition("+")[2].partition("@")[0]
    office.take(
        post.leaving(post.forged("member1@box.test").opt_out_address),
        post.leaving(f"leave+{token}@crm.test"),
        post.leaving("leave@crm.test", head=f"Subject: {mail.opt_out_address}\n", text=mail.opt_out_address),
        post.leaving("leave+@crm.test, leave+" + "0" * 44 + "@crm.test"),
    )
    assert office.changed_nothing()


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(place=st.integers(0, 43), other=st.sampled_from("0123456789abcdef"))
def test_any_character_altered_makes_it_none(office: Office, place: int, other: str) -> None:
    mail = office.sent()
    local, _, domain = mail.opt_out_address.partition("@")
    token = local.removeprefix("leave+")
    if token[place] != other:
        office.take(post.leaving(f"leave+{token[:place]}{other}{token[place + 1 :]}@{domain}"))
    assert office.changed_nothing()


def test_servers_do_not_wish(office: Office) -> None:
    mail = office.sent()
    for action in ("failed", "delayed", "delivered"):
        office.take(post.report(mail, to=mail.opt_out_address, action=action, about="other@box.test"))
    assert not is_out(office)


def test_through_a_test_mail_it_changes_nothing(office: Office) -> None:
    office.take(post.leaving(office.sent(test=True).opt_out_address))
    assert office.changed_nothing()


def test_of_a_mail_that_is_not_known_here_nothing_can_be_said(office: Office) -> None:
    message = office.mail()
    address = post.sent(office.host, message).opt_out_address
    office.host.session.delete(message)
    office.host.session.commit()
    office.take(post.leaving(address))
    assert office.changed_nothing()
    assert office.received() == {("unmatched", "none"): 1}
