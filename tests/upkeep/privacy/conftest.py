"""Contacts with something in every table: what they got, did, said and wished, each of it marked with their name."""

import contextlib
import json
import zlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from massmail_plugin import consent, outbox
from massmail_plugin.consent.proof import Proof
from massmail_plugin.contracts import ContactRef, Host
from massmail_plugin.mailings import statistics
from massmail_plugin.models import (
    Base,
    Campaign,
    Chunk,
    ConsentText,
    Enrolment,
    EventFeed,
    KeptValues,
    Link,
    LinkRequest,
    List,
    Mailing,
    OptOutReason,
    OutboxMessage,
    OutcomeReport,
    PastMessage,
    PreparedMessage,
    ProviderListEntry,
    Received,
    SignUp,
    Standing,
    Topic,
    Webhook,
    WebhookDelivery,
)
from massmail_plugin.outcomes import NewEvent, keep_events
from massmail_plugin.vocabulary import (
    ConsentWay,
    EventKind,
    MailingKind,
    MailingState,
    MessageState,
    OptOutWhy,
    ReportState,
    SignUpState,
    SuppressionReason,
    SuppressionScope,
)
from tests.consent.small_host import Client, running_host

EVERYTHING = SuppressionScope.ALL_BUT_TRANSACTIONAL


@pytest.fixture
def host(database_url: str) -> Iterator[Host]:
    with running_host(database_url) as host:
        yield host


class World:
    """Two mailings, a list and a campaign; `live` lets somebody take part in everything."""

    def __init__(self, host: Host) -> None:
        now = host.clock()
        self.host = host
        self.topic = Topic(name="Gardens")
        host.session.add(self.topic)
        host.session.flush()
        self.list = List(name="News", created_at=now, topic_id=self.topic.id)
        self.series = Campaign(name="Welcome", contact_source="client", created_at=now)
        self.feed = EventFeed(name="Provider", provider="ses", path="abc", created_at=now)
        self.hook = Webhook(name="CRM", url="https://crm.example", created_at=now)
        host.session.add_all([self.list, self.series, self.feed, self.hook])
        host.session.flush()
        self.text = ConsentText(list_id=self.list.id, locale="en", number=1, words="I want it.", created_at=now)
        self.mailing = self._mailing("Spring", MailingKind.ONE_OFF)
        self.test = self._mailing("Test of Spring", MailingKind.TEST)
        self.link = Link(mailing_id=self.mailing.id, number=1, target="https://garden.example/tulips")
        host.session.add_all([self.text, self.link])
        host.session.commit()

    def _mailing(self, name: str, kind: MailingKind) -> Mailing:
        now = self.host.clock()
        made = Mailing(
            name=name,
            kind=kind.value,
            state=MailingState.SENDING.value,
            contact_source="client",
            address_roles=[],
            created_at=now,
            launched_at=now,
        )
        self.host.session.add(made)
        self.host.session.flush()
        self.host.session.add(Chunk(mailing_id=made.id, number=0))
        return made

    def contact(self, key: str, address: str | None) -> ContactRef:
        self.host.session.add(Client(code=key, mail=address))
        self.host.session.commit()
        return ContactRef("client", key)

    def mail(self, ref: ContactRef, address: str, mailing: Mailing | None = None, **values: Any) -> OutboxMessage:
        """A mail that was sent."""
        mailing, now = mailing or self.mailing, self.host.clock()
        given = {
            "state": MessageState.SENT.value,
            "settled_at": now,
            "handed_at": now,
            "address_role": "main",
            "dedup_key": consent.normalised(address),
            "reply_text": f"250 OK for {address}",
        }
        row = OutboxMessage(
            mailing_id=mailing.id,
            chunk=0,
            contact_source=ref.source,
            contact_key=ref.key,
            address=address,
            list_id=self.list.id,
            **(given | values),
        )
        self.host.session.add(row)
        self.host.session.flush()
        outbox.recount(self.host, mailing.id)
        self.host.session.commit()
        return row

    def live(self, ref: ContactRef, address: str, name: str) -> OutboxMessage:
        """Something in every table."""
        host, now = self.host, self.host.clock()
        row = self.mail(ref, address)
        self._agrees(ref, address, name)
        self._is_stopped(ref, address, name)
        self._answers(row, address, name)
        self._is_reported(row, name)
        host.session.add_all(
            [
                OptOutReason(
                    message_id=row.id,
                    mailing_id=self.mailing.id,
                    contact_source=ref.source,
                    contact_key=ref.key,
                    reason=OptOutWhy.OTHER,
                    comment=f"{name} has no garden",
                    at=now,
                ),
                Standing(
                    contact_source=ref.source,
                    contact_key=ref.key,
                    place="contact",
                    mailing_id=self.mailing.id,
                    outcome="sent",
                ),
                Enrolment(campaign_id=self.series.id, contact_source=ref.source, contact_key=ref.key, entered_at=now),
                ProviderListEntry(feed_id=self.feed.id, address=consent.normalised(address), ours=True, at=now),
                LinkRequest(address=consent.normalised(address), locale="en", network="192.0.2.7", at=now),
                PastMessage(
                    id=10_000 + row.id,
                    mailing_id=self.mailing.id,
                    contact_source=ref.source,
                    contact_key=ref.key,
                    address_role="main",
                    address_hash=consent.address_hash(host.config, address),
                ),
            ]
        )
        self._keeps_values(row, name, address)
        self._asked_for_a_mail(address, name)
        consent.want_fewer(host, ref, 7)
        host.session.commit()
        return row

    def _agrees(self, ref: ContactRef, address: str, name: str) -> None:
        origin, said = f"192.0.2.7 of {name}", f"{name} said so at the fair"
        proof = Proof(ConsentWay.FORM, evidence=said, origin=origin, consent_text_id=self.text.id)
        consent.subscribe(self.host, self.list, [ref], proof=proof)
        self.host.session.add(
            SignUp(
                list_id=self.list.id,
                address=consent.normalised(address),
                state=SignUpState.WAITING.value,
                values={"first_name": name},
                origin=origin,
                created_at=self.host.clock(),
                confirmed_from=origin,
                consent_text_id=self.text.id,
                contact_source=ref.source,
                contact_key=ref.key,
            )
        )

    def _is_stopped(self, ref: ContactRef, address: str, name: str) -> None:
        stop = {"reason": SuppressionReason.BY_PERSON, "note": f"{name} called"}
        consent.suppress(self.host, contact=ref, scope=SuppressionScope.LIST, list_id=self.list.id, **stop)
        consent.suppress(self.host, address=address, scope=SuppressionScope.TOPIC, topic_id=self.topic.id, **stop)
        of_all = consent.suppress(self.host, address=address, scope=EVERYTHING, **stop)
        consent.release(self.host, of_all, by="staff", note=f"{name} called again")

    def _answers(self, row: OutboxMessage, address: str, name: str) -> None:
        now = self.host.clock()
        agent = f"{name}-Mail/1.0"
        keep_events(
            self.host,
            [
                NewEvent(message_id=row.id, kind=EventKind.OPEN, at=now, user_agent=agent),
                NewEvent(message_id=row.id, kind=EventKind.CLICK, at=now, user_agent=agent, link_id=self.link.id),
                NewEvent(message_id=row.id, kind=EventKind.REPLY, at=now, detail=f"Re: {name}"),
                NewEvent(
                    message_id=row.id,
                    kind=EventKind.BOUNCE,
                    at=now,
                    meaning="soft",
                    detail=f"mailbox of {address} is full",
                    provider="list",
                    provider_event_id=f"list:{address}:bounce",
                ),
            ],
        )
        raw = f"To: {name} <{address}>\r\n\r\nfull".encode()
        for number, message_id in enumerate((row.id, None)):
            self.host.session.add(
                Received(
                    origin="file",
                    origin_id=f"{row.id}-{number}",
                    at=now,
                    kind="bounce",
                    address=address,
                    message_id=message_id,
                    subject=f"Mail to {name}",
                    note=f"{address} is full",
                    raw=raw,
                )
            )

    def _is_reported(self, row: OutboxMessage, name: str) -> None:
        reports = self.host.session.scalars(
            select(OutcomeReport).where(OutcomeReport.message_id == row.id).order_by(OutcomeReport.id)
        ).all()
        for report, state in zip(reports, (ReportState.WAITING, ReportState.DELIVERED), strict=False):
            report.problem = f"KeyError: {name}"
            self.host.session.add(
                WebhookDelivery(
                    webhook_id=self.hook.id,
                    report_id=report.id,
                    state=state.value,
                    due_at=self.host.clock(),
                    problem=f"400 {name} unknown",
                )
            )

    def _keeps_values(self, row: OutboxMessage, name: str, address: str) -> None:
        """One row for all of the chunk."""
        for moment in (self.host.clock() - timedelta(minutes=1), self.host.clock()):
            kept = self.host.session.scalar(select(KeptValues).where(KeptValues.at == moment))
            if kept is None:
                kept = KeptValues(mailing_id=row.mailing_id, chunk=0, at=moment, packed=zlib.compress(b"{}"))
                self.host.session.add(kept)
            values = json.loads(zlib.decompress(kept.packed)) | {str(row.id): {"first_name": name, "mail": address}}
            kept.packed = zlib.compress(json.dumps(values).encode())

    def _asked_for_a_mail(self, address: str, name: str) -> None:
        service = self._mailing("Please confirm", MailingKind.SERVICE)
        words = {"subject": f"{name}, please confirm", "html": f"<p>{address}</p>", "text": address}
        of_sender = dict.fromkeys(("from_name", "from_address", "reply_to", "bcc"), "")
        self.host.session.add(PreparedMessage(mailing_id=service.id, tracks_opens=False, **words, **of_sender))
        self.mail(ContactRef("client", ""), address, service, address_role="service")
        self.mail(ContactRef("client", f"of {name[:1]}"), address, self.test, address_role="test", dedup_key=None)

    def catch_up(self) -> None:
        statistics.catch_up(self.host, seconds=60, settling=timedelta(0))


@pytest.fixture
def world(host: Host) -> World:
    return World(host)


def cells(host: Host, *, but: tuple[str, ...] = ()) -> Iterator[tuple[str, str, str]]:
    """(table, column, text) of every cell of ours; compressed bytes are read."""
    host.session.expire_all()
    for table in Base.metadata.sorted_tables:
        if table.name in but:
            continue
        for row in host.session.execute(select(table)).mappings():
            for name, value in row.items():
                yield table.name, name, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        with contextlib.suppress(zlib.error):
            value = zlib.decompress(value)
        return bytes(value).decode("utf-8", "replace")
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def traces(host: Host, *words: str, **options: Any) -> list[str]:
    """Where one of the words still stands."""
    found = cells(host, **options)
    return sorted({f"{table}.{name}" for table, name, text in found if any(word in text.lower() for word in words)})
