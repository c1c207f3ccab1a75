"""What mailings tell the CRM: addresses that do not work, letters that were sent, interests that were shown."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("contacts", sa.Column("email1_bad", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("contacts", sa.Column("email2_bad", sa.Boolean(), server_default=sa.false(), nullable=False))
    for table, columns in _TABLES.items():
        op.create_table(
            table,
            sa.Column("id", sa.Integer(), nullable=False),
            sa.Column("contact_id", sa.Integer(), nullable=False),
            sa.Column("report_id", sa.Integer(), nullable=False),
            sa.Column("at", sa.DateTime(timezone=True), nullable=False),
            *(sa.Column(name, kind, nullable=False) for name, kind in columns),
            sa.ForeignKeyConstraint(
                ["contact_id"], ["contacts.id"], name=op.f(f"fk_{table}_contact_id"), ondelete="CASCADE"
            ),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
            sa.UniqueConstraint("report_id", name=op.f(f"uq_{table}_report_id")),
        )
        op.create_index(op.f(f"ix_{table}_contact_id"), table, ["contact_id"])


_TABLES: dict[str, tuple[tuple[str, Any], ...]] = {
    "letters": (("subject", sa.Text()), ("text", sa.Text())),
    "interests": (("name", sa.String(length=40)), ("score", sa.Integer())),
}


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
    op.drop_column("contacts", "email2_bad")
    op.drop_column("contacts", "email1_bad")
