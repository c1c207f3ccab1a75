"""Tables of series: a campaign, its lists, its steps, and who is in it."""

from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from massmail_plugin.models.base import Base, BigId, ContactKey, SourceName, UtcDateTime
from massmail_plugin.models.lists import List
from massmail_plugin.models.mailings import Mailing
from massmail_plugin.models.senders import Sender
from massmail_plugin.models.templates import Template
from massmail_plugin.vocabulary import CampaignState, EnrolmentState

campaign_list = Table(
    "massmail_campaign_list",
    Base.metadata,
    Column("campaign_id", ForeignKey("massmail_campaign.id"), primary_key=True),
    Column("list_id", ForeignKey("massmail_list.id"), primary_key=True),
)


class Campaign(Base):
    """A series of mailings relative to each contact's entry, with lists of its own."""

    __tablename__ = "massmail_campaign"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    description: Mapped[str] = mapped_column(Text, default="")
    contact_source: Mapped[str] = mapped_column(SourceName)
    sender_id: Mapped[int | None] = mapped_column(ForeignKey("massmail_sender.id"))
    tracking: Mapped[bool] = mapped_column(default=True)
    """Of the mailings it opens: whether opens and clicks are seen."""
    state: Mapped[str] = mapped_column(String(20), default=CampaignState.DRAFT)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(200), default="")
    activated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Contacts who joined one of its lists before this stay out, unless enrolled at activation."""

    sender: Mapped[Sender | None] = relationship()
    lists: Mapped[list[List]] = relationship(secondary=campaign_list, order_by=List.name)
    steps: Mapped[list["CampaignStep"]] = relationship(
        back_populates="campaign", cascade="all, delete-orphan", order_by="CampaignStep.day"
    )


class CampaignStep(Base):
    """One mail of a campaign, `day` days after entry; it sends through a mailing of its own."""

    __tablename__ = "massmail_campaign_step"
    __table_args__ = (UniqueConstraint("campaign_id", "day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("massmail_campaign.id"))
    day: Mapped[int]
    template_id: Mapped[int] = mapped_column(ForeignKey("massmail_template.id"))
    mailing_id: Mapped[int | None] = mapped_column(ForeignKey("massmail_mailing.id"))
    """The open mailing it sends through; made at activation."""

    campaign: Mapped[Campaign] = relationship(back_populates="steps")
    template: Mapped[Template] = relationship()
    mailing: Mapped[Mailing | None] = relationship()


class Enrolment(Base):
    """A contact in a campaign."""

    __tablename__ = "massmail_enrolment"
    __table_args__ = (
        UniqueConstraint("campaign_id", "contact_source", "contact_key", "entry_number"),
        Index("ix_massmail_enrolment_due", "campaign_id", "state", "next_due_at"),
        Index("ix_massmail_enrolment_contact", "contact_source", "contact_key"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("massmail_campaign.id"))
    contact_source: Mapped[str] = mapped_column(SourceName)
    contact_key: Mapped[str] = mapped_column(ContactKey)
    entry_number: Mapped[int] = mapped_column(default=1)
    list_id: Mapped[int | None] = mapped_column(ForeignKey("massmail_list.id"))
    entered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(20), default=EnrolmentState.ACTIVE)
    left_reason: Mapped[str] = mapped_column(String(40), default="")
    last_day: Mapped[int | None]
    """Day of the last step that was planned for this contact; NULL before the first."""
    next_due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    status: Mapped[str | None] = mapped_column(String(100))
