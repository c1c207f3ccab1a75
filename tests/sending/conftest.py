"""The small host with a provider that keeps what it would send, and a mailing ready to be launched."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import current_app

from massmail_plugin import consent
from massmail_plugin.consent.proof import Proof
from massmail_plugin.contracts import Host, StatusMapping
from massmail_plugin.models import List, Sender, Template, TemplateVersion
from massmail_plugin.providers.recording import RecordingProvider
from massmail_plugin.vocabulary import ConsentWay, Outcome
from tests.consent.small_host import add_list, running_host

STATUSES = {outcome: f"is_{outcome.value}" for outcome in Outcome}


@pytest.fixture
def provider() -> RecordingProvider:
    """Takes every mail and keeps it."""
    return RecordingProvider()


@pytest.fixture
def host(database_url: str, provider: RecordingProvider) -> Iterator[Host]:
    """The small host on either database; every outcome has a status."""
    with running_host(database_url) as host:
        host = replace(
            host,
            config=replace(host.config, chunk_size=3),
            providers={provider.name: provider},
            statuses=StatusMapping(STATUSES, known=STATUSES.values),
        )
        current_app.extensions["massmail"] = host
        yield host


@pytest.fixture
def news(host: Host) -> List:
    """A list."""
    return add_list(host)


@pytest.fixture
def template(host: Host) -> Template:
    """A template with a field and a link, and a sender of its own."""
    now = host.clock()
    sender = Sender(
        name="Post", provider="recording", from_name="Us", from_address="us@example.org", created_at=now, tested_at=now
    )
    template = Template(name="Hello", format="html", version_number=1, created_at=now, updated_at=now, sender=sender)
    template.versions = [
        TemplateVersion(
            number=1,
            subject="Hello {{ contact.first }}",
            html='<p>Hello {{ contact.first }}, <a href="https://shop.example/">look</a></p>',
            text="",
            saved_at=now,
        )
    ]
    host.session.add(template)
    host.session.commit()
    return template


def subscribe(host: Host, list_: List, *refs) -> None:
    """Put contacts on the list."""
    consent.subscribe(host, list_, refs, proof=Proof(ConsentWay.PERSON, evidence="test"))
    host.session.commit()
