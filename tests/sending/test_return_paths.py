"""Each mail has a return path of its own where its sender has one; copies have none, and neither has the From."""

from email import message_from_bytes

from sqlalchemy import select

from massmail_plugin.models import OutboxMessage
from massmail_plugin.signed_links import read_return_path
from tests.consent.small_host import add_person

from .conftest import subscribe
from .test_lane import launched, run


def test_every_mail_comes_back_to_an_address_of_its_own(host, provider, news, template):
    template.sender.return_path, template.sender.bcc = "bounces@mail.example.org", "archive@example.org"
    subscribe(host, news, *(add_person(host, f"{name}@example.org") for name in "abc"))
    launched(host, template, news)
    run(host)
    originals = [mail for mail in provider.messages if not mail.is_copy]
    addresses = dict(host.session.execute(select(OutboxMessage.id, OutboxMessage.address)).all())
    named = {addresses[read_return_path(host.config, mail.mail_from)]: mail.rcpt_to for mail in originals}
    assert named == {f"{name}@example.org": f"{name}@example.org" for name in "abc"}
    copies = [mail for mail in provider.messages if mail.is_copy]
    assert {mail.mail_from for mail in copies} == {"bounces@mail.example.org"}
    for mail in provider.messages:
        assert message_from_bytes(mail.content)["From"] == "Us <us@example.org>"
        assert "return-path" not in {name.lower() for name in message_from_bytes(mail.content)}


def test_without_one_bounces_go_to_the_from_address(host, provider, news, template):
    subscribe(host, news, add_person(host, "a@example.org"))
    launched(host, template, news)
    run(host)
    assert [mail.mail_from for mail in provider.messages] == ["us@example.org"]
