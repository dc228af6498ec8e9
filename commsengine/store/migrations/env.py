"""Runs the migrations on the connection, and in the transaction, that ``schema.upgrade`` gives."""

from alembic import context

from commsengine.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
