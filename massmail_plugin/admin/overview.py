"""The first page of the section: what is set up, how the workers are, and the newest mailings. Reads only."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, func, select

from massmail_plugin.admin.frame.section import FilesSection, screen
from massmail_plugin.contracts import Host
from massmail_plugin.models import Chunk, List, Mailing, OutboxMessage, Sender, Template
from massmail_plugin.vocabulary import Act, MailingKind, MessageState

RECENT = 8


@dataclass(frozen=True)
class Step:
    """One step of setting the section up, and the screen (endpoint) where it is done."""

    done: bool
    label: str
    words: str
    endpoint: str


class Overview(FilesSection):
    title = "Overview"
    slug = "overview"

    @screen("/", Act.RESULTS_VIEW)
    def index(self) -> str:
        return self.render(
            "massmail/admin/overview.html",
            title="Mailing overview",
            steps=steps(self.host),
            queue=self.host.queue_status(),
            recent=recent(self.host),
        )


def steps(host: Host) -> list[Step]:
    """Sender, template, list, test: in the order a newcomer does them."""
    sent_test = exists().where(
        OutboxMessage.mailing_id == Mailing.id,
        Mailing.kind == MailingKind.TEST,
        OutboxMessage.state == MessageState.SENT,
    )
    there = host.session.execute(
        select(
            *(select(exists().where(m.id.is_not(None))).scalar_subquery() for m in (Sender, Template, List)), sent_test
        )
    ).one()
    return [
        Step(bool(there[0]), "Add a sender", "The mail account your mailings leave from.", "massmail_senders.new"),
        Step(
            bool(there[1]),
            "Write a template",
            "Subject and text, with fields of your contacts.",
            "massmail_templates.new",
        ),
        Step(bool(there[2]), "Make a list", "A kind of mailing that contacts have agreed to.", "massmail_lists.new"),
        Step(
            bool(there[3]),
            "Send yourself a test",
            "Open a template and choose “Send a test”.",
            "massmail_templates.index",
        ),
    ]


def recent(host: Host) -> list[Any]:
    """The newest mailings with how many are in them and how many were sent, from the chunks' counters."""
    counts = (
        select(
            Chunk.mailing_id,
            func.sum(Chunk.sent).label("sent"),
            func.sum(Chunk.planned + Chunk.deferred + Chunk.sent + Chunk.refused + Chunk.uncertain).label("total"),
        )
        .group_by(Chunk.mailing_id)
        .subquery()
    )
    query = (
        select(Mailing, counts.c.sent, counts.c.total)
        .outerjoin(counts, counts.c.mailing_id == Mailing.id)
        .where(Mailing.kind == MailingKind.ONE_OFF)
        .order_by(Mailing.id.desc())
        .limit(RECENT)
    )
    return list(host.session.execute(query))
