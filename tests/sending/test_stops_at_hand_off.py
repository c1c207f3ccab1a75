"""Whatever stops somebody after the recipients were gathered, it holds for the mail that would leave next."""

from datetime import timedelta

from sqlalchemy import select

from massmail_plugin import consent, outbox
from massmail_plugin.consent.proof import Proof
from massmail_plugin.models import Criterion, OutboxMessage, Topic
from massmail_plugin.opt_out import from_host
from massmail_plugin.vocabulary import ConsentWay, SuppressionReason, SuppressionScope
from tests.consent.small_host import add_list, add_person, clock
from tests.sending.conftest import subscribe
from tests.sending.test_lane import launched, rows, run

PAGE = Proof(ConsentWay.PAGE, evidence="page")
ALL = SuppressionScope.ALL_BUT_TRANSACTIONAL


def topic(host, name):
    row = Topic(name=name)
    host.session.add(row)
    host.session.flush()
    return row.id


def test_every_kind_of_stop_holds_back_the_mail_that_is_planned(host, provider, news, template):
    wine, tea = topic(host, "Wine"), topic(host, "Tea")
    news.topic_id, template.topic_id = wine, tea
    names = ("free", "topic", "theme", "pause", "hash", "hand", "list", "told", "over")
    people = {name: add_person(host, f"{name}@example.org") for name in names}
    subscribe(host, news, *people.values())
    mailing = launched(host, template, news)
    consent.withdraw(host, people["topic"], list_ids=None, topic_id=wine, proof=PAGE)
    consent.withdraw(host, people["theme"], list_ids=None, topic_id=tea, proof=PAGE)
    consent.pause(host, people["pause"], until=host.clock() + timedelta(days=30), proof=PAGE)
    digest = consent.address_hash(host.config, "hash@example.org")
    consent.suppress(host, address_hash=digest, scope=ALL, reason=SuppressionReason.ERASED)
    consent.suppress(host, address="hand@example.org", scope=ALL, reason=SuppressionReason.BY_PERSON)
    scope, reason = SuppressionScope.LIST, SuppressionReason.COMPLAINT
    consent.suppress(host, contact=people["list"], scope=scope, list_id=news.id, reason=reason)
    from_host(host, people["told"], wants_mail=False, by="ann")
    end = host.clock() + timedelta(days=1)
    consent.suppress(host, address="over@example.org", scope=ALL, reason=SuppressionReason.BY_PERSON, until=end)
    host.session.commit()
    clock(host).tick(days=2)
    run(host)
    assert sorted(mail.rcpt_to for mail in provider.messages) == ["free@example.org", "over@example.org"]
    by_name = {row.address.partition("@")[0]: row.reason for row in rows(host, mailing)}
    assert {name for name, why in by_name.items() if why == "opted_out"} == {"topic", "theme", "pause", "told"}
    assert {name for name, why in by_name.items() if why == "suppressed"} == {"hash", "hand", "list"}


def test_whoever_wants_fewer_mails_gets_one_of_two(host, provider, news, template):
    who, other = add_person(host, "a@example.org"), add_person(host, "b@example.org")
    subscribe(host, news, who, other)
    consent.want_fewer(host, who, 7)
    first, second = launched(host, template, news), launched(host, template, news)
    run(host)
    got = select(OutboxMessage.mailing_id).where(OutboxMessage.contact_key == who.key, OutboxMessage.state == "sent")
    assert host.session.scalars(got).all() == [first.id]
    assert outbox.counts(host, second.id) == outbox.Counts(sent=1, skipped=1)
    assert [row.reason for row in rows(host, second)] == ["wants_fewer", ""]
    clock(host).tick(days=7)
    launched(host, template, news)
    run(host)
    assert sorted(mail.rcpt_to for mail in provider.messages) == ["a@example.org"] * 2 + ["b@example.org"] * 3


def test_who_leaves_a_list_kept_by_a_criterion_gets_no_more(host, provider, template):
    now = host.clock()
    rule = Criterion(name="all", contact_source="person", rule={"all": []}, created_at=now, updated_at=now)
    host.session.add(rule)
    host.session.flush()
    filled = add_list(host, "Filled", criterion_id=rule.id)
    stays, leaves = add_person(host, "a@example.org"), add_person(host, "b@example.org")
    host.session.commit()
    mailing = launched(host, template, filled)
    consent.withdraw(host, leaves, list_ids=[filled.id], proof=PAGE)
    host.session.commit()
    run(host)
    assert [mail.rcpt_to for mail in provider.messages] == ["a@example.org"]
    assert [(row.contact_key, row.reason) for row in rows(host, mailing)] == [
        (stays.key, ""),
        (leaves.key, "opted_out"),
    ]


def test_a_mail_may_print_what_its_reader_agreed_to(host, provider, news, template):
    news.public_name, news.topic_id = "Our news", topic(host, "Wine")
    template.versions[0].html = (
        "<p>{% for item in contact.subscriptions %}{{ item.name }} about {{ item.topic }};{% endfor %}"
        "{% if contact.opted_out %}out{% else %}in{% endif %}</p>"
    )
    host.session.commit()
    subscribe(host, news, add_person(host, "a@example.org"))
    launched(host, template, news)
    run(host)
    (mail,) = provider.messages
    assert b"Our news about Wine;in" in mail.content
