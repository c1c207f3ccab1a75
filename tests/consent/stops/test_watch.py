"""One small query notices that somebody said stop, whoever it was and in whatever order it was committed."""

from massmail_plugin import consent
from massmail_plugin.consent.proof import Proof
from massmail_plugin.models import Suppression
from massmail_plugin.vocabulary import ConsentWay, SuppressionReason, SuppressionScope
from tests.consent.small_host import add_list, add_person

ALL = SuppressionScope.ALL_BUT_TRANSACTIONAL


def suppressed(host, address, **values):
    made = consent.suppress(host, address=address, scope=ALL, reason=SuppressionReason.BY_PERSON)
    for name, value in values.items():
        setattr(made, name, value)
    host.session.commit()
    return made


def test_nothing_happened(host):
    suppressed(host, "old@example.org")
    watch = consent.StopWatch(host)
    assert not watch.looks_changed()
    assert not watch.looks_changed()


def test_a_suppression_is_seen_once(host):
    watch = consent.StopWatch(host)
    suppressed(host, "a@example.org")
    assert watch.looks_changed()
    assert not watch.looks_changed()


def test_who_leaves_a_list_is_seen(host):
    list_, ref = add_list(host), add_person(host, "a@example.org")
    consent.subscribe(host, list_, [ref], proof=Proof(ConsentWay.PERSON, evidence="test"))
    host.session.commit()
    watch = consent.StopWatch(host)
    consent.unsubscribe(host, list_, [ref], proof=Proof(ConsentWay.PERSON, evidence="test"))
    host.session.commit()
    assert watch.looks_changed()


def test_one_with_a_lower_number_that_is_committed_later_is_seen(host):
    suppressed(host, "a@example.org", id=500)
    watch = consent.StopWatch(host)
    host.session.add(
        Suppression(id=400, address="b@example.org", scope=ALL, reason="by_person", created_at=host.clock())
    )
    host.session.commit()
    assert watch.looks_changed()


def test_many_at_once_are_seen_and_do_not_make_every_look_long(host):
    watch = consent.StopWatch(host)
    host.session.add_all(
        Suppression(address=f"p{n}@example.org", scope=ALL, reason="by_person", created_at=host.clock())
        for n in range(7000)
    )
    host.session.commit()
    assert watch.looks_changed()
    assert not watch.looks_changed()
    suppressed(host, "last@example.org")
    assert watch.looks_changed()


def test_one_released_and_another_put_in_its_place_are_seen(host):
    """SQLite gives the new row the number of the old one."""
    made = suppressed(host, "a@example.org")
    watch = consent.StopWatch(host)
    consent.release(host, made, by="ann", note="wrong")
    suppressed(host, "b@example.org")
    assert watch.looks_changed()
