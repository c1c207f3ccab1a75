"""A lost link: asking looks nothing up and is bounded; the link goes to the contacts at the address, and works."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

import pytest
from sqlalchemy import event, func, select

from massmail_plugin import consent, mailings, opt_out
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.stops.suppression import suppress
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import LinkRequest, Mailing, OutboxMessage, Sender, Template
from massmail_plugin.providers.recording import RecordingProvider
from massmail_plugin.sending import run_lane
from massmail_plugin.signed_links import read_message_token
from massmail_plugin.vocabulary import ConsentWay, SuppressionReason, SuppressionScope
from tests.consent.small_host import add_person, clock


def ask(host: Host, address: str, *, network: str = "192.0.2.1", language: str = "en") -> None:
    mailings.ask_for_link(host, address, language=language, network=network)
    host.session.commit()


def requests(host: Host) -> int:
    return host.session.scalar(select(func.count()).select_from(LinkRequest)) or 0


def answered(host: Host, provider: RecordingProvider) -> list[EmailMessage]:
    """The mails that go out now."""
    before = len(provider.messages)
    mailings.answer_lost_links(host)
    host.session.commit()
    run_lane(host, seconds=5)
    return [
        cast(EmailMessage, message_from_bytes(one.content, policy=policy.default)) for one in provider.messages[before:]
    ]


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_the_contact_gets_a_link_that_chooses_for_them(
    host: Host, provider: RecordingProvider, template: Template
) -> None:
    ann = add_person(host, "Ann@Example.org")
    ask(host, " ANN@example.org")
    (mail,) = answered(host, provider)
    link = next(line for line in text_of(mail).splitlines() if line.startswith(host.config.public_root))
    number = read_message_token(host.config, link.rpartition("/")[2])
    assert "/p/" in link
    assert opt_out.recipient(host, number).contact == ann
    assert opt_out.leave(host, number, everything=True)
    assert "List-Unsubscribe" not in mail
    assert answered(host, provider) == []


def test_nobody_else_gets_anything(host: Host, provider: RecordingProvider, template: Template) -> None:
    add_person(host, "ann@example.org")
    ask(host, "nobody@example.org")
    assert answered(host, provider) == []


def test_who_opted_out_gets_it_and_who_complained_does_not(
    host: Host, provider: RecordingProvider, template: Template
) -> None:
    ann = add_person(host, "ann@example.org")
    add_person(host, "ben@example.org")
    consent.withdraw(host, ann, list_ids=None, proof=Proof(ConsentWay.PERSON, evidence="test"))
    complaint = {"scope": SuppressionScope.ALL_BUT_TRANSACTIONAL, "reason": SuppressionReason.COMPLAINT}
    suppress(host, address="ben@example.org", **complaint)
    ask(host, "ann@example.org")
    ask(host, "ben@example.org")
    assert [mail["To"] for mail in answered(host, provider)] == ["ann@example.org"]


def test_people_who_share_an_address_get_a_link_each(
    host: Host, provider: RecordingProvider, template: Template
) -> None:
    both = {add_person(host, "home@example.org"), add_person(host, "home@example.org")}
    ask(host, "home@example.org")
    mails = answered(host, provider)
    assert len(mails) == 2
    sent = host.session.scalars(select(OutboxMessage).where(OutboxMessage.address_role == "service"))
    assert {(row.contact_source, row.contact_key) for row in sent} == {(one.source, one.key) for one in both}


def test_it_is_in_the_language_the_visitor_read(host: Host, provider: RecordingProvider, template: Template) -> None:
    add_person(host, "ann@example.org")
    ask(host, "ann@example.org", language="fr")
    (mail,) = answered(host, provider)
    assert mail["Subject"].startswith("Votre lien")
    assert "choisir ce que vous recevez" in text_of(mail)
    html = mail.get_body(("html",))
    assert html is not None
    assert '<html lang="fr">' in html.get_content()


def test_it_comes_from_whom_the_contact_knows(host: Host, provider: RecordingProvider, template: Template) -> None:
    now, ann = host.clock(), add_person(host, "ann@example.org")
    other = Sender(name="Shop", provider="recording", from_address="shop@example.org", created_at=now)
    mailing = Mailing(name="Autumn", contact_source=ann.source, sender=other, created_at=now)
    host.session.add(mailing)
    host.session.flush()
    row = {"mailing_id": mailing.id, "chunk": 0, "address_role": "main", "address": "ann@example.org"}
    host.session.add(OutboxMessage(contact_source=ann.source, contact_key=ann.key, state="sent", **row))
    ask(host, "ann@example.org")
    (mail,) = answered(host, provider)
    assert mail["From"] == "shop@example.org"


def test_without_any_sender_nothing_fails(host: Host, provider: RecordingProvider) -> None:
    add_person(host, "ann@example.org")
    ask(host, "ann@example.org")
    assert mailings.answer_lost_links(host) == 1


@pytest.mark.parametrize("address", ["", "ann", "ann@", "ann@example.org, ben@example.org", "a@b\r\nBcc: x@y.org"])
def test_what_is_no_address_is_refused(host: Host, address: str) -> None:
    with pytest.raises(BadRequest):
        mailings.ask_for_link(host, address, language="en", network="192.0.2.1")


# --- It reveals nothing ---------------------------------------------------------------------------------------


def test_asking_does_the_same_whether_the_address_is_known_or_not(host: Host) -> None:
    """The same statements, so the same time; contacts are looked for later, by the scheduler."""
    add_person(host, "ann@example.org")
    said: list[str] = []
    event.listen(host.db.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    asked = []
    for address in ("ann@example.org", "nobody@example.org"):
        said.clear()
        ask(host, address, network=f"192.0.2.{len(asked)}")
        asked.append(list(said))
    assert asked[0] == asked[1]
    assert not any("person" in statement for statement in asked[0])


def test_it_is_bounded_for_each_address(host: Host) -> None:
    for number in range(100):
        ask(host, "ann@example.org", network=f"192.0.2.{number}")
        clock(host).tick(minutes=10)
    assert requests(host) == 5
    clock(host).tick(days=1)
    ask(host, "ann@example.org")
    assert requests(host) == 6


def test_requests_are_forgotten_after_a_day(host: Host) -> None:
    ask(host, "ann@example.org")
    mailings.answer_lost_links(host)
    clock(host).tick(hours=23)
    mailings.answer_lost_links(host)
    assert requests(host) == 1
    clock(host).tick(hours=2)
    mailings.answer_lost_links(host)
    assert requests(host) == 0


def test_it_is_bounded_for_each_network(host: Host) -> None:
    for number in range(40):
        ask(host, f"ann{number}@example.org")
    assert requests(host) == 20
    ask(host, "ben@example.org", network="192.0.2.2")
    assert requests(host) == 21
