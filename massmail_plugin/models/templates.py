"""Tables of reusable messages: a template and its versions. A version is never changed once saved."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from massmail_plugin.models.base import Base, UtcDateTime
from massmail_plugin.models.lists import Segment, Topic
from massmail_plugin.models.senders import Sender
from massmail_plugin.vocabulary import TemplateFormat


class Template(Base):
    """A reusable message with its defaults; the words are in its newest version."""

    __tablename__ = "massmail_template"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    description: Mapped[str] = mapped_column(Text, default="")
    topic_id: Mapped[int | None] = mapped_column(ForeignKey("massmail_topic.id"))
    segment_id: Mapped[int | None] = mapped_column(ForeignKey("massmail_segment.id"))
    format: Mapped[str] = mapped_column(String(10), default=TemplateFormat.HTML)
    sender_id: Mapped[int | None] = mapped_column(ForeignKey("massmail_sender.id"))
    from_name: Mapped[str] = mapped_column(String(200), default="")
    from_address: Mapped[str] = mapped_column(String(254), default="")
    reply_to: Mapped[str] = mapped_column(String(254), default="")
    bcc: Mapped[str] = mapped_column(String(254), default="")
    statuses: Mapped[dict[str, str | None] | None] = mapped_column(JSON)
    """Overrides of the host's StatusMapping: outcome -> status, or None for "leave it"; NULL means no override."""
    keeps_history: Mapped[bool] = mapped_column(default=False)
    """Whether a copy of each mail goes to the contact's history in the host (`write_history`)."""
    actions: Mapped[list[str] | None] = mapped_column(JSON)
    """Names of what the host does for each mail that was sent (`MassMail.action`)."""
    version_number: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(200), default="")
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    sender: Mapped[Sender | None] = relationship()
    topic: Mapped[Topic | None] = relationship()
    segment: Mapped[Segment | None] = relationship()
    versions: Mapped[list["TemplateVersion"]] = relationship(
        back_populates="template", cascade="all, delete-orphan", order_by="TemplateVersion.number"
    )

    @property
    def topic_title(self) -> str:
        """What `{{ mailing.topic }}` prints; empty where it has no topic."""
        return self.topic.title if self.topic else ""


class TemplateVersion(Base):
    """The words of a template as they were at one save."""

    __tablename__ = "massmail_template_version"
    __table_args__ = (UniqueConstraint("template_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    template_id: Mapped[int] = mapped_column(ForeignKey("massmail_template.id"))
    number: Mapped[int]
    subject: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text, default="")
    text: Mapped[str] = mapped_column(Text, default="")
    """The author's own text part; empty on an HTML version means: derive it."""
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    saved_by: Mapped[str] = mapped_column(String(200), default="")

    template: Mapped[Template] = relationship(back_populates="versions")
