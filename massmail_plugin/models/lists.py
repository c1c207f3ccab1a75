"""Tables of lists and of what groups them: topics and business segments; and the words people agree to."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from massmail_plugin.models.base import Base, UtcDateTime
from massmail_plugin.models.criteria import Criterion


class Topic(Base):
    """What lists and templates are about, in the words of the house; recipients may choose by it."""

    __tablename__ = "massmail_topic"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    public_name: Mapped[str] = mapped_column(String(200), default="")
    """What recipients read; empty means the name."""
    description: Mapped[str] = mapped_column(Text, default="")
    texts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """The house's own words by language: {"de": {"name": ..., "description": ...}, ...}."""
    active: Mapped[bool] = mapped_column(default=True)

    @property
    def title(self) -> str:
        return self.public_name or self.name

    def title_in(self, language: str) -> str:
        """The name recipients read in a language such as "de" or "pt_BR"."""
        return _said(self.texts, language, "name") or self.title

    def description_in(self, language: str) -> str:
        return _said(self.texts, language, "description") or self.description


class Segment(Base):
    """A part of the house's business that lists and templates belong to; for the house alone."""

    __tablename__ = "massmail_segment"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    description: Mapped[str] = mapped_column(Text, default="")
    active: Mapped[bool] = mapped_column(default=True)


class List(Base):
    """A kind of mailing that contacts have agreed to."""

    __tablename__ = "massmail_list"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    public_name: Mapped[str] = mapped_column(String(200), default="")
    """What recipients read on the opt-out pages; empty means the name."""
    description: Mapped[str] = mapped_column(Text, default="")
    topic_id: Mapped[int | None] = mapped_column(ForeignKey("massmail_topic.id"))
    segment_id: Mapped[int | None] = mapped_column(ForeignKey("massmail_segment.id"))
    criterion_id: Mapped[int | None] = mapped_column(ForeignKey("massmail_criterion.id"))
    """Contacts it finds are on the list too, as long as it finds them, except those who left it."""
    active: Mapped[bool] = mapped_column(default=True)
    """False: archived. Nothing goes to it, and it is not offered."""
    sign_up: Mapped[bool] = mapped_column(default=False)
    """Whether it has a public sign-up form."""
    double_opt_in: Mapped[bool] = mapped_column(default=True)
    """Whether who signs up is asked by mail first."""
    sender_id: Mapped[int | None] = mapped_column(ForeignKey("massmail_sender.id"))
    """Who asks whether a sign-up was meant."""
    texts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """The house's own words for the public pages: {"de": {"name": ..., "description": ..., "sign_up": ...}, ...}."""
    last_mailed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    topic: Mapped[Topic | None] = relationship()
    segment: Mapped[Segment | None] = relationship()
    criterion: Mapped[Criterion | None] = relationship()

    @property
    def title(self) -> str:
        return self.public_name or self.name

    def title_in(self, language: str) -> str:
        """The name recipients read in a language such as "de" or "pt_BR"."""
        return _said(self.texts, language, "name") or self.title

    def description_in(self, language: str) -> str:
        return _said(self.texts, language, "description") or self.description

    def sign_up_words_in(self, language: str) -> str:
        """What somebody who signs up agrees to, in the house's own words; "" where it has none in this language."""
        return _said(self.texts, language, "sign_up")


class ConsentText(Base):
    """The words somebody agreed to when they signed up for a list. Never changed once used."""

    __tablename__ = "massmail_consent_text"
    __table_args__ = (UniqueConstraint("list_id", "locale", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("massmail_list.id"))
    locale: Mapped[str] = mapped_column(String(20))
    number: Mapped[int]
    words: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(200), default="")


def _said(texts: Any, language: str, what: str) -> str:
    """Words of the house in a language (de, pt_BR, pt-BR); a region without words has those of its language."""
    by_name = {name.replace("-", "_").lower(): words for name, words in (texts or {}).items()}
    wanted = language.replace("-", "_").lower()
    found = (by_name.get(name, {}).get(what) for name in (wanted, wanted.partition("_")[0]))
    return str(next(filter(None, found), ""))
