"""Suppressions: put once, found at hand-off by address and by contact, and released."""

import pytest
from sqlalchemy import event, func, select

from massmail_plugin.consent.subscriptions import subscribe, unsubscribe
from massmail_plugin.consent.suppression import release, stopped, suppress
from massmail_plugin.consent.withdrawal import take_back, withdraw
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import Suppression
from massmail_plugin.vocabulary import SkipReason, SuppressionReason, SuppressionScope
from tests.consent.small_host import add_list, add_person

ALL = SuppressionScope.ALL_BUT_TRANSACTIONAL


def test_an_equal_one_is_returned(host: Host) -> None:
    first = suppress(host, address=" A@B.test", scope=ALL, reason=SuppressionReason.COMPLAINT, by="ann")
    assert suppress(host, address="a@b.TEST ", scope=ALL, reason=SuppressionReason.COMPLAINT) is first
    assert suppress(host, address="a@b.test", scope=ALL, reason=SuppressionReason.HARD_BOUNCE) is not first
    assert host.session.scalar(select(func.count()).select_from(Suppression)) == 2


def test_what_makes_no_sense_is_refused_in_words(host: Host) -> None:
    for wrong in (
        {},
        {"address": "  "},
        {"address": "x" * 300},
        {"address": "a@b.test\x00"},
        {"address": "a@b.test", "contact": ContactRef("person", "1")},
        {"address": "a@b.test", "scope": SuppressionScope.LIST},
    ):
        with pytest.raises(BadRequest):
            suppress(host, **{"scope": ALL, "reason": SuppressionReason.BY_PERSON, **wrong})  # type: ignore[arg-type]


def test_stopped_at_hand_off(host: Host) -> None:
    news, other = add_list(host), add_list(host, "Other")
    people = [add_person(host, f"p{i}@x.test") for i in range(9)]
    subscribe(host, news, people[:8], evidence="by hand")
    suppress(host, address="p1@x.test", scope=ALL, reason=SuppressionReason.HARD_BOUNCE)
    suppress(host, contact=people[2], scope=ALL, reason=SuppressionReason.COMPLAINT)
    withdraw(host, people[3], list_ids=None, evidence="one click", message_id=3)
    withdraw(host, people[4], list_ids=[news.id], evidence="one click", message_id=4)
    unsubscribe(host, news, [people[5]], evidence="by hand")
    suppress(host, contact=people[6], scope=SuppressionScope.LIST, list_id=news.id, reason=SuppressionReason.BY_PERSON)
    suppress(
        host, address="p7@x.test", scope=SuppressionScope.LIST, list_id=other.id, reason=SuppressionReason.BY_PERSON
    )
    rows = [(i, who, f"P{i}@X.test", [news.id]) for i, who in enumerate(people)]
    rows.append((20, people[0], "p0@x.test, evil@x.test", [news.id]))
    rows.append((21, people[5], "p5@x.test", []))
    statements = []
    event.listen(host.db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert stopped(host, rows) == {
        1: SkipReason.SUPPRESSED,
        2: SkipReason.SUPPRESSED,
        3: SkipReason.OPTED_OUT,
        4: SkipReason.OPTED_OUT,
        5: SkipReason.LEFT_LIST,
        6: SkipReason.SUPPRESSED,
        8: SkipReason.LEFT_LIST,
        20: SkipReason.BAD_ADDRESS,
    }
    assert len(statements) <= 4
    take_back(host, people[3], list_ids=None, evidence="undo")
    assert stopped(host, [rows[3]]) == {}


def test_an_international_domain_is_found_in_both_spellings(host: Host) -> None:
    suppress(host, address="a@bücher.example.org", scope=ALL, reason=SuppressionReason.BY_PERSON)
    who = add_person(host)
    for number, spelling in enumerate(("A@BÜCHER.example.org", "a@xn--bcher-kva.example.org")):
        assert stopped(host, [(number, who, spelling, [])]) == {number: SkipReason.SUPPRESSED}


def test_release(host: Host) -> None:
    made = suppress(host, address="a@b.test", scope=ALL, reason=SuppressionReason.BY_PERSON)
    release(host, made, by="ann", note="wrong person")
    assert host.session.scalar(select(func.count()).select_from(Suppression)) == 0
