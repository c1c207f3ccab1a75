"""A host made by hand: two mapped classes, no application, no database needed."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import Date, ForeignKey, Numeric
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from massmail_plugin.composing.preparing import Prepared, prepare
from massmail_plugin.composing.rendering import Rendered, Renderer
from massmail_plugin.composing.values import values_for
from massmail_plugin.config import Config
from massmail_plugin.contracts import ContactSource, Email, Field, Hooks, Host, QueueState, Related, StatusMapping


class Base(DeclarativeBase):
    pass


class Company(Base):
    __tablename__ = "company"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    branch: Mapped[str]


class Contact(Base):
    __tablename__ = "contact"
    id: Mapped[int] = mapped_column(primary_key=True)
    full_name: Mapped[str]
    email1: Mapped[str]
    city: Mapped[str]
    balance: Mapped[float] = mapped_column(Numeric)
    tax_number: Mapped[str]
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"))
    company: Mapped[Company] = relationship()
    action_items: Mapped[list["ActionItem"]] = relationship()


class ActionItem(Base):
    __tablename__ = "action_item"
    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    level: Mapped[str]
    due: Mapped[date] = mapped_column(Date)


@pytest.fixture(scope="session")
def source() -> ContactSource:
    return ContactSource(
        Contact,
        addresses=[Email(Contact.email1)],
        name=Contact.full_name,
        fields=[
            Field(Contact.city),
            Field(Contact.balance, label="Balance"),
            Field(Contact.tax_number, sensitive=True),
            Field(Company.name, via=Contact.company),
            Field(Company.branch, via=Contact.company),
            Related(ActionItem, via=Contact.action_items, fields=[ActionItem.level, ActionItem.due]),
        ],
    )


@pytest.fixture(scope="session")
def config() -> Config:
    return Config(
        base_url="https://crm.example.org",
        secret_keys=("k" * 40,),
        organisation="Example Ltd",
        postal_address="1 High Street",
        render_seconds=0.5,
    )


@pytest.fixture(scope="session")
def host(source: ContactSource, config: Config) -> Host:
    return Host(
        config=config,
        db=cast(Any, SimpleNamespace(session=None)),
        sources={"contact": source},
        statuses=StatusMapping({}, known=list),
        hooks=Hooks(),
        clock=lambda: datetime(2026, 3, 14, 12, tzinfo=UTC),
        wake=lambda work: None,
        queue_status=lambda: QueueState(True, 0, 0),
        providers={},
        state_dir=Path("unused"),
    )


CONTACT = {
    "name": "Anna",
    "city": "Bern",
    "balance": 12,
    "company": {"name": "Muster & Co", "branch": "Tools"},
    "action_items": [{"level": "high", "due": date(2026, 3, 20)}, {"level": "low", "due": date(2026, 4, 1)}],
}


@pytest.fixture(scope="session")
def values(host: Host) -> Callable[..., dict[str, Any]]:
    """The values of a render, with some of the contact's changed."""
    return lambda **changed: values_for(
        host,
        contact={**CONTACT, **changed},
        sender_name="Eva",
        sender_address="eva@example.org",
        mailing_name="Spring",
        topic="News",
    )


@pytest.fixture(scope="session")
def prepared(host: Host) -> Callable[..., Prepared]:
    def made(
        html: str = "",
        text: str = "",
        subject: str = "Hi",
        opens: bool = False,
        clicks: bool = True,
        host: Host = host,
    ) -> Prepared:
        kind = "html" if html else "text"
        return prepare(
            host,
            version_subject=subject,
            html=html,
            text=text,
            format=kind,
            track_opens=opens,
            track_clicks=clicks,
        )

    return made


@pytest.fixture(scope="session")
def rendered(prepared: Any, values: Any, config: Config) -> Callable[..., Rendered]:
    """Prepare and render in one go; keywords of `prepared`, `contact` changes, `token`."""

    def made(html: str = "", *, contact: dict[str, Any] | None = None, token: str = "t" * 32, **texts: Any) -> Rendered:
        return Renderer(prepared(html, **texts), config).render(values(**(contact or {})), token=token)

    return made
