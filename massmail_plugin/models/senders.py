"""Tables of sending accounts and of how far their limits are used."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from massmail_plugin.models.base import Base, UtcDateTime
from massmail_plugin.secret_text import SecretText
from massmail_plugin.vocabulary import Security, UncertainPolicy


class Sender(Base):
    """A sending account: where it connects, who it is, and whether it is known to work."""

    __tablename__ = "massmail_sender"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    provider: Mapped[str] = mapped_column(String(40), default="smtp")
    host: Mapped[str] = mapped_column(String(255), default="")
    port: Mapped[int] = mapped_column(default=587)
    security: Mapped[str] = mapped_column(String(10), default=Security.STARTTLS)
    auth: Mapped[str] = mapped_column(String(20), default="auto")
    username: Mapped[str] = mapped_column(String(255), default="")
    secret: Mapped[str | None] = mapped_column(SecretText, deferred=True)
    from_name: Mapped[str] = mapped_column(String(200), default="")
    from_address: Mapped[str] = mapped_column(String(254))
    reply_to: Mapped[str] = mapped_column(String(254), default="")
    bcc: Mapped[str] = mapped_column(String(254), default="")
    return_path: Mapped[str] = mapped_column(String(254), default="")
    """Address that bounces come back to, such as bounces@mail.example.com: the token of the mail is put into its left
    part (bounces+TOKEN@...). Empty means the From address."""
    opt_out_address: Mapped[str] = mapped_column(String(254), default="")
    """Address that recipients may write to in order to opt out (RFC 2369), such as leave@mail.example.com; it carries
    a token likewise. Empty means none: the web address is then the only way in List-Unsubscribe."""
    events_by: Mapped[str] = mapped_column(String(40), default="")
    """The provider behind the mail server, where its webhooks tell what became of the mails; empty means none."""
    connections: Mapped[int] = mapped_column(default=10)
    """Connections that one worker may keep open to the server."""
    per_window: Mapped[int | None]
    window_seconds: Mapped[int] = mapped_column(default=3600)
    """At most `per_window` mails in any stretch of this length."""
    seconds_between: Mapped[float] = mapped_column(default=0.0)
    per_day: Mapped[int | None]
    """Daily quota; what is over it waits for the next day."""
    spreads_day: Mapped[bool] = mapped_column(default=False)
    """Whether the daily quota is spread evenly over the day."""
    ramp_from: Mapped[date | None]
    ramp_first: Mapped[int | None]
    """Warm-up of a new sender: mails on the first day, `ramp_from`; each day the half more."""
    domain_limits: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    """[{"domain": "gmail.com", "per_window": 100, "window_seconds": 60}, ...]: limits per recipient domain."""
    spill_to_id: Mapped[int | None] = mapped_column(ForeignKey("massmail_sender.id"))
    """The sender that carries on when the daily quota of this one is used up."""
    uncertain_policy: Mapped[str] = mapped_column(String(10), default=UncertainPolicy.LEAVE)
    dkim_domain: Mapped[str] = mapped_column(String(255), default="")
    dkim_selector: Mapped[str] = mapped_column(String(63), default="")
    dkim_key: Mapped[str | None] = mapped_column(SecretText, deferred=True)
    """RSA private key (PEM); mails are signed where it is set (RFC 6376)."""
    dkim_ed_selector: Mapped[str] = mapped_column(String(63), default="")
    dkim_ed_key: Mapped[str | None] = mapped_column(SecretText, deferred=True)
    """Ed25519 private key (PEM) for a second signature (RFC 8463)."""
    tested_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the account as saved last passed its test; NULL means untested."""
    test_stages: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    fault: Mapped[str] = mapped_column(Text, default="")
    """Why sending through it is held; empty while it works."""
    fault_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Sending is tried again after this time."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Pace(Base):
    """How far a sender's limits are used, shared by all workers; the domain "" stands for all its mail."""

    __tablename__ = "massmail_pace"

    sender_id: Mapped[int] = mapped_column(ForeignKey("massmail_sender.id"), primary_key=True)
    domain: Mapped[str] = mapped_column(String(253), primary_key=True, default="")
    next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the next mail may leave."""
    day: Mapped[date | None]
    day_count: Mapped[int] = mapped_column(default=0)
    slow_rate: Mapped[float | None]
    """Mails a second to which the server's temporary refusals have brought us; NULL while it takes all."""
    slow_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
