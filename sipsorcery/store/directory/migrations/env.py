"""
What alembic runs for each command: the migrations, on the connection it was given.
"""

from alembic import context

from sipsorcery.store.directory.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite cannot change a table; alembic makes a new one and copies.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
