"""
Make the first tables.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """
    Make every table, in the order in which they need each other.
    """
    _users()
    _domains()
    _accounts()
    _providers()
    _dialplans()
    _settings()
    _cdrs()
    _revisions()


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("password_hash", sa.String(255)),
        _switch("is_admin"),
        sa.Column("disabled", sa.String(256)),
        _text("email", 255),
        _text("full_name", 128),
        _text("time_zone", 64),
        _moment("created"),
        _moment("updated"),
    )
    op.create_table(
        "public_keys",
        sa.Column("id", sa.Integer, primary_key=True),
        _owner(),
        _text("algorithm", 64),
        sa.Column("blob", sa.LargeBinary, nullable=False),
        _text("fingerprint", 64),
        _text("comment", 255),
        _moment("created"),
        sqlite_autoincrement=True,
    )
    _index("public_keys", "owner", "fingerprint", unique=True)


def _domains() -> None:
    op.create_table(
        "domains",
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column(
            "owner",
            sa.String(32),
            sa.ForeignKey("users.name", ondelete="SET NULL", onupdate="CASCADE"),
        ),
        sa.Column("algorithms", sa.JSON),
        _moment("created"),
    )
    _index("domains", "owner")
    op.create_table(
        "domain_aliases",
        sa.Column("alias", sa.String(255), primary_key=True),
        sa.Column(
            "domain",
            sa.String(255),
            sa.ForeignKey("domains.name", ondelete="CASCADE"),
            nullable=False,
        ),
    )
    _index("domain_aliases", "domain")


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Integer, primary_key=True),
        _text("address", 320),
        _owner(),
        _text("username", 64),
        _text("domain", 255),
        sa.Column("ha1_md5", sa.String(32)),
        sa.Column("ha1_sha_256", sa.String(64)),
        sa.Column("ha1_sha_512_256", sa.String(64)),
        sa.Column("trusted_networks", sa.JSON, nullable=False),
        sa.Column("allowed_networks", sa.JSON, nullable=False),
        sa.Column("user_disabled", sa.String(256)),
        sa.Column("admin_disabled", sa.String(256)),
        _switch("incoming_only"),
        sa.Column("in_dialplan", sa.String(64)),
        sa.Column("out_dialplan", sa.String(64)),
        _switch("sends_keepalives"),
        _switch("mangles_contact"),
        _text("network_id", 16),
        _text("account_code", 36),
        _text("avatar_url", 1024),
        _text("description", 1024),
        _moment("created"),
        _moment("updated"),
        sqlite_autoincrement=True,
    )
    _index("accounts", "address", unique=True)
    _index("accounts", "owner")
    _index("accounts", "domain")


def _providers() -> None:
    op.create_table(
        "providers",
        sa.Column("id", sa.Integer, primary_key=True),
        _owner(),
        _text("name", 50),
        _text("name_key", 50),
        _text("username", 64),
        sa.Column("sealed_password", sa.LargeBinary),
        _text("auth_username", 64),
        _text("server", 256),
        _text("outbound_proxy", 256),
        _text("from_uri", 256),
        sa.Column("custom_headers", sa.JSON, nullable=False),
        _switch("registers"),
        _text("register_contact", 256),
        sa.Column("register_expires", sa.Integer, nullable=False),
        _text("register_server", 256),
        _text("register_realm", 256),
        sa.Column("user_disabled", sa.String(256)),
        sa.Column("admin_disabled", sa.String(256)),
        _switch("subscribes_mwi"),
        _switch("is_read_only"),
        _moment("created"),
        _moment("updated"),
        sqlite_autoincrement=True,
    )
    _index("providers", "owner", "name_key", unique=True)


def _dialplans() -> None:
    op.create_table(
        "dialplans",
        sa.Column("id", sa.Integer, primary_key=True),
        _owner(),
        _text("name", 64),
        _text("name_key", 64),
        sa.Column("version", sa.Integer, nullable=False),
        _text("trace_email", 255),
        _switch("accepts_non_invite"),
        sa.Column("max_executions", sa.Integer, nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        _switch("is_read_only"),
        _moment("created"),
        _moment("updated"),
        sqlite_autoincrement=True,
    )
    _index("dialplans", "owner", "name_key", unique=True)
    op.create_table(
        "dialplan_versions",
        sa.Column(
            "dialplan_id",
            sa.Integer,
            sa.ForeignKey("dialplans.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("number", sa.Integer, primary_key=True),
        _owner(),
        _text("kind", 12),
        sa.Column("script", sa.Text, nullable=False),
        _text("author", 32),
        _text("note", 256),
        _moment("created"),
    )
    _index("dialplan_versions", "owner")


def _settings() -> None:
    op.create_table(
        "settings",
        sa.Column("owner", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("value", sa.JSON, nullable=False),
        _moment("updated"),
    )
    op.create_table(
        "key_values",
        _owner(primary_key=True),
        sa.Column("key", sa.String(128), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        _moment("updated"),
    )


def _cdrs() -> None:
    op.create_table(
        "cdrs",
        sa.Column("id", sa.String(36), primary_key=True),
        _text("owner", 32),
        _text("server", 64),
        _text("direction", 8),
        _text("account", 320),
        _text("account_code", 36),
        _text("dialplan", 64),
        sa.Column("dialplan_version", sa.Integer),
        _text("run", 36),
        _text("bridge", 36),
        _text("call_id", 256),
        _text("destination_user", 128),
        _text("destination_host", 255),
        _text("destination_uri", 1024),
        _text("from_user", 128),
        _text("from_name", 128),
        _text("from_header", 1024),
        _text("local_socket", 64),
        _text("remote_socket", 64),
        _moment("created"),
        _moment("progress_at", nullable=True),
        sa.Column("progress_status", sa.Integer),
        _text("progress_reason", 512),
        _moment("answered_at", nullable=True),
        sa.Column("answered_status", sa.Integer),
        _text("answered_reason", 512),
        _moment("ended_at", nullable=True),
        sa.Column("ended_status", sa.Integer),
        _text("ended_reason", 512),
        sa.Column("detail", sa.JSON, nullable=False),
    )
    _index("cdrs", "owner", "created")
    _index("cdrs", "created")
    _index("cdrs", "call_id")
    _index("cdrs", "bridge")
    is_open = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_cdrs_open",
        "cdrs",
        ["server"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def _revisions() -> None:
    revisions = op.create_table(
        "revisions",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
    )
    counted = ("users", "public_keys", "domains", "accounts", "providers")
    op.bulk_insert(
        revisions,
        [{"name": name, "number": 0} for name in (*counted, "dialplans", "settings")],
    )


def _owner(**options: Any) -> sa.Column[str]:
    user = sa.ForeignKey("users.name", ondelete="CASCADE", onupdate="CASCADE")
    return sa.Column("owner", sa.String(32), user, nullable=False, **options)


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _switch(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _index(table: str, *columns: str, unique: bool = False) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns, unique=unique)
