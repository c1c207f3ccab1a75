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
    _received()
    _webhooks()
    _choices()


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
    op.add_column("massmail_event", sa.Column("request", sa.String(length=200), server_default="", nullable=False))
    op.add_column("massmail_event", sa.Column("meaning", sa.String(length=20), server_default="", nullable=False))
    op.add_column("massmail_event", sa.Column("received_id", BIG, nullable=True))


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
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_event_feed")),
        sa.UniqueConstraint("name", name=op.f("uq_massmail_event_feed_name")),
        sa.UniqueConstraint("path", name=op.f("uq_massmail_event_feed_path")),
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
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("position", sa.String(length=100), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_mailbox")),
        sa.UniqueConstraint("name", name=op.f("uq_massmail_mailbox_name")),
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
        sa.Column("fault", sa.Text(), nullable=False),
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
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["massmail_webhook.id"], name=op.f("fk_massmail_webhook_delivery_webhook_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_webhook_delivery")),
        sa.UniqueConstraint("report_id", "webhook_id", name=op.f("uq_massmail_webhook_delivery_report_id_webhook_id")),
    )
    waiting = sa.text("state = 'waiting'")
    op.create_index(
        "ix_massmail_webhook_delivery_waiting",
        "massmail_webhook_delivery",
        ["due_at", "id"],
        postgresql_where=waiting,
        sqlite_where=waiting,
    )
    op.create_index("ix_massmail_webhook_delivery_webhook", "massmail_webhook_delivery", ["webhook_id", "id"])


def _choices() -> None:
    """What people choose for a mailing, a link, a template and a sender."""
    op.add_column("massmail_link", sa.Column("interest", sa.String(length=40), server_default="", nullable=False))
    op.add_column("massmail_link", sa.Column("score", sa.Integer(), server_default="0", nullable=False))
    op.add_column("massmail_mailing", sa.Column("tracking", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("massmail_sender", sa.Column("return_path", sa.String(length=254), server_default="", nullable=False))
    op.add_column("massmail_sender", sa.Column("events_by", sa.String(length=40), server_default="", nullable=False))
    op.add_column(
        "massmail_template", sa.Column("keeps_history", sa.Boolean(), server_default=sa.false(), nullable=False)
    )


def downgrade() -> None:
    for table, columns in _COLUMNS.items():
        for column in columns:
            op.drop_column(table, column)
    for table in _TABLES:
        op.drop_table(table)


_COLUMNS = {
    "massmail_event": ("request", "meaning", "received_id"),
    "massmail_link": ("interest", "score"),
    "massmail_mailing": ("tracking",),
    "massmail_sender": ("return_path", "events_by"),
    "massmail_template": ("keeps_history",),
}
_TABLES = (
    *("massmail_webhook_delivery", "massmail_webhook", "massmail_received", "massmail_event_feed", "massmail_mailbox"),
    *("massmail_spool_file", "massmail_event_tally"),
)
