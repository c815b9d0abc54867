"""
Making the tables of the directory, and bringing them up to date.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, inspect, text

#: The name of the last migration; a test compares it with those that there are.
HEAD = "0001"

# Locks out other processes that start at the same moment: PostgreSQL wants a number for
# it, any that nobody else uses. SQLite has locked the file already.
_UPGRADE_LOCK = 7_316_011_719


def upgrade(engine: Engine) -> None:
    """
    Make the tables as this version has them; all of it, or nothing, is done.

    :raises StoreDamaged: if a newer version has made them.
    """
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"select pg_advisory_xact_lock({_UPGRADE_LOCK})"))
        if _made(connection) == [HEAD]:
            return
        # Only here: alembic is 10 MB, and a process needs it once in many starts.
        from sipsorcery.store.directory.migrating import migrate

        migrate(connection)


def _made(connection: Connection) -> list[str]:
    """
    Give the name of the last migration that was made, as alembic keeps it.
    """
    if not inspect(connection).has_table("alembic_version"):
        return []
    found = connection.execute(text("select version_num from alembic_version"))
    return list(found.scalars())
