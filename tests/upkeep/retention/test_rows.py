"""Each kind of data goes by its own age: deleted, or made empty of what is personal, and never too soon."""

from dataclasses import fields
from datetime import timedelta

import pytest
from sqlalchemy import select

from massmail_plugin import consent
from massmail_plugin.ages import Ages
from massmail_plugin.config import read_config
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.wishes.preferences import list_ids_of
from massmail_plugin.errors import ConfigError
from massmail_plugin.feedback import reclassifying
from massmail_plugin.mailings import statistics
from massmail_plugin.models import (
    Event,
    Import,
    ImportPart,
    OptOutReason,
    Received,
    ReleasedSuppression,
    SignUp,
    SubscriptionEvent,
)
from massmail_plugin.upkeep import retention
from massmail_plugin.upkeep.retention import rows as room
from massmail_plugin.upkeep.retention.kinds import KINDS
from massmail_plugin.vocabulary import FORGOTTEN, ConsentWay, EventKind, SignUpState, SuppressionReason
from tests.consent.small_host import add_list, add_person
from tests.mailings.statistics.conftest import Run
from tests.upkeep.privacy.conftest import EVERYTHING
from tests.upkeep.retention.conftest import forget, later, number


def each(host, make, *ages):
    """`make(at)` for moments so many days ago; committed."""
    host.session.add_all([make(host.clock() - timedelta(days=age)) for age in ages])
    host.session.commit()


def test_every_age_has_a_kind_and_every_kind_an_age():
    assert sorted(kind.name for kind in KINDS) == sorted(one.name for one in fields(Ages))


@pytest.mark.parametrize(
    ("kind", "model", "made"),
    [
        ("received", Received, lambda at: {"origin": "file", "origin_id": str(at), "kind": "bounce", "at": at}),
        (
            "released_suppressions",
            ReleasedSuppression,
            lambda at: {"scope": "list", "reason": "opt_out", "created_at": at, "released_at": at},
        ),
    ],
)
def test_what_is_older_goes_and_the_rest_stays(host, keep, kind, model, made):
    keep(**{kind: 30})
    each(host, lambda at: model(**made(at)), 400, 31, 30, 29, 0)
    assert {one.name: one.rows for one in retention.due(host)}[kind] == 2
    assert forget(host).forgotten == {kind: 2}
    assert number(host, model) == 3
    keep(**{kind: 0})
    later(host, 9_999)
    assert forget(host).forgotten == {}


def test_of_mails_that_came_in_the_bytes_go_first(host, keep):
    keep(received_bytes=30)
    made = {"origin": "file", "kind": "bounce", "address": "a@x.example", "raw": b"To: a"}
    each(host, lambda at: Received(origin_id=str(at), at=at, **made), 31, 1)
    assert forget(host).forgotten == {"received_bytes": 1}
    assert list(host.session.scalars(select(Received.raw).order_by(Received.at))) == [None, b"To: a"]
    assert forget(host).forgotten == {}


def test_of_what_came_back_the_words_go_and_every_number_stays(host, keep):
    keep(event_details=30)
    run = Run(host)
    run.settle()
    run.happens(40, user_agent="Mail/1.0", detail="words")
    reclassifying.reclassify(host, run.id)
    run.catch_up()
    before = statistics.responses(host, run.id), run.kept()
    later(host, 40)
    old = number(host, Event, Event.kind.not_in([EventKind.OPT_OUT, EventKind.OPT_BACK_IN]))
    run.happens(kind=EventKind.DELAY, detail="young", at=host.clock(), message_id=run.ids[1])
    assert forget(host).forgotten == {"event_details": old}
    assert number(host, Event, Event.detail == "young") == 1
    assert set(host.session.scalars(select(Event.user_agent).where(Event.request == FORGOTTEN))) == {""}
    assert number(host, Event, Event.detail == "words", Event.request == FORGOTTEN) == 0
    reclassifying.reclassify(host, run.id)
    run.catch_up()
    assert statistics.responses(host, run.id).machine_opens == before[0].machine_opens


def test_evidence_stays_as_long_as_it_is_relied_on(host, keep):
    keep(sign_ups=30, consent_history=30)
    news, on, off = add_list(host), add_person(host, "on@x.example"), add_person(host, "off@x.example")
    proof = Proof(ConsentWay.FORM, evidence="form")
    consent.subscribe(host, news, [on, off], proof=proof)
    for _ in range(2):
        consent.unsubscribe(host, news, [off], proof=proof)
        consent.subscribe(host, news, [off], proof=proof, again=True)
    consent.unsubscribe(host, news, [off], proof=proof)
    for ref in (on, off):
        host.session.add(
            SignUp(
                list_id=news.id,
                address=f"{ref.key}@x.example",
                state=SignUpState.CONFIRMED.value,
                created_at=host.clock(),
                confirmed_at=host.clock(),
                contact_source=ref.source,
                contact_key=ref.key,
            )
        )
    host.session.commit()
    later(host, 400)
    assert forget(host).forgotten == {"sign_ups": 1, "consent_history": 4}
    assert list(host.session.scalars(select(SignUp.contact_key))) == [on.key]
    kept = host.session.execute(select(SubscriptionEvent.contact_key, SubscriptionEvent.state)).all()
    assert sorted(map(tuple, kept)) == [(on.key, "subscribed"), (off.key, "subscribed"), (off.key, "unsubscribed")]


def test_an_opt_out_can_be_taken_back_however_long_ago_the_contact_came(host, keep):
    keep(consent_history=30)
    news, who, proof = add_list(host), add_person(host, "a@x.example"), Proof(ConsentWay.PAGE, evidence="page")
    consent.subscribe(host, news, [who], proof=proof)
    host.session.commit()
    later(host, 400)
    consent.withdraw(host, who, list_ids=None, proof=proof)
    host.session.commit()
    forget(host)
    later(host, 40)
    forget(host)
    assert consent.take_back(host, who, list_ids=None, proof=proof)
    assert list_ids_of(host, who) == (news.id,)


def test_sign_ups_nobody_confirmed_go_soon(host, keep):
    keep(open_sign_ups=30)
    news = add_list(host)
    for state in SignUpState:
        address, state = f"{state}@x.example", state.value
        each(host, lambda at, a=address, s=state: SignUp(list_id=news.id, address=a, state=s, created_at=at), 31)
    assert forget(host).forgotten == {"open_sign_ups": 2}
    assert list(host.session.scalars(select(SignUp.state))) == [SignUpState.CONFIRMED]


def test_a_link_that_confirms_never_becomes_that_of_somebody_elses_sign_up(host, keep):
    keep(open_sign_ups=30)
    news, state = add_list(host), SignUpState.WAITING.value
    each(host, lambda at: SignUp(list_id=news.id, address="old@x.example", state=state, created_at=at), 31)
    (old,) = host.session.scalars(select(SignUp.id)).all()
    forget(host)
    each(host, lambda at: SignUp(list_id=news.id, address="new@x.example", state=state, created_at=at), 0)
    assert host.session.scalars(select(SignUp.id)).one() > old


def test_reasons_for_opting_out_are_counted_for_ever_and_nobodys_after_a_time(host, keep):
    keep(opt_out_reasons=30)
    who = {"contact_source": "person", "contact_key": "7", "message_id": 5, "mailing_id": 1, "comment": "I, Anna"}
    each(host, lambda at: OptOutReason(reason="other", at=at, **who), 31, 1)
    assert forget(host).forgotten == {"opt_out_reasons": 1}
    row = host.session.scalars(select(OptOutReason).order_by(OptOutReason.at)).first()
    assert (row.reason, row.mailing_id, row.comment, row.message_id) == ("other", 1, "", 0)
    assert row.contact_key != "7"
    assert forget(host).forgotten == {}


def test_files_of_imports_go_and_their_numbers_stay(host, keep):
    keep(imports=30)
    at = host.clock()
    for number_, (begun, done) in enumerate([(40, 31), (40, 1), (40, None), (1, None)], 1):
        done_at = None if done is None else at - timedelta(days=done)
        made = {"created_at": at - timedelta(days=begun), "finished_at": done_at}
        host.session.add(Import(id=number_, purpose="subscribe", contact_source="person", counts={"new": 3}, **made))
        host.session.flush()
        host.session.add_all([ImportPart(import_id=number_, kind="file", number=n, content=b"a@x") for n in (0, 1)])
    host.session.commit()
    assert {one.name: one.rows for one in retention.due(host)}["imports"] == 4
    assert forget(host).forgotten == {"imports": 4}
    assert set(host.session.scalars(select(ImportPart.import_id))) == {2, 4}
    assert number(host, Import) == 4


def test_a_stop_that_was_released_is_forgotten_in_the_end(host, keep):
    keep(released_suppressions=30)
    stop = consent.suppress(host, address="a@x.example", scope=EVERYTHING, reason=SuppressionReason.BY_PERSON)
    consent.release(host, stop, by="May", note="called")
    host.session.commit()
    later(host, 31)
    forget(host)
    assert number(host, ReleasedSuppression) == 0


def test_a_pass_ends_where_nothing_old_comes_any_more(host, keep, monkeypatch):
    """Ids follow time: what comes after a window without anything old is not looked at."""
    monkeypatch.setattr(room, "WINDOW", 3)
    keep(received=30)
    made = {"origin": "file", "kind": "bounce"}
    names, ages = iter(range(99)), [90, 1, 90, 90, 1, 1, 1, 1, 1, 90]
    each(host, lambda at: Received(origin_id=str(next(names)), at=at, **made), *ages)
    assert forget(host).forgotten == {"received": 3}
    assert number(host, Received) == 7


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"message": 5}, "messages"),
        ({"messages": -1}, "negative"),
        ({"messages": "soon"}, "MASSMAIL_RETENTION"),
        ("[1]", "MASSMAIL_RETENTION"),
        ("not json", "MASSMAIL_RETENTION"),
    ],
)
def test_a_wrong_setting_stops_the_start(given, said):
    with pytest.raises(ConfigError, match=said):
        read({"MASSMAIL_RETENTION": given})


def read(settings):
    return read_config({"MASSMAIL_BASE_URL": "https://x.example", "MASSMAIL_SECRET_KEYS": "k" * 32, **settings})


def test_kinds_that_are_not_named_have_their_usual_age():
    assert read({"MASSMAIL_RETENTION": '{"messages": 400}'}).retention == Ages(messages=400)
    assert read({"MASSMAIL_RETENTION": {"imports": "0"}}).retention == Ages(imports=0)
    assert read({}).retention == Ages()
