"""Who of a chunk must not be written to any more is found at hand-off, by one statement."""

from sqlalchemy import event

from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.stops.hand_off import Asked, Purpose, stopped
from massmail_plugin.consent.stops.suppression import suppress
from massmail_plugin.consent.subscriptions.subscribing import subscribe, unsubscribe
from massmail_plugin.consent.wishes.withdrawal import take_back, withdraw
from massmail_plugin.contracts import Host
from massmail_plugin.models import Criterion
from massmail_plugin.vocabulary import ConsentWay, SkipReason, SuppressionReason, SuppressionScope
from tests.consent.small_host import add_list, add_person

ALL = SuppressionScope.ALL_BUT_TRANSACTIONAL


def test_stopped_at_hand_off(host: Host) -> None:
    news, other = add_list(host), add_list(host, "Other")
    people = [add_person(host, f"p{i}@x.test") for i in range(9)]
    subscribe(host, news, people[:8], proof=Proof(ConsentWay.PERSON, evidence="by hand"))
    suppress(host, address="p1@x.test", scope=ALL, reason=SuppressionReason.HARD_BOUNCE)
    suppress(host, contact=people[2], scope=ALL, reason=SuppressionReason.COMPLAINT)
    withdraw(host, people[3], list_ids=None, proof=Proof(ConsentWay.ONE_CLICK, evidence="one click", message_id=3))
    withdraw(host, people[4], list_ids=[news.id], proof=Proof(ConsentWay.ONE_CLICK, evidence="one click", message_id=4))
    unsubscribe(host, news, [people[5]], proof=Proof(ConsentWay.PERSON, evidence="by hand"))
    suppress(host, contact=people[6], scope=SuppressionScope.LIST, list_id=news.id, reason=SuppressionReason.BY_PERSON)
    suppress(
        host, address="p7@x.test", scope=SuppressionScope.LIST, list_id=other.id, reason=SuppressionReason.BY_PERSON
    )
    rows = [Asked(i, who.key, f"P{i}@X.test") for i, who in enumerate(people)]
    rows.append(Asked(20, people[0].key, "p0@x.test, evil@x.test"))
    statements = []
    event.listen(host.db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert stopped(host, "person", rows, Purpose(list_ids=(news.id,))) == {
        1: SkipReason.SUPPRESSED,
        2: SkipReason.SUPPRESSED,
        3: SkipReason.OPTED_OUT,
        4: SkipReason.OPTED_OUT,
        5: SkipReason.LEFT_LIST,
        6: SkipReason.SUPPRESSED,
        8: SkipReason.LEFT_LIST,
        20: SkipReason.BAD_ADDRESS,
    }
    assert len(statements) == 2, "one for all, and one more to know who left by themselves"
    assert stopped(host, "person", [rows[5]], Purpose()) == {}
    take_back(host, people[3], list_ids=None, proof=Proof(ConsentWay.PAGE, evidence="undo"))
    assert stopped(host, "person", [rows[3]], Purpose(list_ids=(news.id,))) == {}


def test_an_international_domain_is_found_in_both_spellings(host: Host) -> None:
    suppress(host, address="a@bücher.example.org", scope=ALL, reason=SuppressionReason.BY_PERSON)
    who = add_person(host)
    for number, spelling in enumerate(("A@BÜCHER.example.org", "a@xn--bcher-kva.example.org")):
        assert stopped(host, "person", [Asked(number, who.key, spelling)], Purpose()) == {number: SkipReason.SUPPRESSED}


def test_a_list_kept_by_a_criterion_holds_whom_it_found_until_they_leave(host: Host) -> None:
    rule = Criterion(name="all", contact_source="person", rule={}, created_at=host.clock(), updated_at=host.clock())
    host.session.add(rule)
    host.session.flush()
    filled, plain = add_list(host, "Filled", criterion_id=rule.id), add_list(host, "Plain")
    who = add_person(host, "a@x.test")
    both = Purpose(list_ids=(filled.id, plain.id), by_criterion=True)
    by_criterion, by_row = (Asked(1, who.key, "a@x.test", list_.id) for list_ in (filled, plain))
    assert stopped(host, "person", [by_criterion], both) == {}
    assert stopped(host, "person", [by_row], both) == {1: SkipReason.LEFT_LIST}
    withdraw(host, who, list_ids=[filled.id], proof=Proof(ConsentWay.ONE_CLICK, evidence="one click"))
    assert stopped(host, "person", [by_criterion], both) == {1: SkipReason.OPTED_OUT}
    take_back(host, who, list_ids=[filled.id], proof=Proof(ConsentWay.PAGE, evidence="undo"))
    filled.criterion_id = None
    host.session.flush()
    assert stopped(host, "person", [by_criterion], both) == {}


def test_most_chunks_cost_one_statement(host: Host) -> None:
    news = add_list(host)
    people = [add_person(host, f"p{i}@x.test") for i in range(50)]
    subscribe(host, news, people, proof=Proof(ConsentWay.PERSON, evidence="by hand"))
    rows = [Asked(i, who.key, f"p{i}@x.test", news.id) for i, who in enumerate(people)]
    statements = []
    event.listen(host.db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert stopped(host, "person", rows, Purpose(1, (news.id,), 7)) == {}
    assert len(statements) == 1
