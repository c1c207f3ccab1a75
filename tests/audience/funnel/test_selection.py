"""The recipients' statement and the funnel: who gets a mailing, who does not, and why."""

from typing import Any

import pytest
from sqlalchemy import Column, MetaData, String, Table, insert, null, select

from massmail_plugin.audience.funnel.request import AudienceRequest
from massmail_plugin.audience.funnel.selection import select_recipients
from massmail_plugin.audience.funnel.steps import funnel
from massmail_plugin.consent.contact_keys import key_text
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.stops.suppression import suppress
from massmail_plugin.consent.subscriptions.subscribing import subscribe, subscribe_selected
from massmail_plugin.consent.wishes.withdrawal import withdraw
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import BadRequest, RuleError, SetupError
from massmail_plugin.vocabulary import ConsentWay, SuppressionReason, SuppressionScope
from tests.consent.small_host import CLIENTS, MEMBERS, Client, Member, Person, add_list, add_person

ALL = SuppressionScope.ALL_BUT_TRANSACTIONAL
Found = dict[tuple[str, str], tuple[str, str | None]]


def found(host: Host, request: AudienceRequest) -> Found:
    rows = host.session.execute(select_recipients(host, request)).all()
    answer = {(row.contact_key, row.address_role): (row.address, row.skip_reason) for row in rows}
    assert len(answer) == len(rows)
    return answer


def numbers(host: Host, request: AudienceRequest) -> dict[str, tuple[int, int]]:
    steps = funnel(host, request)
    assert [(step.left_out, step.name) for step in steps if not step.taken and step.left_out] == []
    return {step.name: (step.count, step.left_out) for step in steps if step.taken}


def test_every_reason_and_the_funnel(host: Host) -> None:
    news, other, closed = add_list(host), add_list(host, "Other"), add_list(host, "Closed", active=False)
    people = {
        "fine": add_person(host, " Fine@X.test ", city="Graz"),
        "two": add_person(host, "two@x.test", email2="second@x.test", city="Graz"),
        "second_only": add_person(host, "  ", email2="only@x.test", city="Graz"),
        "inactive": add_person(host, "in@x.test", active=False, city="Graz"),
        "unknown": add_person(host, "un@x.test", active=null(), city="Graz"),
        "none": add_person(host, None, email2="", city="Graz"),
        "bad": add_person(host, "a@b.test, c@d.test", city="Graz"),
        "long": add_person(host, "x" * 300 + "@x.test", city="Graz"),
        "newline": add_person(host, "a@b.test\r\nBcc: x@y.test", city="Graz"),
        "out": add_person(host, "out@x.test", city="Graz"),
        "bounced": add_person(host, "Bounced@X.test", city="Graz"),
        "complained": add_person(host, "complained@x.test", city="Graz"),
        "half": add_person(host, "bounced@x.test", email2="half@x.test", city="Graz"),
        "twin": add_person(host, "FINE@x.test", city="Graz"),
        "elsewhere": add_person(host, "else@x.test", city="Linz"),
    }
    subscribe(host, news, people.values(), proof=Proof(ConsentWay.PERSON, evidence="by hand"))
    subscribe(host, other, [people["fine"]], proof=Proof(ConsentWay.PERSON, evidence="by hand"))
    stranger, left = add_person(host, "stranger@x.test", city="Graz"), add_person(host, "left@x.test", city="Graz")
    subscribe(host, closed, [stranger], proof=Proof(ConsentWay.PERSON, evidence="by hand"))
    subscribe(host, news, [left], proof=Proof(ConsentWay.PERSON, evidence="by hand"))
    withdraw(host, left, list_ids=[news.id], proof=Proof(ConsentWay.PAGE, evidence="page"))
    suppress(host, contact=people["out"], scope=ALL, reason=SuppressionReason.OPT_OUT)
    suppress(host, address="bounced@x.test", scope=ALL, reason=SuppressionReason.HARD_BOUNCE)
    suppress(host, contact=people["complained"], scope=ALL, reason=SuppressionReason.COMPLAINT)
    lists = [other.id, news.id, closed.id]
    request = AudienceRequest("person", lists, {"field": "city", "op": "is", "value": "Graz"})
    key = {name: ref.key for name, ref in people.items()}
    assert found(host, request) == {
        (key["fine"], "main"): ("Fine@X.test", None),
        (key["two"], "main"): ("two@x.test", None),
        (key["two"], "second"): ("second@x.test", None),
        (key["second_only"], "second"): ("only@x.test", None),
        (key["inactive"], "main"): ("in@x.test", "inactive"),
        (key["unknown"], "main"): ("un@x.test", "inactive"),
        (key["none"], "main"): ("", "no_address"),
        (key["bad"], "main"): ("a@b.test, c@d.test", "bad_address"),
        (key["long"], "main"): ("x" * 254, "bad_address"),
        (key["newline"], "main"): ("a@b.test\r\nBcc: x@y.test", "bad_address"),
        (key["out"], "main"): ("out@x.test", "opted_out"),
        (key["bounced"], "main"): ("Bounced@X.test", "suppressed"),
        (key["complained"], "main"): ("complained@x.test", "suppressed"),
        (key["half"], "main"): ("bounced@x.test", "suppressed"),
        (key["half"], "second"): ("half@x.test", None),
        (key["twin"], "main"): ("FINE@x.test", "duplicate"),
    }
    assert numbers(host, request) == {
        "listed": (16, 0),
        "matching": (15, 1),
        "open": (14, 1),
        "active": (12, 2),
        "with_address": (11, 1),
        "usable": (8, 3),
        "willing": (7, 1),
        "allowed": (5, 2),
        "paced": (5, 0),
        "unique": (4, 1),
        "will_get": (5, 0),
    }
    rows = {row.contact_key: row for row in host.session.execute(select_recipients(host, request))}
    fine = rows[key["fine"]]
    assert (fine.contact_source, fine.channel, fine.dedup_key, fine.list_id) == (
        "person",
        "email",
        "fine@x.test",
        news.id,
    )
    assert rows[key["twin"]].dedup_key is None
    only_main = AudienceRequest("person", lists, request.rule, roles=["main"])
    assert (key["two"], "second") not in found(host, only_main)
    assert found(host, only_main)[key["second_only"], "main"] == ("", "no_address")
    each = AudienceRequest("person", lists, request.rule, one_per_address=False)
    assert found(host, each)[key["twin"], "main"] == ("FINE@x.test", None)
    assert {row.dedup_key for row in host.session.execute(select_recipients(host, each))} == {None}


def test_a_suppression_for_one_list(host: Host) -> None:
    news, other = add_list(host), add_list(host, "Other")
    who = add_person(host, "a@x.test")
    subscribe(host, news, [who], proof=Proof(ConsentWay.PERSON, evidence="by hand"))
    suppress(host, contact=who, scope=SuppressionScope.LIST, list_id=other.id, reason=SuppressionReason.BY_PERSON)
    assert found(host, AudienceRequest("person", [news.id])) == {(who.key, "main"): ("a@x.test", None)}
    suppress(host, address="a@x.test", scope=SuppressionScope.LIST, list_id=news.id, reason=SuppressionReason.OPT_OUT)
    assert found(host, AudienceRequest("person", [news.id])) == {(who.key, "main"): ("a@x.test", "opted_out")}


def test_one_contact_never_gets_two_at_one_address(host: Host) -> None:
    news = add_list(host)
    who = add_person(host, "a@x.test", email2="A@x.test")
    subscribe(host, news, [who], proof=Proof(ConsentWay.PERSON, evidence="by hand"))
    for one_per_address in (True, False):
        rows = found(host, AudienceRequest("person", [news.id], one_per_address=one_per_address))
        assert rows == {(who.key, "main"): ("a@x.test", None), (who.key, "second"): ("A@x.test", "duplicate")}


def test_other_channels_and_the_order_of_roles(host: Host) -> None:
    news = add_list(host)
    who = add_person(host, "a@x.test", email2="b@x.test", fax="+43 1 234")
    nobody = add_person(host)
    subscribe(host, news, [who, nobody], proof=Proof(ConsentWay.PERSON, evidence="by hand"))
    rows = found(host, AudienceRequest("person", [news.id], roles=["fax", "second"]))
    assert rows == {
        (who.key, "fax"): ("+43 1 234", None),
        (who.key, "second"): ("b@x.test", None),
        (nobody.key, "fax"): ("", "no_address"),
    }


def test_keys_of_every_type_and_contacts_that_are_gone(host: Host) -> None:
    news = add_list(host)
    host.session.add_all([Member(mail=f"m{i}@x.test") for i in range(3)])
    host.session.add_all([Client(code="A-1", mail="c@x.test"), Client(code="é中", mail=None)])
    host.session.flush()
    for source, model in ((MEMBERS, Member), (CLIENTS, Client)):
        subscribe_selected(
            host,
            news,
            source,
            select(key_text(source)).select_from(model),
            proof=Proof(ConsentWay.PERSON, evidence="all"),
        )
    uids = {str(uid) for uid in host.session.scalars(select(Member.uid))}
    assert {key for key, _ in found(host, AudienceRequest("member", [news.id]))} == uids
    assert found(host, AudienceRequest("client", [news.id])) == {
        ("A-1", "main"): ("c@x.test", None),
        ("é中", "main"): ("", "no_address"),
    }
    host.session.delete(host.session.scalars(select(Member).limit(1)).one())
    host.session.flush()
    assert len(found(host, AudienceRequest("member", [news.id]))) == 2
    assert numbers(host, AudienceRequest("member", [news.id]))["listed"] == (2, 0)


def test_nobody(host: Host) -> None:
    news = add_list(host)
    for lists in ([], [news.id], [999]):
        request = AudienceRequest("person", lists)
        assert found(host, request) == {}
        assert {step.count for step in funnel(host, request)} == {0}


def test_what_does_not_exist_is_named(host: Host) -> None:
    wrong: list[tuple[type[Exception], dict[str, Any]]] = [
        (SetupError, {"source_name": "persn"}),
        (BadRequest, {"roles": ["mian"]}),
        (RuleError, {"rule": {"field": "cty", "op": "is", "value": "x"}}),
    ]
    for error, request in wrong:
        with pytest.raises(error, match=r"person|main|city"):
            select_recipients(host, AudienceRequest(**{"source_name": "person", "list_ids": [1], **request}))


def test_only_some_contacts(host: Host) -> None:
    news = add_list(host)
    people = [add_person(host, f"p{i}@x.test") for i in range(3)]
    subscribe(host, news, people, proof=Proof(ConsentWay.PERSON, evidence="by hand"))
    some = select(Person.status).where(Person.status.is_not(None))
    host.session.get_one(Person, int(people[0].key)).status = people[2].key
    host.session.flush()
    assert set(found(host, AudienceRequest("person", [news.id], only=some))) == {(people[2].key, "main")}


def test_it_can_be_inserted_as_it_is(host: Host) -> None:
    news = add_list(host)
    people: list[ContactRef] = [add_person(host, f"p{i}@x.test") for i in range(3)]
    subscribe(host, news, people, proof=Proof(ConsentWay.PERSON, evidence="by hand"))
    chosen = select_recipients(host, AudienceRequest("person", [news.id]))
    target = Table("target", MetaData(), *(Column(column.name, String) for column in chosen.subquery().c))
    target.create(host.session.connection())
    host.session.execute(insert(target).from_select([column.name for column in target.c], chosen))
    filled = host.session.execute(select(target.c.contact_key, target.c.dedup_key).order_by(target.c.contact_key)).all()
    assert [tuple(row) for row in filled] == [(ref.key, f"p{i}@x.test") for i, ref in enumerate(people)]
