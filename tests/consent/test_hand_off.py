"""Who of a chunk must not be written to any more is found at hand-off, by one statement."""

from sqlalchemy import event

from massmail_plugin.consent.hand_off import Asked, stopped
from massmail_plugin.consent.subscriptions import subscribe, unsubscribe
from massmail_plugin.consent.suppression import suppress
from massmail_plugin.consent.withdrawal import take_back, withdraw
from massmail_plugin.contracts import Host
from massmail_plugin.vocabulary import SkipReason, SuppressionReason, SuppressionScope
from tests.consent.small_host import add_list, add_person

ALL = SuppressionScope.ALL_BUT_TRANSACTIONAL


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
    rows = [Asked(i, who.key, f"P{i}@X.test") for i, who in enumerate(people)]
    rows.append(Asked(20, people[0].key, "p0@x.test, evil@x.test"))
    statements = []
    event.listen(host.db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert stopped(host, "person", rows, [news.id]) == {
        1: SkipReason.SUPPRESSED,
        2: SkipReason.SUPPRESSED,
        3: SkipReason.OPTED_OUT,
        4: SkipReason.OPTED_OUT,
        5: SkipReason.LEFT_LIST,
        6: SkipReason.SUPPRESSED,
        8: SkipReason.LEFT_LIST,
        20: SkipReason.BAD_ADDRESS,
    }
    assert len(statements) == 2
    assert stopped(host, "person", [rows[5]], []) == {}
    take_back(host, people[3], list_ids=None, evidence="undo")
    assert stopped(host, "person", [rows[3]], [news.id]) == {}


def test_an_international_domain_is_found_in_both_spellings(host: Host) -> None:
    suppress(host, address="a@bücher.example.org", scope=ALL, reason=SuppressionReason.BY_PERSON)
    who = add_person(host)
    for number, spelling in enumerate(("A@BÜCHER.example.org", "a@xn--bcher-kva.example.org")):
        assert stopped(host, "person", [Asked(number, who.key, spelling)], []) == {number: SkipReason.SUPPRESSED}
