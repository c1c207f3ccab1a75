"""A mounted host with a sender, a list, templates and contacts, for the tests of campaigns."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from massmail_plugin import campaigns, consent
from massmail_plugin.consent.proof import Proof
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.models import Campaign, List, Mailing, OutboxMessage, Sender, Template, TemplateVersion
from massmail_plugin.upkeep import schema
from massmail_plugin.vocabulary import ConsentWay
from tests.upkeep.small_host import HandClock, Member, small_host

SERIES = (0, 7, 14)


class World:
    """What a test of campaigns needs to say in one line."""

    def __init__(self, host: Host, clock: HandClock) -> None:
        self.host, self.clock = host, clock
        sender = Sender(name="Post", from_address="post@example.org", created_at=clock())
        self.list = List(name="Welcome", created_at=clock())
        host.session.add_all([sender, self.list])
        host.session.flush()
        self.sender_id, self.list_id = sender.id, self.list.id
        host.session.commit()

    def template(self, name: str) -> int:
        now = self.clock()
        version = TemplateVersion(number=1, subject="Hello {{ contact.name }}", html="<p>Hello</p>", saved_at=now)
        made = Template(name=name, created_at=now, updated_at=now, version_number=1, versions=[version])
        self.host.session.add(made)
        self.host.session.flush()
        return made.id

    def campaign(self, days: Sequence[int] = SERIES, *, active: bool = True, name: str = "Welcome series") -> Campaign:
        made = campaigns.create(
            self.host,
            name=name,
            source_name="members",
            by="ada",
            list_ids=[self.list_id],
            sender_id=self.sender_id,
        )
        for day in days:
            campaigns.add_step(self.host, made, day=day, template_id=self.template(f"{name} {day}"))
        if active:
            campaigns.activate(self.host, made, by="ada")
        self.host.session.commit()
        return made

    def members(self, number: int, **values: object) -> list[str]:
        """New contacts with an address each; their keys."""
        first = (self.host.session.scalar(select(Member.id).order_by(Member.id.desc()).limit(1)) or 0) + 1
        rows = [
            {
                "id": key,
                "name": f"Member {key}",
                "mail": f"m{key}@example.org",
                "active": True,
                "status": "new",
                **values,
            }
            for key in range(first, first + number)
        ]
        self.host.session.execute(insert(Member), rows)
        self.host.session.commit()
        return [str(row["id"]) for row in rows]

    def join(self, *keys: str) -> None:
        """Contacts come onto the list now."""
        refs = [ContactRef("members", key) for key in keys]
        consent.subscribe(self.host, self.list, refs, proof=Proof(ConsentWay.PERSON, evidence="asked for it"))
        self.host.session.commit()

    def new_member(self) -> str:
        (key,) = self.members(1)
        self.join(key)
        return key

    def opt_out(self, key: str, *, list_ids: Sequence[int] | None = None) -> None:
        consent.withdraw(
            self.host,
            ContactRef("members", key),
            list_ids=list_ids,
            proof=Proof(ConsentWay.PERSON, evidence="asked for it"),
        )
        self.host.session.commit()

    def tick(self, **span: float) -> int:
        """Travel, then do what the scheduler does."""
        self.clock.go(**span)
        return campaigns.advance(self.host)

    def mails(self, key: str) -> list[str]:
        """The names of the mailings whose outbox holds a mail to be sent to this contact, in order."""
        rows = select(OutboxMessage).where(OutboxMessage.contact_key == key, OutboxMessage.state == "planned")
        names = dict(self.host.session.execute(select(Mailing.id, Mailing.name)).all())
        return [names[row.mailing_id] for row in self.host.session.scalars(rows.order_by(OutboxMessage.id))]


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    """On each database."""
    with small_host(database_url, tmp_path) as (_, host, clock, _):
        schema.upgrade(host)
        yield World(host, clock)


@pytest.fixture
def plain_world(tmp_path: Path) -> Iterator[World]:
    """On SQLite alone."""
    with small_host(f"sqlite:///{tmp_path / 'plain.sqlite3'}", tmp_path) as (_, host, clock, _):
        schema.upgrade(host)
        yield World(host, clock)
