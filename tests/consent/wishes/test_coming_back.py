"""A contact wants certain lists: what they said against these ends, everything else stays as it was."""

from datetime import timedelta

from sqlalchemy import select

from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.stops.address_hashes import address_hash
from massmail_plugin.consent.stops.hand_off import Asked, Purpose, stopped
from massmail_plugin.consent.stops.suppression import suppress
from massmail_plugin.consent.wishes.coming_back import come_back
from massmail_plugin.consent.wishes.pauses import pause
from massmail_plugin.consent.wishes.withdrawal import withdraw
from massmail_plugin.contracts import Host, PreferenceFact
from massmail_plugin.models import Criterion, Suppression
from massmail_plugin.vocabulary import ConsentWay, SkipReason, SuppressionReason, SuppressionScope
from tests.consent.small_host import add_list, add_person, clock

PAGE = Proof(ConsentWay.FORM, evidence="confirmed")
ALL = SuppressionScope.ALL_BUT_TRANSACTIONAL


def test_after_opting_out_of_everything_only_the_wanted_list_is_open(host: Host) -> None:
    heard: list[PreferenceFact] = []
    host.hooks.on_preference_change.append(heard.append)
    now = host.clock()
    rule = Criterion(name="all", contact_source="person", rule={}, created_at=now, updated_at=now)
    host.session.add(rule)
    host.session.flush()
    news, filled = add_list(host), add_list(host, "Filled", criterion_id=rule.id)
    who = add_person(host, "a@x.test")
    withdraw(host, who, list_ids=None, proof=PAGE)
    pause(host, who, until=host.clock() + timedelta(days=9), proof=PAGE)
    clock(host).tick(minutes=1)
    assert come_back(host, who, [news.id], address="a@x.test", proof=PAGE)
    assert not come_back(host, who, [news.id], address="a@x.test", proof=PAGE)
    assert stopped(host, "person", [Asked(1, who.key, "a@x.test", news.id)], Purpose(list_ids=(news.id,))) == {}
    by_criterion = Purpose(list_ids=(filled.id,), by_criterion=True)
    assert stopped(host, "person", [Asked(1, who.key, "a@x.test", filled.id)], by_criterion) == {
        1: SkipReason.OPTED_OUT
    }
    host.session.commit()
    assert [(fact.list_id, fact.subscribed) for fact in heard] == [(None, True), (news.id, True)]


def test_stops_of_the_address_end_where_it_was_confirmed(host: Host) -> None:
    news, other = add_list(host), add_list(host, "Other")
    who = add_person(host, "a@x.test")
    erased = address_hash(host.config, "a@x.test")
    suppress(host, address_hash=erased, scope=ALL, reason=SuppressionReason.ERASED)
    for list_ in (news, other):
        suppress(
            host,
            address="a@x.test",
            scope=SuppressionScope.LIST,
            list_id=list_.id,
            reason=SuppressionReason.OPT_OUT,
        )
    come_back(host, who, [news.id], address="A@X.test", proof=PAGE)
    assert host.session.scalars(select(Suppression.list_id)).all() == [other.id]


def test_what_is_not_theirs_to_end_stays(host: Host) -> None:
    news, who = add_list(host), add_person(host, "a@x.test")
    for reason in SuppressionReason:
        suppress(host, address="a@x.test", scope=ALL, reason=reason)
    come_back(host, who, [news.id], address="a@x.test", proof=PAGE)
    assert set(host.session.scalars(select(Suppression.reason))) == {
        reason.value for reason in SuppressionReason if not reason.yields
    }
    assert stopped(host, "person", [Asked(1, who.key, "a@x.test")], Purpose()) == {1: SkipReason.SUPPRESSED}
