"""Runs the CRM's own migrations; the plugin's tables have a history of their own."""

from alembic import context
from flask import current_app


def run() -> None:
    """Brings the connection's database to the asked-for revision."""
    migrate = current_app.extensions["migrate"]
    with migrate.db.engine.connect() as connection:
        options = {"render_as_batch": connection.dialect.name == "sqlite", **migrate.configure_args}
        context.configure(connection=connection, target_metadata=migrate.db.metadata, **options)
        with context.begin_transaction():
            context.run_migrations()


run()
