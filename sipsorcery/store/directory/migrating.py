"""
Running the migrations that are missing.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from sipsorcery.store.errors import StoreDamaged


def migrate(connection: Connection) -> None:
    """
    Make the tables as this version has them.

    :raises StoreDamaged: if a newer version has made them.
    """
    config = Config()
    folder = str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    current = MigrationContext.configure(connection).get_current_revision()
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
