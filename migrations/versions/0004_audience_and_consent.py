"""Who gets it: topics and segments, history of consent, stops by topic and time, sign-ups, imports, erased data."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SOMEBODY = "address IS NOT NULL OR address_hash IS NOT NULL OR contact_key IS NOT NULL"
BEFORE = "address IS NOT NULL OR contact_key IS NOT NULL"
NOBODYS = "contact_key = '' OR substr(contact_key, 1, 5) = 'gone:' OR address_role = 'test'"


def upgrade() -> None:
    _lists()
    _subscriptions()
    _stops()
    _choices()
    _imports()
    _what_is_left()
    _other_ways_out()


def _lists() -> None:
    """Topics, business segments, and lists that say more of themselves."""
    op.create_table(
        "massmail_topic",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("public_name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_topic")),
        sa.UniqueConstraint("name", name=op.f("uq_massmail_topic_name")),
    )
    op.create_table(
        "massmail_segment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_segment")),
        sa.UniqueConstraint("name", name=op.f("uq_massmail_segment_name")),
    )
    for column, other in (
        ("topic_id", "topic"),
        ("segment_id", "segment"),
        ("criterion_id", "criterion"),
        ("sender_id", "sender"),
    ):
        _refer("massmail_list", column, f"massmail_{other}")
    yes, no = sa.true(), sa.false()
    op.add_column("massmail_list", sa.Column("sign_up", sa.Boolean(), server_default=no, nullable=False))
    op.add_column("massmail_list", sa.Column("double_opt_in", sa.Boolean(), server_default=yes, nullable=False))
    op.add_column("massmail_list", sa.Column("texts", sa.JSON(), server_default="{}", nullable=False))
    op.add_column("massmail_list", sa.Column("last_mailed_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE massmail_list SET last_mailed_at = (SELECT max(launched_at) FROM massmail_mailing JOIN "
        "massmail_mailing_list ON mailing_id = massmail_mailing.id WHERE list_id = massmail_list.id AND kind <> 'test')"
    )
    _group_templates()
    op.create_table(
        "massmail_consent_text",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("locale", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["massmail_list.id"], name=op.f("fk_massmail_consent_text_list_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_consent_text")),
        sa.UniqueConstraint("list_id", "locale", "number", name=op.f("uq_massmail_consent_text_list_id_locale_number")),
    )


def _group_templates() -> None:
    """The words that templates had for topic and segment become rows that they name."""
    for group in ("topic", "segment"):
        columns, values = ("name, public_name, texts", "topic, '', '{}'") if group == "topic" else ("name", group)
        op.execute(
            f"INSERT INTO massmail_{group} ({columns}, description, active) "
            f"SELECT {values}, '', true FROM massmail_template WHERE {group} <> '' GROUP BY {group}"
        )
        _refer("massmail_template", f"{group}_id", f"massmail_{group}")
        op.execute(
            f"UPDATE massmail_template SET {group}_id = (SELECT massmail_{group}.id FROM massmail_{group} "
            f"WHERE massmail_{group}.name = massmail_template.{group})"
        )
        op.drop_column("massmail_template", group)


def _ungroup_templates() -> None:
    for group in ("topic", "segment"):
        column = sa.Column(group, sa.String(length=200), server_default="", nullable=False)
        op.add_column("massmail_template", column)
        op.execute(
            f"UPDATE massmail_template SET {group} = coalesce((SELECT massmail_{group}.name FROM massmail_{group} "
            f"WHERE massmail_{group}.id = massmail_template.{group}_id), '')"
        )
        op.drop_column("massmail_template", f"{group}_id")


def _subscriptions() -> None:
    """History that says who, how and from where; numbers kept as they change; sign-ups."""
    for name, length in (("way", 20), ("by", 200), ("origin", 300)):
        column = sa.Column(name, sa.String(length=length), server_default="", nullable=False)
        op.add_column("massmail_subscription_event", column)
    _refer("massmail_subscription_event", "consent_text_id", "massmail_consent_text")
    op.create_index("ix_massmail_subscription_event_list", "massmail_subscription_event", ["list_id", "id"])
    op.drop_index("ix_massmail_subscription_since", "massmail_subscription")
    op.create_index("ix_massmail_subscription_since", "massmail_subscription", ["list_id", "state", "since", "id"])
    op.create_table(
        "massmail_subscription_tally",
        sa.Column("id", BIG, nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_subscription_tally")),
    )
    op.execute(
        "INSERT INTO massmail_subscription_tally (list_id, state, change) "
        "SELECT list_id, state, count(*) FROM massmail_subscription GROUP BY list_id, state"
    )
    op.create_index("ix_massmail_subscription_tally_list", "massmail_subscription_tally", ["list_id"])
    op.create_table(
        "massmail_sign_up",
        sa.Column("id", BIG, nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("locale", sa.String(length=20), nullable=False),
        sa.Column("consent_text_id", sa.Integer(), nullable=True),
        sa.Column("origin", sa.String(length=300), nullable=False),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.Column("contact_source", sa.String(length=64), nullable=True),
        sa.Column("contact_key", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("times_asked", sa.Integer(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_from", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["consent_text_id"], ["massmail_consent_text.id"], name=op.f("fk_massmail_sign_up_consent_text_id")
        ),
        sa.ForeignKeyConstraint(["list_id"], ["massmail_list.id"], name=op.f("fk_massmail_sign_up_list_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_sign_up")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_massmail_sign_up_list", "massmail_sign_up", ["list_id", "state", "id"])
    op.create_index("ix_massmail_sign_up_address", "massmail_sign_up", ["address", "created_at"])
    op.create_index("ix_massmail_sign_up_network", "massmail_sign_up", ["network", "created_at"])
    op.create_index("ix_massmail_sign_up_contact", "massmail_sign_up", ["contact_source", "contact_key"])
    op.create_index(
        "ix_massmail_sign_up_due",
        "massmail_sign_up",
        ["due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
        sqlite_where=sa.text("due_at IS NOT NULL"),
    )


def _stops() -> None:
    """Stops by topic, for a while, and of erased addresses; fewer mails; why people leave."""
    # SQLite changes a CHECK by making the table anew; nothing names its rows.
    with op.batch_alter_table("massmail_suppression", copy_from=_suppressions()) as table:
        table.add_column(sa.Column("address_hash", sa.String(length=64), nullable=True))
        table.add_column(sa.Column("topic_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("until", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("way", sa.String(length=20), server_default="", nullable=False))
        table.drop_constraint(op.f("ck_massmail_suppression_somebody"), type_="check")
        table.create_check_constraint(op.f("ck_massmail_suppression_somebody"), SOMEBODY)
        table.create_foreign_key(op.f("fk_massmail_suppression_topic_id"), "massmail_topic", ["topic_id"], ["id"])
    op.create_index("ix_massmail_suppression_address_hash", "massmail_suppression", ["address_hash"])
    op.drop_index("ix_massmail_suppression_address", "massmail_suppression")
    _index_of_beginnings("massmail_suppression")
    for column in ("reason", "scope", "way"):
        by_kind = [sa.text(f"lower({column})"), "id"]
        name = f"ix_massmail_suppression_{column}"
        op.create_index(name, "massmail_suppression", by_kind, postgresql_include=[column])
    op.create_index(
        "ix_massmail_suppression_until",
        "massmail_suppression",
        ["until"],
        postgresql_where=sa.text("until IS NOT NULL"),
        sqlite_where=sa.text("until IS NOT NULL"),
    )
    op.create_table(
        "massmail_released_suppression",
        sa.Column("id", BIG, nullable=False),
        sa.Column("address", sa.String(length=254), nullable=True),
        sa.Column("address_hash", sa.String(length=64), nullable=True),
        sa.Column("contact_source", sa.String(length=64), nullable=True),
        sa.Column("contact_key", sa.String(length=64), nullable=True),
        sa.Column("scope", sa.String(length=30), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=True),
        sa.Column("topic_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column("way", sa.String(length=20), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_by", sa.String(length=200), nullable=False),
        sa.Column("release_note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_released_suppression")),
    )
    _index_of_beginnings("massmail_released_suppression")
    op.create_index(
        "ix_massmail_released_suppression_contact", "massmail_released_suppression", ["contact_source", "contact_key"]
    )
    op.create_index("ix_massmail_released_suppression_address_hash", "massmail_released_suppression", ["address_hash"])
    op.create_table(
        "massmail_frequency",
        sa.Column("contact_source", sa.String(length=64), nullable=False),
        sa.Column("contact_key", sa.String(length=64), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_id", BIG, nullable=True),
        sa.PrimaryKeyConstraint("contact_source", "contact_key", name=op.f("pk_massmail_frequency")),
    )
    op.create_table(
        "massmail_opt_out_reason",
        sa.Column("id", BIG, nullable=False),
        sa.Column("message_id", BIG, nullable=False),
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        sa.Column("contact_source", sa.String(length=64), nullable=False),
        sa.Column("contact_key", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_opt_out_reason")),
    )
    op.create_index("ix_massmail_opt_out_reason_contact", "massmail_opt_out_reason", ["contact_source", "contact_key"])
    op.create_index("ix_massmail_opt_out_reason_mailing", "massmail_opt_out_reason", ["mailing_id"])


def _index_of_beginnings(table: str) -> None:
    """So that PostgreSQL finds addresses by their beginning too."""
    ops = {"address": "varchar_pattern_ops"}
    op.create_index(f"ix_{table}_address", table, ["address"], postgresql_ops=ops)


def _suppressions() -> sa.Table:
    """The table as it was before."""
    return sa.Table(
        "massmail_suppression",
        sa.MetaData(),
        sa.Column("id", BIG, nullable=False),
        sa.Column("address", sa.String(length=254), nullable=True),
        sa.Column("contact_source", sa.String(length=64), nullable=True),
        sa.Column("contact_key", sa.String(length=64), nullable=True),
        sa.Column("scope", sa.String(length=30), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("message_id", BIG, nullable=True),
        sa.CheckConstraint(BEFORE, name="ck_massmail_suppression_somebody"),
        sa.ForeignKeyConstraint(["list_id"], ["massmail_list.id"], name="fk_massmail_suppression_list_id"),
        sa.PrimaryKeyConstraint("id", name="pk_massmail_suppression"),
        sa.Index("ix_massmail_suppression_address", "address"),
        sa.Index("ix_massmail_suppression_contact", "contact_source", "contact_key"),
    )


def _choices() -> None:
    """What a mailing leaves out."""
    op.add_column("massmail_mailing", sa.Column("contact_statuses", sa.JSON(), server_default="[]", nullable=False))
    for name, default in (("resend_window", "none"), ("resend_of", "mailing")):
        column = sa.Column(name, sa.String(length=10), server_default=default, nullable=False)
        op.add_column("massmail_mailing", column)
    _refer("massmail_mailing", "origin_id", "massmail_mailing")
    op.create_table(
        "massmail_excluded_list",
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["massmail_list.id"], name=op.f("fk_massmail_excluded_list_list_id")),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["massmail_mailing.id"], name=op.f("fk_massmail_excluded_list_mailing_id")
        ),
        sa.PrimaryKeyConstraint("mailing_id", "list_id", name=op.f("pk_massmail_excluded_list")),
    )


def _imports() -> None:
    """Files that people bring."""
    op.create_table(
        "massmail_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=True),
        sa.Column("contact_source", sa.String(length=64), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("format", sa.String(length=10), nullable=False),
        sa.Column("reading", sa.JSON(), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("evidence", sa.String(length=500), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("done_bytes", BIG, nullable=False),
        sa.Column("done_rows", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["list_id"], ["massmail_list.id"], name=op.f("fk_massmail_import_list_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_import")),
    )
    op.create_table(
        "massmail_import_part",
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["massmail_import.id"], name=op.f("fk_massmail_import_part_import_id")),
        sa.PrimaryKeyConstraint("import_id", "kind", "number", name=op.f("pk_massmail_import_part")),
    )


def _what_is_left() -> None:
    """What is left of data that was deleted."""
    op.create_table(
        "massmail_past_message",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        sa.Column("contact_source", sa.String(length=64), nullable=False),
        sa.Column("contact_key", sa.String(length=64), nullable=False),
        sa.Column("address_role", sa.String(length=40), nullable=False),
        sa.Column("address_hash", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_past_message")),
    )
    op.create_index("ix_massmail_past_message_address_hash", "massmail_past_message", ["address_hash"])
    op.create_index("ix_massmail_past_message_contact", "massmail_past_message", ["contact_source", "contact_key"])
    op.create_index("ix_massmail_provider_list_entry_address", "massmail_provider_list_entry", ["address"])
    op.add_column("massmail_chunk", sa.Column("forgotten", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index(
        "ix_massmail_outbox_message_nobodys",
        "massmail_outbox_message",
        ["address"],
        postgresql_where=sa.text(NOBODYS),
        sqlite_where=sa.text(NOBODYS),
    )
    op.create_table(
        "massmail_past_tally",
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("link_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("machine_hits", sa.Integer(), nullable=False),
        sa.Column("mails", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["massmail_mailing.id"], name=op.f("fk_massmail_past_tally_mailing_id")
        ),
        sa.PrimaryKeyConstraint("mailing_id", "kind", "link_id", "hour", name=op.f("pk_massmail_past_tally")),
    )
    op.create_table(
        "massmail_retention_pass",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("place", BIG, nullable=False),
        sa.Column("forgotten", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_massmail_retention_pass")),
    )
    op.create_table(
        "massmail_erasure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("contact_source", sa.String(length=64), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_erasure")),
    )


def _other_ways_out() -> None:
    """Opting out by mail, and asking for a lost link."""
    column = sa.Column("opt_out_address", sa.String(length=254), server_default="", nullable=False)
    op.add_column("massmail_sender", column)
    op.create_table(
        "massmail_link_request",
        sa.Column("id", BIG, nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("locale", sa.String(length=20), nullable=False),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_link_request")),
    )
    op.create_index("ix_massmail_link_request_address", "massmail_link_request", ["address", "at"])
    op.create_index("ix_massmail_link_request_network", "massmail_link_request", ["network", "at"])
    op.create_index(
        "ix_massmail_link_request_waiting",
        "massmail_link_request",
        ["id"],
        postgresql_where=sa.text("NOT answered"),
        sqlite_where=sa.text("NOT answered"),
    )


def _refer(table: str, column: str, other: str) -> None:
    """A new column that names a row of another table; a table that others name is not to be made anew for it."""
    name = f"fk_{table}_{column}"
    op.execute(f"ALTER TABLE {table} ADD COLUMN {column} INTEGER CONSTRAINT {name} REFERENCES {other} (id)")


def _without_topics() -> None:
    """Stops of a topic become stops of its lists: what knows no topics would send to these people."""
    names = "address, contact_source, contact_key, reason, note, created_at, created_by, message_id"
    of_stop = ", ".join(f"s.{name}" for name in names.split(", "))
    op.execute(
        f"INSERT INTO massmail_suppression ({names}, scope, list_id) SELECT {of_stop}, 'list', l.id "
        "FROM massmail_suppression s JOIN massmail_list l ON l.topic_id = s.topic_id WHERE s.scope = 'topic' "
        "AND (s.until IS NULL OR s.until > CURRENT_TIMESTAMP)"
    )
    op.execute("DELETE FROM massmail_suppression WHERE scope = 'topic' OR until <= CURRENT_TIMESTAMP")


def downgrade() -> None:
    op.execute("DELETE FROM massmail_suppression WHERE address IS NULL AND contact_key IS NULL")
    _without_topics()
    for column in ("reason", "scope", "way"):
        op.drop_index(f"ix_massmail_suppression_{column}", "massmail_suppression")
    with op.batch_alter_table("massmail_suppression") as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_massmail_suppression_somebody"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_massmail_suppression_somebody"), BEFORE)
        batch_op.drop_constraint(batch_op.f("fk_massmail_suppression_topic_id"), type_="foreignkey")
        for column in ("address_hash", "until"):
            batch_op.drop_index(f"ix_massmail_suppression_{column}")
        batch_op.drop_column("way")
        batch_op.drop_column("until")
        batch_op.drop_column("topic_id")
        batch_op.drop_column("address_hash")

    op.drop_index("ix_massmail_suppression_address", "massmail_suppression")
    op.create_index("ix_massmail_suppression_address", "massmail_suppression", ["address"])

    op.drop_index("ix_massmail_subscription_since", "massmail_subscription")
    op.create_index("ix_massmail_subscription_since", "massmail_subscription", ["list_id", "state", "since"])
    op.drop_index("ix_massmail_subscription_event_list", "massmail_subscription_event")
    for column in ("origin", "by", "way", "consent_text_id"):
        op.drop_column("massmail_subscription_event", column)

    for column in ("resend_of", "resend_window", "contact_statuses", "origin_id"):
        op.drop_column("massmail_mailing", column)

    _ungroup_templates()
    for column in (
        "last_mailed_at",
        "texts",
        "double_opt_in",
        "sign_up",
        "topic_id",
        "segment_id",
        "criterion_id",
        "sender_id",
    ):
        op.drop_column("massmail_list", column)

    op.drop_column("massmail_sender", "opt_out_address")
    op.drop_table("massmail_link_request")
    op.drop_table("massmail_excluded_list")
    op.drop_table("massmail_sign_up")
    op.drop_table("massmail_import_part")
    op.drop_table("massmail_import")
    op.drop_table("massmail_consent_text")
    op.drop_table("massmail_topic")
    op.drop_table("massmail_subscription_tally")
    op.drop_table("massmail_segment")
    op.drop_table("massmail_released_suppression")
    op.drop_table("massmail_past_message")
    op.drop_index("ix_massmail_outbox_message_nobodys", "massmail_outbox_message")
    op.drop_index("ix_massmail_provider_list_entry_address", "massmail_provider_list_entry")
    op.drop_table("massmail_past_tally")
    op.drop_table("massmail_retention_pass")
    op.drop_column("massmail_chunk", "forgotten")
    op.drop_table("massmail_opt_out_reason")
    op.drop_table("massmail_frequency")
    op.drop_table("massmail_erasure")
