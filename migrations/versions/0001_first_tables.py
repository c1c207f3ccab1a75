"""First tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "massmail_criterion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("contact_source", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_criterion")),
        sa.UniqueConstraint("name", name=op.f("uq_massmail_criterion_name")),
    )
    op.create_table(
        "massmail_heartbeat",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_massmail_heartbeat")),
    )
    op.create_table(
        "massmail_lease",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("holder", sa.String(length=100), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_massmail_lease")),
    )
    op.create_table(
        "massmail_list",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("public_name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_list")),
        sa.UniqueConstraint("name", name=op.f("uq_massmail_list_name")),
    )
    op.create_table(
        "massmail_sender",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("security", sa.String(length=10), nullable=False),
        sa.Column("auth", sa.String(length=20), nullable=False),
        sa.Column("username", sa.String(length=255), nullable=False),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("from_name", sa.String(length=200), nullable=False),
        sa.Column("from_address", sa.String(length=254), nullable=False),
        sa.Column("reply_to", sa.String(length=254), nullable=False),
        sa.Column("bcc", sa.String(length=254), nullable=False),
        sa.Column("tested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("test_stages", sa.JSON(), nullable=True),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("fault_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_sender")),
        sa.UniqueConstraint("name", name=op.f("uq_massmail_sender_name")),
    )
    op.create_table(
        "massmail_standing",
        sa.Column("contact_source", sa.String(length=64), nullable=False),
        sa.Column("contact_key", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=40), nullable=False),
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=100), nullable=True),
        sa.Column("previous_status", sa.String(length=100), nullable=True),
        sa.PrimaryKeyConstraint("contact_source", "contact_key", "place", name=op.f("pk_massmail_standing")),
    )
    op.create_table(
        "massmail_campaign",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("contact_source", sa.String(length=64), nullable=False),
        sa.Column("sender_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["sender_id"], ["massmail_sender.id"], name=op.f("fk_massmail_campaign_sender_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_campaign")),
        sa.UniqueConstraint("name", name=op.f("uq_massmail_campaign_name")),
    )
    op.create_table(
        "massmail_subscription",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("contact_source", sa.String(length=64), nullable=False),
        sa.Column("contact_key", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("evidence", sa.String(length=500), nullable=False),
        sa.Column("status", sa.String(length=100), nullable=True),
        sa.ForeignKeyConstraint(["list_id"], ["massmail_list.id"], name=op.f("fk_massmail_subscription_list_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_subscription")),
        sa.UniqueConstraint(
            "list_id",
            "contact_source",
            "contact_key",
            name=op.f("uq_massmail_subscription_list_id_contact_source_contact_key"),
        ),
    )
    op.create_index(
        "ix_massmail_subscription_contact", "massmail_subscription", ["contact_source", "contact_key"], unique=False
    )
    op.create_index(
        "ix_massmail_subscription_since", "massmail_subscription", ["list_id", "state", "since"], unique=False
    )
    op.create_table(
        "massmail_subscription_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("contact_source", sa.String(length=64), nullable=False),
        sa.Column("contact_key", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("evidence", sa.String(length=500), nullable=False),
        sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["list_id"], ["massmail_list.id"], name=op.f("fk_massmail_subscription_event_list_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_subscription_event")),
    )
    op.create_index(
        "ix_massmail_subscription_event_contact",
        "massmail_subscription_event",
        ["contact_source", "contact_key"],
        unique=False,
    )
    op.create_table(
        "massmail_suppression",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=True),
        sa.Column("contact_source", sa.String(length=64), nullable=True),
        sa.Column("contact_key", sa.String(length=64), nullable=True),
        sa.Column("scope", sa.String(length=30), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint(
            "address IS NOT NULL OR contact_key IS NOT NULL", name=op.f("ck_massmail_suppression_somebody")
        ),
        sa.ForeignKeyConstraint(["list_id"], ["massmail_list.id"], name=op.f("fk_massmail_suppression_list_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_suppression")),
    )
    op.create_index("ix_massmail_suppression_address", "massmail_suppression", ["address"], unique=False)
    op.create_index(
        "ix_massmail_suppression_contact", "massmail_suppression", ["contact_source", "contact_key"], unique=False
    )
    op.create_table(
        "massmail_template",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("topic", sa.String(length=200), nullable=False),
        sa.Column("segment", sa.String(length=200), nullable=False),
        sa.Column("format", sa.String(length=10), nullable=False),
        sa.Column("sender_id", sa.Integer(), nullable=True),
        sa.Column("from_name", sa.String(length=200), nullable=False),
        sa.Column("from_address", sa.String(length=254), nullable=False),
        sa.Column("reply_to", sa.String(length=254), nullable=False),
        sa.Column("bcc", sa.String(length=254), nullable=False),
        sa.Column("statuses", sa.JSON(), nullable=True),
        sa.Column("version_number", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["sender_id"], ["massmail_sender.id"], name=op.f("fk_massmail_template_sender_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_template")),
        sa.UniqueConstraint("name", name=op.f("uq_massmail_template_name")),
    )
    op.create_table(
        "massmail_campaign_list",
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["massmail_campaign.id"], name=op.f("fk_massmail_campaign_list_campaign_id")
        ),
        sa.ForeignKeyConstraint(["list_id"], ["massmail_list.id"], name=op.f("fk_massmail_campaign_list_list_id")),
        sa.PrimaryKeyConstraint("campaign_id", "list_id", name=op.f("pk_massmail_campaign_list")),
    )
    op.create_table(
        "massmail_enrolment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("contact_source", sa.String(length=64), nullable=False),
        sa.Column("contact_key", sa.String(length=64), nullable=False),
        sa.Column("entry_number", sa.Integer(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("left_reason", sa.String(length=40), nullable=False),
        sa.Column("last_day", sa.Integer(), nullable=True),
        sa.Column("next_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.String(length=100), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["massmail_campaign.id"], name=op.f("fk_massmail_enrolment_campaign_id")
        ),
        sa.ForeignKeyConstraint(["list_id"], ["massmail_list.id"], name=op.f("fk_massmail_enrolment_list_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_enrolment")),
        sa.UniqueConstraint(
            "campaign_id",
            "contact_source",
            "contact_key",
            "entry_number",
            name=op.f("uq_massmail_enrolment_campaign_id_contact_source_contact_key_entry_number"),
        ),
    )
    op.create_index(
        "ix_massmail_enrolment_contact", "massmail_enrolment", ["contact_source", "contact_key"], unique=False
    )
    op.create_index(
        "ix_massmail_enrolment_due", "massmail_enrolment", ["campaign_id", "state", "next_due_at"], unique=False
    )
    op.create_table(
        "massmail_template_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("template_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["template_id"], ["massmail_template.id"], name=op.f("fk_massmail_template_version_template_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_template_version")),
        sa.UniqueConstraint("template_id", "number", name=op.f("uq_massmail_template_version_template_id_number")),
    )
    op.create_table(
        "massmail_mailing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("hold_reason", sa.String(length=30), nullable=False),
        sa.Column("hold_note", sa.Text(), nullable=False),
        sa.Column("contact_source", sa.String(length=64), nullable=False),
        sa.Column("address_roles", sa.JSON(), nullable=False),
        sa.Column("template_id", sa.Integer(), nullable=True),
        sa.Column("version_id", sa.Integer(), nullable=True),
        sa.Column("criterion_id", sa.Integer(), nullable=True),
        sa.Column("sender_id", sa.Integer(), nullable=True),
        sa.Column("one_per_address", sa.Boolean(), nullable=False),
        sa.Column("statuses", sa.JSON(), nullable=True),
        sa.Column("from_name", sa.String(length=200), nullable=False),
        sa.Column("from_address", sa.String(length=254), nullable=False),
        sa.Column("reply_to", sa.String(length=254), nullable=False),
        sa.Column("bcc", sa.String(length=254), nullable=False),
        sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("campaign_id", sa.Integer(), nullable=True),
        sa.Column("message_domain", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("launched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("launched_by", sa.String(length=200), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["massmail_campaign.id"], name=op.f("fk_massmail_mailing_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["criterion_id"], ["massmail_criterion.id"], name=op.f("fk_massmail_mailing_criterion_id")
        ),
        sa.ForeignKeyConstraint(["sender_id"], ["massmail_sender.id"], name=op.f("fk_massmail_mailing_sender_id")),
        sa.ForeignKeyConstraint(
            ["template_id"], ["massmail_template.id"], name=op.f("fk_massmail_mailing_template_id")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["massmail_template_version.id"], name=op.f("fk_massmail_mailing_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_mailing")),
    )
    op.create_index("ix_massmail_mailing_state", "massmail_mailing", ["state", "scheduled_at"], unique=False)
    op.create_table(
        "massmail_campaign_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("template_id", sa.Integer(), nullable=False),
        sa.Column("mailing_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["massmail_campaign.id"], name=op.f("fk_massmail_campaign_step_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["massmail_mailing.id"], name=op.f("fk_massmail_campaign_step_mailing_id")
        ),
        sa.ForeignKeyConstraint(
            ["template_id"], ["massmail_template.id"], name=op.f("fk_massmail_campaign_step_template_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_campaign_step")),
        sa.UniqueConstraint("campaign_id", "day", name=op.f("uq_massmail_campaign_step_campaign_id_day")),
    )
    op.create_table(
        "massmail_chunk",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_by", sa.String(length=100), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.Column("deferred", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("uncertain", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("cancelled", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["mailing_id"], ["massmail_mailing.id"], name=op.f("fk_massmail_chunk_mailing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_chunk")),
        sa.UniqueConstraint("mailing_id", "number", name=op.f("uq_massmail_chunk_mailing_id_number")),
    )
    op.create_index(
        "ix_massmail_chunk_claim",
        "massmail_chunk",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "massmail_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["mailing_id"], ["massmail_mailing.id"], name=op.f("fk_massmail_link_mailing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_link")),
        sa.UniqueConstraint("mailing_id", "number", name=op.f("uq_massmail_link_mailing_id_number")),
    )
    op.create_table(
        "massmail_mailing_list",
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["massmail_list.id"], name=op.f("fk_massmail_mailing_list_list_id")),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["massmail_mailing.id"], name=op.f("fk_massmail_mailing_list_mailing_id")
        ),
        sa.PrimaryKeyConstraint("mailing_id", "list_id", name=op.f("pk_massmail_mailing_list")),
    )
    op.create_table(
        "massmail_outbox_message",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
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
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reply_code", sa.Integer(), nullable=True),
        sa.Column("reply_enhanced", sa.String(length=12), nullable=False),
        sa.Column("reply_text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["massmail_list.id"], name=op.f("fk_massmail_outbox_message_list_id")),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["massmail_mailing.id"], name=op.f("fk_massmail_outbox_message_mailing_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_outbox_message")),
        sa.UniqueConstraint(
            "mailing_id",
            "contact_source",
            "contact_key",
            "address_role",
            "occurrence",
            name=op.f("uq_massmail_outbox_message_mailing_id_contact_source_contact_key_address_role_occurrence"),
        ),
        sa.UniqueConstraint("mailing_id", "dedup_key", name=op.f("uq_massmail_outbox_message_mailing_id_dedup_key")),
    )
    op.create_index(
        "ix_massmail_outbox_message_chunk",
        "massmail_outbox_message",
        ["mailing_id", "chunk", "state", "due_at"],
        unique=False,
    )
    op.create_index(
        "ix_massmail_outbox_message_contact", "massmail_outbox_message", ["contact_source", "contact_key"], unique=False
    )
    op.create_index(
        "ix_massmail_outbox_message_state", "massmail_outbox_message", ["mailing_id", "state", "id"], unique=False
    )
    op.create_table(
        "massmail_prepared_message",
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("tracks_opens", sa.Boolean(), nullable=False),
        sa.Column("from_name", sa.String(length=200), nullable=False),
        sa.Column("from_address", sa.String(length=254), nullable=False),
        sa.Column("reply_to", sa.String(length=254), nullable=False),
        sa.Column("bcc", sa.String(length=254), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["massmail_mailing.id"], name=op.f("fk_massmail_prepared_message_mailing_id")
        ),
        sa.PrimaryKeyConstraint("mailing_id", name=op.f("pk_massmail_prepared_message")),
    )
    op.create_table(
        "massmail_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
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
        sa.ForeignKeyConstraint(["link_id"], ["massmail_link.id"], name=op.f("fk_massmail_event_link_id")),
        sa.ForeignKeyConstraint(["mailing_id"], ["massmail_mailing.id"], name=op.f("fk_massmail_event_mailing_id")),
        sa.ForeignKeyConstraint(
            ["message_id"], ["massmail_outbox_message.id"], name=op.f("fk_massmail_event_message_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_event")),
        sa.UniqueConstraint("provider", "provider_event_id", name=op.f("uq_massmail_event_provider_provider_event_id")),
    )
    op.create_index(
        "ix_massmail_event_mailing", "massmail_event", ["mailing_id", "kind", "by_machine", "message_id"], unique=False
    )
    op.create_index("ix_massmail_event_message", "massmail_event", ["message_id"], unique=False)
    op.create_table(
        "massmail_outcome_report",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
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
        sa.ForeignKeyConstraint(["link_id"], ["massmail_link.id"], name=op.f("fk_massmail_outcome_report_link_id")),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["massmail_mailing.id"], name=op.f("fk_massmail_outcome_report_mailing_id")
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["massmail_outbox_message.id"], name=op.f("fk_massmail_outcome_report_message_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_massmail_outcome_report")),
        sa.UniqueConstraint(
            "message_id", "outcome", "turn", name=op.f("uq_massmail_outcome_report_message_id_outcome_turn")
        ),
    )
    op.create_index(
        "ix_massmail_outcome_report_contact", "massmail_outcome_report", ["contact_source", "contact_key"], unique=False
    )
    op.create_index(
        "ix_massmail_outcome_report_mailing", "massmail_outcome_report", ["mailing_id", "outcome"], unique=False
    )
    op.create_index("ix_massmail_outcome_report_waiting", "massmail_outcome_report", ["state", "due_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_massmail_outcome_report_waiting", table_name="massmail_outcome_report")
    op.drop_index("ix_massmail_outcome_report_mailing", table_name="massmail_outcome_report")
    op.drop_index("ix_massmail_outcome_report_contact", table_name="massmail_outcome_report")
    op.drop_table("massmail_outcome_report")
    op.drop_index("ix_massmail_event_message", table_name="massmail_event")
    op.drop_index("ix_massmail_event_mailing", table_name="massmail_event")
    op.drop_table("massmail_event")
    op.drop_table("massmail_prepared_message")
    op.drop_index("ix_massmail_outbox_message_state", table_name="massmail_outbox_message")
    op.drop_index("ix_massmail_outbox_message_contact", table_name="massmail_outbox_message")
    op.drop_index("ix_massmail_outbox_message_chunk", table_name="massmail_outbox_message")
    op.drop_table("massmail_outbox_message")
    op.drop_table("massmail_mailing_list")
    op.drop_table("massmail_link")
    op.drop_index(
        "ix_massmail_chunk_claim", table_name="massmail_chunk", postgresql_where=sa.text("due_at IS NOT NULL")
    )
    op.drop_table("massmail_chunk")
    op.drop_table("massmail_campaign_step")
    op.drop_index("ix_massmail_mailing_state", table_name="massmail_mailing")
    op.drop_table("massmail_mailing")
    op.drop_table("massmail_template_version")
    op.drop_index("ix_massmail_enrolment_due", table_name="massmail_enrolment")
    op.drop_index("ix_massmail_enrolment_contact", table_name="massmail_enrolment")
    op.drop_table("massmail_enrolment")
    op.drop_table("massmail_campaign_list")
    op.drop_table("massmail_template")
    op.drop_index("ix_massmail_suppression_contact", table_name="massmail_suppression")
    op.drop_index("ix_massmail_suppression_address", table_name="massmail_suppression")
    op.drop_table("massmail_suppression")
    op.drop_index("ix_massmail_subscription_event_contact", table_name="massmail_subscription_event")
    op.drop_table("massmail_subscription_event")
    op.drop_index("ix_massmail_subscription_since", table_name="massmail_subscription")
    op.drop_index("ix_massmail_subscription_contact", table_name="massmail_subscription")
    op.drop_table("massmail_subscription")
    op.drop_table("massmail_campaign")
    op.drop_table("massmail_standing")
    op.drop_table("massmail_sender")
    op.drop_table("massmail_list")
    op.drop_table("massmail_lease")
    op.drop_table("massmail_heartbeat")
    op.drop_table("massmail_criterion")
