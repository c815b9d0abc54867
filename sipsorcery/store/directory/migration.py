"""
Making the tables of the directory, and bringing them up to date.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from sipsorcery.store.errors import StoreDamaged

# Locks out other processes that start at the same moment: PostgreSQL wants a number for
# it, any that nobody else uses. SQLite has locked the file already.
_UPGRADE_LOCK = 7_316_011_719


def upgrade(engine: Engine) -> None:
    """
    Make the tables as this version has them; all of it, or nothing, is done.

    :raises StoreDamaged: if a newer version has made them.
    """
    config = Config()
    folder = str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"select pg_advisory_xact_lock({_UPGRADE_LOCK})"))
        scripts = ScriptDirectory.from_config(config)
        current = current_revision(connection)
        known = {script.revision for script in scripts.walk_revisions()}
        if current is not None and current not in known:
            raise StoreDamaged(
                f"the directory was made by a newer sipsorcery: its schema is "
                f"{current}, and this version knows it up to "
                f"{scripts.get_current_head()}. Install the newer version again"
            )
        if current != scripts.get_current_head():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def current_revision(connection: Connection) -> str | None:
    """
    Give the name of the last migration that was made; None in an empty database.
    """
    return MigrationContext.configure(connection).get_current_revision()
