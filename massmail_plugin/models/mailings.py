"""Tables of runs: a mailing, its lists, what was prepared once for it, and its links."""

from datetime import datetime

from sqlalchemy import JSON, Column, ForeignKey, Index, String, Table, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from massmail_plugin.models.base import Base, SourceName, UtcDateTime
from massmail_plugin.models.criteria import Criterion
from massmail_plugin.models.lists import List
from massmail_plugin.models.senders import Sender
from massmail_plugin.models.templates import Template, TemplateVersion
from massmail_plugin.vocabulary import MailingKind, MailingState, ResendOf, ResendWindow

mailing_list = Table(
    "massmail_mailing_list",
    Base.metadata,
    Column("mailing_id", ForeignKey("massmail_mailing.id"), primary_key=True),
    Column("list_id", ForeignKey("massmail_list.id"), primary_key=True),
)

excluded_list = Table(
    "massmail_excluded_list",
    Base.metadata,
    Column("mailing_id", ForeignKey("massmail_mailing.id"), primary_key=True),
    Column("list_id", ForeignKey("massmail_list.id"), primary_key=True),
)


class Mailing(Base):
    """One run: template x lists x criterion x schedule x sender, with its own outcome mapping."""

    __tablename__ = "massmail_mailing"
    __table_args__ = (Index("ix_massmail_mailing_state", "state", "scheduled_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20), default=MailingKind.ONE_OFF)
    state: Mapped[str] = mapped_column(String(20), default=MailingState.DRAFT)
    hold_reason: Mapped[str] = mapped_column(String(30), default="")
    hold_note: Mapped[str] = mapped_column(Text, default="")
    contact_source: Mapped[str] = mapped_column(SourceName)
    address_roles: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Roles to write to, in order; empty means every e-mail role of the source."""
    template_id: Mapped[int | None] = mapped_column(ForeignKey("massmail_template.id"))
    version_id: Mapped[int | None] = mapped_column(ForeignKey("massmail_template_version.id"))
    """Frozen at launch."""
    criterion_id: Mapped[int | None] = mapped_column(ForeignKey("massmail_criterion.id"))
    contact_statuses: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Only contacts with one of these statuses of the host get it; empty means any status."""
    resend_window: Mapped[str] = mapped_column(String(10), default=ResendWindow.NONE)
    """Who got mail within it is left out: a ResendWindow."""
    resend_of: Mapped[str] = mapped_column(String(10), default=ResendOf.MAILING)
    """Which mail counts for that: a ResendOf."""
    origin_id: Mapped[int | None] = mapped_column(ForeignKey("massmail_mailing.id"))
    """The first of the mailings this one is a copy of."""
    sender_id: Mapped[int | None] = mapped_column(ForeignKey("massmail_sender.id"))
    one_per_address: Mapped[bool] = mapped_column(default=True)
    retries: Mapped[bool] = mapped_column(default=True)
    """Whether temporary refusals are tried again by themselves; else they are refused at once."""
    tracking: Mapped[bool] = mapped_column(default=True)
    """Whether opens and clicks are seen; without it the mails hold no pixel and plain links."""
    statuses: Mapped[dict[str, str | None] | None] = mapped_column(JSON)
    """Overrides of the template's and the host's status mapping; NULL means no override."""
    from_name: Mapped[str] = mapped_column(String(200), default="")
    from_address: Mapped[str] = mapped_column(String(254), default="")
    reply_to: Mapped[str] = mapped_column(String(254), default="")
    bcc: Mapped[str] = mapped_column(String(254), default="")
    scheduled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it may start; NULL in a draft means at once."""
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("massmail_campaign.id"))
    message_domain: Mapped[str] = mapped_column(String(255), default="")
    """Right side of its Message-IDs, frozen at launch."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(200), default="")
    launched_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    launched_by: Mapped[str] = mapped_column(String(200), default="")
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    digest_to: Mapped[str] = mapped_column(String(500), default="")
    """Addresses that get the results by mail after a day, comma between them."""
    digest_sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    template: Mapped[Template | None] = relationship()
    version: Mapped[TemplateVersion | None] = relationship()
    criterion: Mapped[Criterion | None] = relationship()
    sender: Mapped[Sender | None] = relationship()
    lists: Mapped[list[List]] = relationship(secondary=mailing_list, order_by=List.name)
    excluded_lists: Mapped[list[List]] = relationship(secondary=excluded_list, order_by=List.name)
    """Whoever is on one of them does not get it."""

    @property
    def is_test(self) -> bool:
        return self.kind == MailingKind.TEST


class PreparedMessage(Base):
    """What was prepared once for a mailing: Liquid texts with styles inlined and links numbered."""

    __tablename__ = "massmail_prepared_message"

    mailing_id: Mapped[int] = mapped_column(ForeignKey("massmail_mailing.id"), primary_key=True)
    subject: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    tracks_opens: Mapped[bool]
    from_name: Mapped[str] = mapped_column(String(200))
    from_address: Mapped[str] = mapped_column(String(254))
    reply_to: Mapped[str] = mapped_column(String(254))
    bcc: Mapped[str] = mapped_column(String(254))


class Link(Base):
    """A link of a mailing, known in the mail by its number. `target` may hold Liquid, rendered when it is clicked."""

    __tablename__ = "massmail_link"
    __table_args__ = (UniqueConstraint("mailing_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    mailing_id: Mapped[int] = mapped_column(ForeignKey("massmail_mailing.id"))
    number: Mapped[int]
    target: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(String(200), default="")
    interest: Mapped[str] = mapped_column(String(40), default="")
    """The interest a click speaks of, in the host's own code; empty means none."""
    score: Mapped[int] = mapped_column(default=0)
