"""The engine: limits, journals and priorities; leaner indexes, so that a result is written in place.

Workers must be stopped: what they had handed over without an answer becomes uncertain here.
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UNANSWERED = "The mail was handed over and no answer came before the tables were upgraded; the server may have it."
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _senders()
    _chunks()
    op.add_column("massmail_mailing", sa.Column("retries", sa.Boolean(), server_default=sa.true(), nullable=False))
    _reports()
    _events()
    _outbox()
    _end_leases()


def _senders() -> None:
    op.create_table(
        "massmail_pace",
        sa.Column("sender_id", sa.Integer(), nullable=False),
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("day_count", sa.Integer(), nullable=False),
        sa.Column("slow_rate", sa.Double(), nullable=True),
        sa.Column("slow_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["sender_id"], ["massmail_sender.id"], name=op.f("fk_massmail_pace_sender_id")),
        sa.PrimaryKeyConstraint("sender_id", "domain", name=op.f("pk_massmail_pace")),
    )
    for column in (
        sa.Column("connections", sa.Integer(), server_default="10", nullable=False),
        sa.Column("per_window", sa.Integer(), nullable=True),
        sa.Column("window_seconds", sa.Integer(), server_default="3600", nullable=False),
        sa.Column("seconds_between", sa.Double(), server_default="0", nullable=False),
        sa.Column("per_day", sa.Integer(), nullable=True),
        sa.Column("spreads_day", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("ramp_from", sa.Date(), nullable=True),
        sa.Column("ramp_first", sa.Integer(), nullable=True),
        sa.Column("domain_limits", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("uncertain_policy", sa.String(length=10), server_default="leave", nullable=False),
        sa.Column("dkim_domain", sa.String(length=255), server_default="", nullable=False),
        sa.Column("dkim_selector", sa.String(length=63), server_default="", nullable=False),
        sa.Column("dkim_key", sa.Text(), nullable=True),
        sa.Column("dkim_ed_selector", sa.String(length=63), server_default="", nullable=False),
        sa.Column("dkim_ed_key", sa.Text(), nullable=True),
    ):
        op.add_column("massmail_sender", column)
    # In one statement: SQLite adds no constraint to a table that is there.
    op.execute(
        "ALTER TABLE massmail_sender ADD COLUMN spill_to_id INTEGER"
        " CONSTRAINT fk_massmail_sender_spill_to_id REFERENCES massmail_sender (id)"
    )


def _chunks() -> None:
    op.add_column("massmail_chunk", sa.Column("priority", sa.SmallInteger(), server_default="5", nullable=False))
    op.add_column("massmail_chunk", sa.Column("journal", sa.String(length=36), nullable=True))
    op.add_column("massmail_chunk", sa.Column("crashes", sa.SmallInteger(), server_default="0", nullable=False))
    tests = "SELECT id FROM massmail_mailing WHERE kind = 'test'"
    op.execute(f"UPDATE massmail_chunk SET priority = 0 WHERE mailing_id IN ({tests})")
    op.drop_index("ix_massmail_chunk_claim", table_name="massmail_chunk")
    _partial_index("massmail_chunk", "claim", ["priority", "due_at", "id"], "due_at IS NOT NULL")
    _partial_index("massmail_chunk", "waiting", ["mailing_id", "due_at"], "due_at IS NOT NULL")
    _partial_index("massmail_chunk", "leased", ["leased_by"], "leased_by IS NOT NULL")


def _events() -> None:
    """The outbox is written row by row a million times: no table looks up its rows, and it looks up none."""
    for index in ("mailing", "message"):
        op.drop_index(f"ix_massmail_event_{index}", table_name="massmail_event")
    _without_keys("massmail_event", ["message_id"], _lean_events())
    op.create_index("ix_massmail_event_mailing", "massmail_event", ["mailing_id", "kind", "by_machine", "message_id"])
    op.create_index("ix_massmail_event_message", "massmail_event", ["message_id"])


def _outbox() -> None:
    name = "massmail_outbox_message"
    op.add_column(name, sa.Column("crashes", sa.SmallInteger(), server_default="0", nullable=False))
    for index in ("state", "chunk", "contact"):
        op.drop_index(f"ix_{name}_{index}", table_name=name)
    _without_keys(name, ["mailing_id", "list_id"], _lean_outbox())
    op.create_index(f"ix_{name}_chunk", name, ["mailing_id", "chunk"])
    op.create_index(f"ix_{name}_contact", name, ["contact_source", "contact_key"])
    if context.get_context().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE {name} SET (fillfactor = 50)")


def _without_keys(name: str, columns: list[str], lean: sa.Table) -> None:
    """Foreign keys go. In SQLite a table that is there cannot lose one; a copy of it can."""
    if context.get_context().dialect.name == "sqlite":
        with op.batch_alter_table(name, copy_from=lean, recreate="always"):
            return
    for column in columns:
        op.drop_constraint(f"fk_{name}_{column}", name, type_="foreignkey")


def _end_leases() -> None:
    """Until now the row itself carried the mark of what was handed over; from now on the worker's journal does."""
    open_rows = "state IN ('planned', 'deferred')"
    op.execute(
        "UPDATE massmail_outbox_message SET state = 'uncertain', due_at = NULL, settled_at = handed_at,"
        f" reply_text = '{UNANSWERED}' WHERE handed_at IS NOT NULL AND {open_rows}"
    )
    rows = "FROM massmail_outbox_message m WHERE m.mailing_id = massmail_chunk.mailing_id AND m.chunk = number"
    counters = ("planned", "deferred", "sent", "refused", "uncertain", "skipped", "cancelled")
    counted = [f"{state} = (SELECT count(*) {rows} AND m.state = '{state}')" for state in counters]
    due = f"due_at = (SELECT min(m.due_at) {rows} AND m.{open_rows})"
    op.execute(
        f"UPDATE massmail_chunk SET leased_by = NULL, leased_until = NULL, {due}, {', '.join(counted)}"
        " WHERE leased_by IS NOT NULL"
    )


def _reports() -> None:
    name = "massmail_outcome_report"
    for index in ("contact", "mailing", "waiting"):
        op.drop_index(f"ix_{name}_{index}", table_name=name)
    _without_keys(name, ["message_id", "mailing_id"], _lean_reports())
    _partial_index(name, "waiting", ["due_at", "id"], "state = 'waiting'")
    _partial_index(name, "failing", ["contact_source", "contact_key"], "state = 'waiting' AND attempts > 0")
    _partial_index(name, "removed", ["contact_source", "contact_key"], "outcome = 'removed'")


def _lean_reports() -> sa.Table:
    return sa.Table(
        "massmail_outcome_report",
        sa.MetaData(),
        sa.Column("id", BIG, nullable=False),
        sa.Column("message_id", BIG, nullable=False),
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        sa.Column("contact_source", sa.String(length=64), nullable=False),
        sa.Column("contact_key", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("link_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("status_before", sa.String(length=100), nullable=True),
        sa.Column("status_set", sa.String(length=100), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["link_id"], ["massmail_link.id"], name="fk_massmail_outcome_report_link_id"),
        sa.PrimaryKeyConstraint("id", name="pk_massmail_outcome_report"),
        sa.UniqueConstraint("message_id", "outcome", "turn", name="uq_massmail_outcome_report_message_id_outcome_turn"),
    )


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
        sa.ForeignKeyConstraint(["link_id"], ["massmail_link.id"], name="fk_massmail_event_link_id"),
        sa.ForeignKeyConstraint(["mailing_id"], ["massmail_mailing.id"], name="fk_massmail_event_mailing_id"),
        sa.PrimaryKeyConstraint("id", name="pk_massmail_event"),
        sa.UniqueConstraint("provider", "provider_event_id", name="uq_massmail_event_provider_provider_event_id"),
    )


def _lean_outbox() -> sa.Table:
    contact = ["contact_source", "contact_key", "address_role", "occurrence"]
    return sa.Table(
        "massmail_outbox_message",
        sa.MetaData(),
        sa.Column("id", BIG, nullable=False),
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.Column("contact_source", sa.String(length=64), nullable=False),
        sa.Column("contact_key", sa.String(length=64), nullable=False),
        sa.Column("address_role", sa.String(length=40), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("dedup_key", sa.String(length=254), nullable=True),
        sa.Column("list_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("crashes", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reply_code", sa.Integer(), nullable=True),
        sa.Column("reply_enhanced", sa.String(length=12), nullable=False),
        sa.Column("reply_text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_massmail_outbox_message"),
        sa.UniqueConstraint("mailing_id", *contact, name=f"uq_massmail_outbox_message_mailing_id_{'_'.join(contact)}"),
        sa.UniqueConstraint("mailing_id", "dedup_key", name="uq_massmail_outbox_message_mailing_id_dedup_key"),
        sqlite_autoincrement=True,
    )


def _partial_index(table: str, name: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(f"ix_{table}_{name}", table, columns, postgresql_where=condition, sqlite_where=condition)


def downgrade() -> None:
    _outbox_back()
    _reports_back()
    op.drop_column("massmail_mailing", "retries")
    for index in ("leased", "waiting", "claim"):
        op.drop_index(f"ix_massmail_chunk_{index}", table_name="massmail_chunk")
    due = {"postgresql_where": sa.text("due_at IS NOT NULL")}
    op.create_index("ix_massmail_chunk_claim", "massmail_chunk", ["due_at"], **due)
    for column in ("crashes", "journal", "priority"):
        op.drop_column("massmail_chunk", column)
    for column in _OF_SENDERS:
        op.drop_column("massmail_sender", column)
    op.drop_table("massmail_pace")


_OF_SENDERS = (
    *("spill_to_id", "dkim_ed_key", "dkim_ed_selector", "dkim_key", "dkim_selector", "dkim_domain"),
    *("uncertain_policy", "domain_limits", "ramp_first", "ramp_from", "spreads_day", "per_day"),
    *("seconds_between", "window_seconds", "per_window", "connections"),
)


def _outbox_back() -> None:
    name = "massmail_outbox_message"
    op.drop_index(f"ix_{name}_chunk", table_name=name)
    op.drop_column(name, "crashes")
    with op.batch_alter_table(name) as batch:
        batch.create_foreign_key(f"fk_{name}_mailing_id", "massmail_mailing", ["mailing_id"], ["id"])
        batch.create_foreign_key(f"fk_{name}_list_id", "massmail_list", ["list_id"], ["id"])
    op.create_index(f"ix_{name}_chunk", name, ["mailing_id", "chunk", "state", "due_at"])
    op.create_index(f"ix_{name}_state", name, ["mailing_id", "state", "id"])
    if context.get_context().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE {name} RESET (fillfactor)")
    with op.batch_alter_table("massmail_event") as batch:
        batch.create_foreign_key("fk_massmail_event_message_id", name, ["message_id"], ["id"])


def _reports_back() -> None:
    name = "massmail_outcome_report"
    for index in ("removed", "failing", "waiting"):
        op.drop_index(f"ix_{name}_{index}", table_name=name)
    with op.batch_alter_table(name) as batch:
        batch.create_foreign_key(f"fk_{name}_message_id", "massmail_outbox_message", ["message_id"], ["id"])
        batch.create_foreign_key(f"fk_{name}_mailing_id", "massmail_mailing", ["mailing_id"], ["id"])
    op.create_index(f"ix_{name}_contact", name, ["contact_source", "contact_key"])
    op.create_index(f"ix_{name}_mailing", name, ["mailing_id", "outcome"])
    op.create_index(f"ix_{name}_waiting", name, ["state", "due_at"])
