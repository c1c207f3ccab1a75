"""Runs the history of our own tables, on a connection or as SQL text. `massmail_plugin.upkeep.schema` enters."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, TypeDecorator
from sqlalchemy.sql.schema import SchemaItem

from massmail_plugin.models import Base
from massmail_plugin.upkeep.schema import VERSION_TABLE, is_ours


def ours_alone(name: str | None, type_: str, parent_names: Any) -> bool:
    """The host's tables are none of our business."""
    return is_ours(name) if type_ == "table" else True


def plain_type(type_: str, item: SchemaItem, autogen: AutogenContext) -> str | Literal[False]:
    """Revisions name the types of the database, not classes of ours that may change or go."""
    if type_ == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    return False


def run(connection: Connection) -> None:
    """Bring the database to the asked-for revision; the caller's transaction stays open."""
    options: dict[str, Any] = {
        "target_metadata": Base.metadata,
        "version_table": VERSION_TABLE,
        "include_name": ours_alone,
        "render_item": plain_type,
        "render_as_batch": context.config.attributes.get("render_as_batch", False),
        "user_module_prefix": "sa.",
    }
    if context.is_offline_mode():
        context.configure(dialect_name=connection.dialect.name, literal_binds=True, transactional_ddl=True, **options)
    else:
        context.configure(connection=connection, **options)
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
