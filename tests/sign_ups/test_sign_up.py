"""From the form to the list: asked by mail, confirmed, with all that proves it; nobody is treated differently."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from massmail_plugin import consent, sign_ups
from massmail_plugin.audience.contacts.at_address import contacts_at
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.wishes.preferences import list_ids_of
from massmail_plugin.errors import BadLink, SetupError
from massmail_plugin.models import ConsentText, ReleasedSuppression, Sender, SignUp, Subscription, Suppression
from massmail_plugin.sign_ups import NotOffered, Taken, Visitor, Where
from massmail_plugin.signed_links.sign_up_links import form_token
from massmail_plugin.vocabulary import ConsentWay, SuppressionReason, SuppressionScope
from tests.consent.small_host import add_list, add_person, clock
from tests.sign_ups.conftest import HOME, PHONE, World, person, ref

EVERYTHING = SuppressionScope.ALL_BUT_TRANSACTIONAL


def test_a_stranger_becomes_a_contact_on_the_list_once_they_confirm(world: World) -> None:
    assert world.sign_up("Zoe@Example.org", answers={"first": "Zoë"}) is Taken.THANKS
    assert world.on_list() == set()
    assert world.wanted == []
    (mail,) = world.mails()
    assert mail["To"] == "zoe@example.org"
    assert world.confirm(mail).where is Where.CONFIRMED
    (key,) = world.on_list()
    assert (person(world.host, key).email1, person(world.host, key).first) == ("zoe@example.org", "Zoë")
    assert [(one.contact.key, one.list_id, one.subscribed) for one in world.facts] == [(key, world.list_.id, True)]


def test_the_proof_says_who_agreed_when_from_where_and_to_which_words(world: World) -> None:
    world.sign_up("zoe@example.org")
    world.pass_time(hours=3)
    world.confirm(world.mails()[0])
    (sign_up,), (event,) = world.rows(), world.history()
    assert (sign_up.origin, sign_up.confirmed_from) == ("198.51.100.7 Firefox", "2001:db8:1:2::7 Safari")
    assert sign_up.confirmed_at is not None
    assert (sign_up.confirmed_at - sign_up.created_at).total_seconds() == 3 * 3600
    assert (event.way, event.origin, event.at) == (ConsentWay.FORM, PHONE.origin, sign_up.confirmed_at)
    text = world.host.session.get_one(ConsentText, event.consent_text_id)
    assert text.words == ("Fernhill may write to me about “News”. I can end that at any time, by a link in every mail.")


def test_a_contact_of_the_host_is_found_by_the_address_in_any_role_and_spelling(world: World) -> None:
    known = add_person(world.host, "other@example.org", email2=" Zoe@Example.org")
    world.host.session.commit()
    world.sign_up("zoe@EXAMPLE.org")
    world.confirm(world.mails()[0])
    assert world.on_list() == {known.key}
    assert world.wanted == []


def test_of_two_contacts_with_one_address_the_active_one_is_meant(world: World) -> None:
    add_person(world.host, "zoe@example.org", active=False)
    active = add_person(world.host, "zoe@example.org")
    assert contacts_at(world.host, "zoe@example.org")[0] == active


def test_known_unknown_and_stopped_addresses_get_the_same_answer_and_rows(world: World) -> None:
    known, left, _ = (add_person(world.host, f"{name}@example.org") for name in ("known", "left", "dead"))
    consent.subscribe(world.host, world.list_, [known], proof=Proof(ConsentWay.PERSON, evidence="test"))
    consent.withdraw(world.host, left, list_ids=None, proof=Proof(ConsentWay.PERSON, evidence="test"))
    consent.suppress(world.host, address="dead@example.org", scope=EVERYTHING, reason=SuppressionReason.HARD_BOUNCE)
    world.host.session.commit()
    names = ("known", "left", "dead", "new")
    assert {world.sign_up(f"{name}@example.org") for name in names} == {Taken.THANKS}
    assert [(row.state, row.times_asked) for row in world.rows()] == [("waiting", 1)] * 4
    assert {mail["To"] for mail in world.mails()} == {f"{name}@example.org" for name in ("known", "left", "new")}


def test_confirming_ends_the_contacts_own_stops_and_opens_this_list_alone(world: World) -> None:
    other = add_list(world.host, "Offers")
    zoe = add_person(world.host, "zoe@example.org")
    told = Proof(ConsentWay.PERSON, evidence="by telephone")
    for list_ in (world.list_, other):
        consent.subscribe(world.host, list_, [zoe], proof=told)
    consent.withdraw(world.host, zoe, list_ids=None, proof=told)
    consent.suppress(world.host, address="zoe@example.org", scope=EVERYTHING, reason=SuppressionReason.OPT_OUT)
    world.host.session.commit()
    world.facts.clear()
    world.sign_up("zoe@example.org")
    assert consent.opted_out_of_everything(world.host, zoe)
    world.confirm(world.mails()[0])
    assert not consent.opted_out_of_everything(world.host, zoe)
    assert list_ids_of(world.host, zoe) == (world.list_.id,)
    assert world.host.session.scalar(select(func.count()).select_from(Suppression)) == 0
    assert world.host.session.scalar(select(func.count()).select_from(ReleasedSuppression)) == 2
    assert {(one.list_id, one.subscribed) for one in world.facts} == {(None, True), (world.list_.id, True)}


@pytest.mark.parametrize("reason", [SuppressionReason.COMPLAINT, SuppressionReason.HARD_BOUNCE])
def test_a_dead_address_or_a_complaint_stays_stopped_although_they_confirm(
    world: World, reason: SuppressionReason
) -> None:
    world.sign_up("zoe@example.org")
    (mail,) = world.mails()
    consent.suppress(world.host, address="zoe@example.org", scope=EVERYTHING, reason=reason)
    world.host.session.commit()
    world.confirm(mail)
    assert world.host.session.scalars(select(Suppression.reason)).all() == [reason]


def test_confirming_again_or_by_the_link_of_a_second_sign_up_changes_nothing(world: World) -> None:
    world.sign_up("zoe@example.org")
    world.pass_time(hours=1)
    world.sign_up("zoe@example.org", answers={"first": "Someone else"})
    first, second = world.mails()
    assert world.confirm(first).where is Where.CONFIRMED
    before = len(world.history())
    assert world.confirm(first).where is Where.CONFIRMED
    assert world.confirm(second).where is Where.CONFIRMED
    assert len(world.history()) == before == 1
    assert len(world.wanted) == 1
    assert [row.state for row in world.rows()] == ["confirmed", "expired"]
    assert world.rows()[1].values == {}


def test_what_somebody_else_filled_in_for_the_address_is_not_confirmed_by_it(world: World) -> None:
    world.sign_up("zoe@example.org", answers={"first": "Zoë"})
    world.pass_time(hours=1)
    world.sign_up("zoe@example.org", Visitor("203.0.113.9", "curl"), answers={"first": "Idiot"})
    world.confirm(world.mails()[0])
    assert [one.values for one in world.wanted] == [{"first": "Zoë"}]


def test_pressing_twice_signs_up_once(world: World) -> None:
    for _ in range(2):
        world.sign_up("zoe@example.org")
    assert len(world.rows()) == len(world.mails()) == 1


def test_one_address_gets_three_mails_a_day_whoever_asks_for_them(world: World) -> None:
    for number in range(6):
        world.sign_up("zoe@example.org", Visitor(f"203.0.113.{number}", ""), answers={"first": f"{number}"})
    assert len(world.mails()) == 3
    world.pass_time(days=1)
    world.sign_up("zoe@example.org")
    assert len(world.mails()) == 4


def test_one_network_signs_up_so_many_an_hour(world: World) -> None:
    config = replace(world.host.config, sign_ups_per_hour=3)
    world.host = replace(world.host, config=config)
    addresses = [f"n{number}@example.org" for number in range(5)]
    answers = [world.sign_up(one, Visitor(f"2001:db8::{n}", "")) for n, one in enumerate(addresses)]
    assert answers == [Taken.THANKS] * 3 + [Taken.TOO_MANY] * 2
    assert world.sign_up("other@example.org", HOME) is Taken.THANKS
    world.pass_time(hours=1, seconds=1)
    assert world.sign_up("again@example.org", Visitor("2001:db8::9", "")) is Taken.THANKS


def test_networks_are_what_a_visitor_cannot_easily_change() -> None:
    assert Visitor("2001:db8:1:2:3::4", "").network == "2001:db8:1:2::/64"
    assert Visitor("::ffff:198.51.100.7", "").network == Visitor("198.51.100.7", "").network == "198.51.100.7"
    assert Visitor("unix socket", "").network == "unix socket"


def test_the_mail_speaks_the_visitors_language_and_names_no_address(world: World) -> None:
    world.list_.texts = {"de": {"name": "Neuigkeiten"}}
    world.host.session.commit()
    world.sign_up("zoe@example.org", language="de", answers={"first": "Zoë"})
    (mail,) = world.mails()
    html = mail.get_body(("html",))
    assert html is not None
    body = html.get_content()
    assert mail["Subject"] == "Bitte bestätigen: Neuigkeiten"
    assert 'lang="de"' in body
    assert "zoe" not in body.lower().replace("zoë", "zoe")


def test_the_words_of_each_version_are_kept_once(world: World) -> None:
    world.sign_up("a@example.org")
    world.sign_up("b@example.org")
    world.list_.texts = {"en": {"sign_up": "I want the news."}}
    world.host.session.commit()
    world.sign_up("c@example.org")
    world.sign_up("d@example.org", language="de")
    found = world.host.session.scalars(select(ConsentText).order_by(ConsentText.id)).all()
    assert [(one.locale, one.number) for one in found] == [("en", 1), ("en", 2), ("de", 1)]
    assert found[1].words == "I want the news."
    assert [row.consent_text_id for row in world.rows()] == [found[place].id for place in (0, 0, 1, 2)]


def test_a_list_that_is_archived_or_has_no_form_shows_none(world: World) -> None:
    for values in ({"sign_up": False}, {"active": False}):
        other = add_list(world.host, str(values), **values)
        with pytest.raises(NotOffered):
            world.form(token=form_token(world.host.config, other.id))


def test_nobody_joins_a_list_that_was_archived_meanwhile(world: World) -> None:
    world.sign_up("zoe@example.org")
    (mail,) = world.mails()
    world.list_.active = False
    world.host.session.commit()
    assert world.confirm(mail).where is Where.CLOSED
    assert world.on_list() == set()


def test_without_a_sender_nothing_is_stored_and_the_page_can_say_so(world: World) -> None:
    world.host.session.delete(world.host.session.scalars(select(Sender)).one())
    with pytest.raises(SetupError, match="no sender"):
        world.sign_up("zoe@example.org")
    world.host.session.rollback()
    assert world.host.session.scalar(select(func.count()).select_from(SignUp)) == 0


def test_a_sign_up_that_is_not_there_is_a_broken_link(world: World) -> None:
    with pytest.raises(BadLink):
        sign_ups.standing(world.host, 4711)


# --- Time passes ----------------------------------------------------------------------------------------------


def test_one_reminder_after_two_days_then_the_end_after_fourteen(world: World) -> None:
    world.sign_up("zoe@example.org", answers={"first": "Zoë"})
    assert [world.pass_time(days=1) for _ in range(13)] == [0, 1] + [0] * 11
    first, reminder = world.mails()
    assert "Reminder" in str(reminder["Subject"])
    assert world.link(first) == world.link(reminder)
    assert world.pass_time(days=1) == 1
    (row,) = world.rows()
    assert (row.state, row.values, row.origin, row.network, row.due_at) == ("expired", {}, "", "", None)
    assert world.confirm(reminder).where is Where.EXPIRED
    assert world.on_list() == set()


def test_reminders_go_by_the_days_that_are_set_and_are_not_made_up_for(world: World) -> None:
    world.host = replace(world.host, config=replace(world.host.config, sign_up_reminder_days=(2, 5, 9)))
    world.sign_up("zoe@example.org")
    assert world.pass_time(days=6) == 1
    assert len(world.mails()) == 2
    assert [world.pass_time(days=1) for _ in range(4)] == [0, 0, 1, 0]
    assert len(world.mails()) == 3


def test_who_confirmed_is_not_reminded(world: World) -> None:
    world.sign_up("zoe@example.org")
    world.confirm(world.mails()[0])
    assert world.pass_time(days=3) == 0
    assert len(world.mails()) == 1


def test_a_link_is_too_old_though_nothing_swept_up(world: World) -> None:
    world.sign_up("zoe@example.org")
    (mail,) = world.mails()
    clock(world.host).tick(days=15)
    assert world.confirm(mail).where is Where.EXPIRED


# --- A host that makes no contact -----------------------------------------------------------------------------


def test_without_a_contact_the_confirmation_waits_for_one(world: World) -> None:
    world.makes = False
    world.sign_up("zoe@example.org")
    assert world.confirm(world.mails()[0]).where is Where.CONFIRMED
    assert world.pass_time(hours=1) == 1
    assert world.on_list() == set()
    later = add_person(world.host, "zoe@example.org")
    world.host.session.commit()
    assert world.pass_time(hours=1) == 1
    assert world.on_list() == {later.key}
    assert world.pass_time(hours=2) == 0
    assert world.rows()[0].contact_key == later.key
    assert world.history()[0].origin == PHONE.origin


@pytest.mark.parametrize("everything", [False, True])
def test_who_opts_out_before_the_contact_is_found_stays_out(world: World, everything: bool) -> None:
    world.makes = False
    world.sign_up("zoe@example.org")
    world.confirm(world.mails()[0])
    zoe = add_person(world.host, "zoe@example.org")
    clock(world.host).tick(minutes=30)
    lists = None if everything else [world.list_.id]
    consent.withdraw(world.host, zoe, list_ids=lists, proof=Proof(ConsentWay.HOST, evidence="by telephone"))
    world.host.session.commit()
    assert world.pass_time(hours=1) == 1
    assert world.on_list() == set()
    assert consent.opted_out_of_everything(world.host, zoe) == everything
    assert world.pass_time(hours=2) == 0


def test_a_host_function_that_fails_loses_no_confirmation_and_leaves_nothing_half_done(world: World) -> None:
    good = world.host.hooks.create_contact

    def bad(people: object) -> list[int]:
        add_person(world.host, "half@example.org")
        raise RuntimeError("the CRM is away")

    world.host.hooks.create_contact = bad
    world.sign_up("zoe@example.org")
    assert world.confirm(world.mails()[0]).where is Where.CONFIRMED
    assert contacts_at(world.host, "half@example.org") == []
    world.host.hooks.create_contact = good
    world.pass_time(hours=1)
    assert len(world.on_list()) == 1


# --- A list that asks nobody first ----------------------------------------------------------------------------


def test_a_list_without_confirmation_takes_strangers_at_the_next_tick(world: World) -> None:
    world.list_.double_opt_in = False
    world.host.session.commit()
    world.sign_up("zoe@example.org", answers={"first": "Zoë"})
    assert world.on_list() == set()
    assert world.pass_time(seconds=15) == 1
    (key,) = world.on_list()
    assert person(world.host, key).first == "Zoë"
    assert world.mails() == []
    (event,) = world.history()
    assert (event.way, event.origin) == (ConsentWay.FORM, HOME.origin)


@pytest.mark.parametrize("everything", [True, False])
def test_who_once_left_is_asked_all_the_same(world: World, everything: bool) -> None:
    world.list_.double_opt_in = False
    zoe = add_person(world.host, "zoe@example.org")
    lists = None if everything else [world.list_.id]
    consent.withdraw(world.host, zoe, list_ids=lists, proof=Proof(ConsentWay.PERSON, evidence="test"))
    world.host.session.commit()
    world.sign_up("zoe@example.org")
    world.pass_time(seconds=15)
    assert world.on_list() == set()
    world.confirm(world.mails()[0])
    assert world.on_list() == {zoe.key}
    assert ref(zoe.key) == zoe


def test_so_is_who_left_as_another_contact_with_the_same_address(world: World) -> None:
    world.list_.double_opt_in = False
    _, second = add_person(world.host, "zoe@example.org"), add_person(world.host, "zoe@example.org")
    consent.withdraw(world.host, second, list_ids=None, proof=Proof(ConsentWay.PAGE, evidence="test"))
    world.host.session.commit()
    world.sign_up("zoe@example.org")
    world.pass_time(seconds=15)
    assert (world.on_list(), len(world.mails())) == (set(), 1)


def test_nobody_is_subscribed_twice(world: World) -> None:
    for number in range(3):
        world.sign_up("zoe@example.org", answers={"first": str(number)})
    for mail in world.mails():
        world.confirm(mail)
    assert world.host.session.scalar(select(func.count()).select_from(Subscription)) == 1
