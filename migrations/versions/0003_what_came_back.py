"""What came back: tallies of events, the spool of hits, mailboxes and provider feeds, webhooks we send."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _hits()
    _verdicts()
    _received()
    _webhooks()
    _outcomes()
    _choices()
    _statistics()


def _hits() -> None:
    """Events say more of themselves and are counted by the hour."""
    op.create_table(
        "massmail_spool_file",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("read_to", BIG, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_massmail_spool_file")),
    )
    op.create_table(
        "massmail_event_tally",
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("link_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("machine_hits", sa.Integer(), nullable=False),
        sa.Column("mails", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["massmail_mailing.id"], name=op.f("fk_massmail_event_tally_mailing_id")
        ),
        sa.PrimaryKeyConstraint("mailing_id", "kind", "link_id", "hour", name=op.f("pk_massmail_event_tally")),
    )
    _events_look_nothing_up()
    op.add_column("massmail_event", sa.Column("request", sa.String(length=200), server_default="", nullable=False))
    op.add_column("massmail_event", sa.Column("meaning", sa.String(length=20), server_default="", nullable=False))
    op.add_column("massmail_event", sa.Column("received_id", BIG, nullable=True))


def _events_look_nothing_up() -> None:
    """Events come by the thousand, and what they name is copied from rows that are there: the foreign keys go.

    In SQLite a table that is there cannot lose one; a copy of it can.
    """
    if op.get_context().dialect.name != "sqlite":
        for column in _OF_EVENT:
            op.drop_constraint(f"fk_massmail_event_{column}", "massmail_event", type_="foreignkey")
        return
    for index in ("mailing", "message"):
        op.drop_index(f"ix_massmail_event_{index}", table_name="massmail_event")
    with op.batch_alter_table("massmail_event", copy_from=_lean_events(), recreate="always"):
        pass
    op.create_index("ix_massmail_event_mailing", "massmail_event", ["mailing_id", "kind", "by_machine", "message_id"])
    op.create_index("ix_massmail_event_message", "massmail_event", ["message_id"])


def _lean_events() -> sa.Table:
    return sa.Table(
        "massmail_event",
        sa.MetaData(),
        sa.Column("id", BIG, nullable=False),
        sa.Column("message_id", BIG, nullable=False),
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("link_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_machine", sa.Boolean(), nullable=False),
        sa.Column("machine_reason", sa.String(length=100), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=True),
        sa.Column("provider_event_id", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_massmail_event"),
        sa.UniqueConstraint("provider", "provider_event_id", name="uq_massmail_event_provider_provider_event_id"),
        sqlite_autoincrement=True,
    )


def _verdicts() -> None:
    """Why a hit was a machine's is a code now; what was seen of the request is kept, so that it can be judged anew."""
    reasons = {
        "image proxy of a mail service": ("proxy", ""),
        "link scanner": ("scanner", ""),
        "no user agent": ("no_agent", ""),
        "fetched ahead": ("prefetch", "prefetch"),
        "asked for a part only": ("part", "part"),
    }
    event = sa.table("massmail_event", *(sa.column(name, sa.String()) for name in ("machine_reason", "request")))
    for words, (reason, request) in reasons.items():
        told = sa.update(event).where(event.c.machine_reason == words)
        op.execute(told.values(machine_reason=reason, request=request))


def _received() -> None:
    """Mailboxes and feeds we listen to, and what came through them."""
    op.create_table(
        "massmail_event_feed",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("path", sa.String(length=64), nullable=False),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("exchanges", sa.Boolean(), nullable=False),
        sa.Column("account", sa.String(length=255), nullable=False),
        sa.Column("api_key", sa.Text(), nullable=True),
        sa.Column("exchanged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("exchange_fault", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_event_feed")),
        sa.UniqueConstraint("name", name=op.f("uq_massmail_event_feed_name")),
        sa.UniqueConstraint("path", name=op.f("uq_massmail_event_feed_path")),
    )
    op.create_table(
        "massmail_feed_nonce",
        sa.Column("feed_id", sa.Integer(), nullable=False),
        sa.Column("nonce", sa.String(length=200), nullable=False),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["massmail_event_feed.id"], name=op.f("fk_massmail_feed_nonce_feed_id")),
        sa.PrimaryKeyConstraint("feed_id", "nonce", name=op.f("pk_massmail_feed_nonce")),
    )
    op.create_table(
        "massmail_provider_list_entry",
        sa.Column("feed_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("ours", sa.Boolean(), nullable=False),
        sa.Column("contact_source", sa.String(length=64), nullable=True),
        sa.Column("contact_key", sa.String(length=64), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["massmail_event_feed.id"], name=op.f("fk_massmail_provider_list_entry_feed_id")
        ),
        sa.PrimaryKeyConstraint("feed_id", "address", name=op.f("pk_massmail_provider_list_entry")),
    )
    op.create_index(
        "ix_massmail_provider_list_entry_contact", "massmail_provider_list_entry", ["contact_source", "contact_key"]
    )
    op.create_table(
        "massmail_mailbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("security", sa.String(length=10), nullable=False),
        sa.Column("username", sa.String(length=255), nullable=False),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("folder", sa.String(length=500), nullable=False),
        sa.Column("after", sa.String(length=10), nullable=False),
        sa.Column("move_to", sa.String(length=255), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("position", sa.String(length=100), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_mailbox")),
        sa.UniqueConstraint("name", name=op.f("uq_massmail_mailbox_name")),
    )
    op.create_table(
        "massmail_mailbox_mail",
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=255), nullable=False),
        sa.Column("leaves", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["massmail_mailbox.id"], name=op.f("fk_massmail_mailbox_mail_mailbox_id")
        ),
        sa.PrimaryKeyConstraint("mailbox_id", "uid", name=op.f("pk_massmail_mailbox_mail")),
    )
    op.create_table(
        "massmail_received",
        sa.Column("id", BIG, nullable=False),
        sa.Column("origin", sa.String(length=40), nullable=False),
        sa.Column("origin_id", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("message_id", BIG, nullable=True),
        sa.Column("subject", sa.String(length=500), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_received")),
        sa.UniqueConstraint("origin", "origin_id", name=op.f("uq_massmail_received_origin_origin_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_massmail_received_message", "massmail_received", ["message_id"])
    op.create_index("ix_massmail_received_state", "massmail_received", ["state", "id"])


def _webhooks() -> None:
    """Whom outcomes are told by HTTP."""
    op.create_table(
        "massmail_webhook",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("outcomes", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("former_secret", sa.Text(), nullable=True),
        sa.Column("former_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rests_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_webhook")),
        sa.UniqueConstraint("name", name=op.f("uq_massmail_webhook_name")),
    )
    op.create_table(
        "massmail_webhook_delivery",
        sa.Column("id", BIG, nullable=False),
        sa.Column("webhook_id", sa.Integer(), nullable=False),
        sa.Column("report_id", BIG, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["massmail_webhook.id"], name=op.f("fk_massmail_webhook_delivery_webhook_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_webhook_delivery")),
        sa.UniqueConstraint("report_id", "webhook_id", name=op.f("uq_massmail_webhook_delivery_report_id_webhook_id")),
    )
    _partial_index(
        "ix_massmail_webhook_delivery_waiting",
        "massmail_webhook_delivery",
        ["webhook_id", "due_at", "id"],
        "state = 'waiting'",
    )
    op.create_index("ix_massmail_webhook_delivery_webhook", "massmail_webhook_delivery", ["webhook_id", "id"])


def _outcomes() -> None:
    """The host's functions hear of a report after its status is set; a removal lies over what else stands."""
    op.add_column("massmail_outcome_report", sa.Column("heard", sa.JSON(), nullable=True))
    _partial_index("ix_massmail_outcome_report_untold", "massmail_outcome_report", ["due_at", "id"], "state = 'untold'")
    _partial_index(
        "ix_massmail_outcome_report_hook_failing",
        "massmail_outcome_report",
        ["contact_source", "contact_key"],
        "state = 'untold' AND attempts > 0",
    )
    op.add_column("massmail_standing", sa.Column("removed_status", sa.String(length=100), nullable=True))
    op.execute(
        "UPDATE massmail_standing SET removed_status = status, status = NULL, outcome = 'failed' "
        "WHERE outcome = 'removed'"
    )


def _choices() -> None:
    """What people choose for a mailing, a link, a template and a sender."""
    op.add_column("massmail_link", sa.Column("interest", sa.String(length=40), server_default="", nullable=False))
    op.add_column("massmail_link", sa.Column("score", sa.Integer(), server_default="0", nullable=False))
    for table in ("massmail_mailing", "massmail_campaign"):
        op.add_column(table, sa.Column("tracking", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("massmail_sender", sa.Column("return_path", sa.String(length=254), server_default="", nullable=False))
    op.add_column("massmail_sender", sa.Column("events_by", sa.String(length=40), server_default="", nullable=False))
    op.add_column(
        "massmail_template", sa.Column("keeps_history", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("massmail_template", sa.Column("actions", sa.JSON(), nullable=True))


def _statistics() -> None:
    """What is kept beside the rows so that no page counts them; events that are there already are tallied."""
    op.create_table(
        "massmail_chunk_share",
        sa.Column("chunk_id", BIG, autoincrement=False, nullable=False),
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        sa.Column("stale", sa.Boolean(), nullable=False),
        sa.Column("numbers", sa.JSON(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("chunk_id", name=op.f("pk_massmail_chunk_share")),
    )
    op.create_index("ix_massmail_chunk_share_mailing", "massmail_chunk_share", ["mailing_id"])
    _partial_index("ix_massmail_chunk_share_stale", "massmail_chunk_share", ["chunk_id"], "stale")
    op.create_table(
        "massmail_breakdown",
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=254), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _BROKEN_DOWN),
        sa.ForeignKeyConstraint(["mailing_id"], ["massmail_mailing.id"], name=op.f("fk_massmail_breakdown_mailing_id")),
        sa.PrimaryKeyConstraint("mailing_id", "by", "name", name=op.f("pk_massmail_breakdown")),
    )
    op.create_index("ix_massmail_breakdown_largest", "massmail_breakdown", ["mailing_id", "by", "recipients"])
    op.create_table(
        "massmail_roll_up",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("counted_to", BIG, nullable=False),
        sa.Column("seen", BIG, nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_massmail_roll_up")),
    )
    op.create_table(
        "massmail_kept_values",
        sa.Column("id", BIG, nullable=False),
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_kept_values")),
    )
    op.create_index("ix_massmail_kept_values_at", "massmail_kept_values", ["at"])
    op.create_index("ix_massmail_kept_values_chunk", "massmail_kept_values", ["mailing_id", "chunk"])
    op.add_column("massmail_chunk", sa.Column("uncounted", sa.Boolean(), server_default=sa.true(), nullable=False))
    _partial_index("ix_massmail_chunk_uncounted", "massmail_chunk", ["id"], "uncounted")
    _partial_index("ix_massmail_event_link", "massmail_event", ["link_id", "by_machine", "at"], "link_id IS NOT NULL")
    op.add_column("massmail_mailing", sa.Column("digest_to", sa.String(length=500), server_default="", nullable=False))
    op.add_column("massmail_mailing", sa.Column("digest_sent_at", sa.DateTime(timezone=True), nullable=True))
    _tally()


def _partial_index(name: str, table: str, columns: list[str], condition: str) -> None:
    op.create_index(name, table, columns, postgresql_where=sa.text(condition), sqlite_where=sa.text(condition))


def _tally() -> None:
    """Hits by the hour, and mails by the hour of a person's first event: of a kind, at a link, or of reading."""
    hour = {"postgresql": "date_trunc('hour', at, 'UTC')", "sqlite": "substr(at, 1, 13) || ':00:00.000000'"}[
        op.get_context().dialect.name
    ]
    counted = "SELECT mailing_id, {0} AS kind, {1} AS link_id, " + hour + " AS hour, {2} FROM {3} GROUP BY 1, 2, 3, 4"
    hits = "sum(CASE WHEN by_machine THEN 0 ELSE 1 END) AS hits, sum(CASE WHEN by_machine THEN 1 ELSE 0 END)"
    hits += " AS machine_hits, 0 AS mails"
    first = "SELECT mailing_id, {0} AS kind, {1} AS link_id, min(at) AS at FROM massmail_event WHERE NOT by_machine"
    firsts = (
        first.format("kind", 0) + " GROUP BY mailing_id, kind, message_id",
        first.format("kind", "link_id") + " AND link_id IS NOT NULL GROUP BY mailing_id, kind, link_id, message_id",
        first.format("'read'", 0) + " AND kind IN ('open', 'click', 'reply') GROUP BY mailing_id, message_id",
    )
    parts = [
        counted.format("kind", 0, hits, "massmail_event"),
        counted.format("kind", "link_id", hits, "massmail_event WHERE link_id IS NOT NULL"),
        *(counted.format("kind", "link_id", "0, 0, count(*)", f"({each}) AS first_ones") for each in firsts),
    ]
    every = " UNION ALL ".join(f"SELECT * FROM ({part}) AS part{number}" for number, part in enumerate(parts))
    op.execute(
        "INSERT INTO massmail_event_tally (mailing_id, kind, link_id, hour, hits, machine_hits, mails) SELECT "
        "mailing_id, kind, link_id, hour, sum(hits), sum(machine_hits), sum(mails) "
        f"FROM ({every}) AS every_one GROUP BY 1, 2, 3, 4"
    )


def downgrade() -> None:
    _outcomes_as_before()
    op.drop_index("ix_massmail_event_link", "massmail_event")
    op.drop_index("ix_massmail_chunk_uncounted", "massmail_chunk")
    for table, columns in _COLUMNS.items():
        for column in columns:
            op.drop_column(table, column)
    with op.batch_alter_table("massmail_event") as batch:
        for column, table in _OF_EVENT.items():
            batch.create_foreign_key(f"fk_massmail_event_{column}", table, [column], ["id"])
    for table in _TABLES:
        op.drop_table(table)


def _outcomes_as_before() -> None:
    op.drop_index("ix_massmail_outcome_report_untold", "massmail_outcome_report")
    op.drop_index("ix_massmail_outcome_report_hook_failing", "massmail_outcome_report")
    op.execute("UPDATE massmail_outcome_report SET state = 'waiting' WHERE state = 'untold'")
    op.execute("UPDATE massmail_outcome_report SET state = 'delivered' WHERE state = 'set_aside'")
    op.execute(
        "UPDATE massmail_standing SET status = removed_status, outcome = 'removed' WHERE removed_status IS NOT NULL"
    )


_OF_EVENT = {"mailing_id": "massmail_mailing", "link_id": "massmail_link"}
"""What events looked up."""
_COLUMNS = {
    "massmail_event": ("request", "meaning", "received_id"),
    "massmail_link": ("interest", "score"),
    "massmail_chunk": ("uncounted",),
    "massmail_campaign": ("tracking",),
    "massmail_mailing": ("tracking", "digest_to", "digest_sent_at"),
    "massmail_sender": ("return_path", "events_by"),
    "massmail_outcome_report": ("heard",),
    "massmail_standing": ("removed_status",),
    "massmail_template": ("keeps_history", "actions"),
}
_BROKEN_DOWN = (
    *("recipients", "waiting", "sent", "refused", "uncertain", "skipped", "cancelled"),
    *("read", "clicked", "replied", "bounced", "complained", "removed", "proxied", "scanned", "hits", "machine_hits"),
)
_TABLES = (
    *("massmail_kept_values", "massmail_roll_up", "massmail_breakdown", "massmail_chunk_share"),
    *("massmail_webhook_delivery", "massmail_webhook", "massmail_received"),
    *("massmail_provider_list_entry", "massmail_feed_nonce", "massmail_event_feed"),
    *("massmail_mailbox_mail", "massmail_mailbox"),
    *("massmail_spool_file", "massmail_event_tally"),
)
