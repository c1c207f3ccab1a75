"""The host after a mailing, with a list that takes sign-ups, and a clock that is set by hand."""

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select

from massmail_plugin.contracts import Host, NewContact, SignUpField
from massmail_plugin.models import List, PreparedMessage, Sender, SignUp
from massmail_plugin.signed_links.sign_up_links import confirm_token, form_token
from tests.public.mailed_host import PEOPLE, MailedHost, Person, mailed_host

ADDRESS = re.compile(r'name="shown" value="([^"]+)"')


@dataclass
class SigningHost:
    """The application, its list, and shortcuts into what happened."""

    mailed: MailedHost
    host: Host
    list_id: int
    now: datetime = field(default_factory=lambda: datetime(2027, 5, 23, 12, 0, tzinfo=UTC))

    @property
    def form(self) -> str:
        return f"/m/s/{form_token(self.host.config, self.list_id)}"

    def confirmation(self, sign_up: SignUp) -> str:
        return f"/m/s/confirm/{confirm_token(self.host.config, sign_up.id)}"

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)

    def rows(self) -> list[SignUp]:
        query = select(SignUp).order_by(SignUp.id)
        return list(self.host.session.scalars(query.execution_options(populate_existing=True)))

    def mails(self) -> list[str]:
        """Texts of the mails that were put into the outbox."""
        return list(self.host.session.scalars(select(PreparedMessage.text).where(PreparedMessage.text != "t")))


def signing_host(app: Flask, **config: Any) -> SigningHost:
    """Build it on `app`; the caller keeps an application context."""
    mailed = mailed_host(app, config=config)
    questions = [SignUpField("name", {"en": "Your name", "de": "Ihr Name"}, required=True, autocomplete="name")]
    signing: SigningHost
    host = replace(mailed.host, clock=lambda: signing.now, sources={"people": replace(PEOPLE, sign_up=questions)})

    def make(people: list[NewContact]) -> list[int]:
        made = [Person(name=one.values["name"], email=one.address) for one in people]
        host.session.add_all(made)
        host.session.flush()
        return [person.id for person in made]

    host.hooks.create_contact = make
    app.extensions["massmail"] = host
    with app.app_context():
        list_ = host.session.scalars(select(List).where(List.name == "news")).one()
        list_.sign_up = True
        host.session.add(
            Sender(name="Post", provider="recording", from_address="us@example.org", created_at=mailed.host.clock())
        )
        host.session.commit()
        signing = SigningHost(mailed, host, list_.id)
    return signing
