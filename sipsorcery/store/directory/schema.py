"""
The tables of the directory.

They are made and changed by the migrations beside this module, never from here; a test
compares the two. What a table holds is described by the class that its rows become.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

from sipsorcery.store.directory.types import Networks, Texts, UTCDateTime

# Every constraint has a name, so that a migration can change it.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _owner(**options: Any) -> Column[str]:
    """
    Make the column that every query asks for; with its user, what they own goes.
    """
    user = ForeignKey("users.name", ondelete="CASCADE", onupdate="CASCADE")
    return Column("owner", String(32), user, nullable=False, **options)


def _text(name: str, length: int, **options: Any) -> Column[str]:
    return Column(name, String(length), nullable=False, **options)


def _moment(name: str) -> Column[Any]:
    return Column(name, UTCDateTime, nullable=False)


def _switch(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


users = Table(
    "users",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("password_hash", String(255)),
    _switch("is_admin"),
    Column("disabled", String(256)),
    _text("email", 255),
    _text("full_name", 128),
    _text("time_zone", 64),
    _moment("created"),
    _moment("updated"),
)

public_keys = Table(
    "public_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    _owner(),
    _text("algorithm", 64),
    Column("blob", LargeBinary, nullable=False),
    _text("fingerprint", 64),
    _text("comment", 255),
    _moment("created"),
    Index(None, "owner", "fingerprint", unique=True),
    sqlite_autoincrement=True,
)

domains = Table(
    "domains",
    metadata,
    Column("name", String(255), primary_key=True),
    Column(
        "owner",
        String(32),
        ForeignKey("users.name", ondelete="SET NULL", onupdate="CASCADE"),
        index=True,
    ),
    Column("algorithms", Texts),
    _moment("created"),
)

domain_aliases = Table(
    "domain_aliases",
    metadata,
    Column("alias", String(255), primary_key=True),
    Column(
        "domain",
        String(255),
        ForeignKey("domains.name", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Integer, primary_key=True),
    # user@domain in lower case: what is searched for, and what there is once only.
    _text("address", 320, index=True, unique=True),
    _owner(index=True),
    _text("username", 64),
    _text("domain", 255, index=True),
    Column("ha1_md5", String(32)),
    Column("ha1_sha_256", String(64)),
    Column("ha1_sha_512_256", String(64)),
    Column("trusted_networks", Networks, nullable=False),
    Column("allowed_networks", Networks, nullable=False),
    Column("user_disabled", String(256)),
    Column("admin_disabled", String(256)),
    _switch("incoming_only"),
    Column("in_dialplan", String(64)),
    Column("out_dialplan", String(64)),
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

providers = Table(
    "providers",
    metadata,
    Column("id", Integer, primary_key=True),
    _owner(),
    _text("name", 50),
    _text("name_key", 50),
    _text("username", 64),
    Column("sealed_password", LargeBinary),
    _text("auth_username", 64),
    _text("server", 256),
    _text("outbound_proxy", 256),
    _text("from_uri", 256),
    Column("custom_headers", Texts, nullable=False),
    _switch("registers"),
    _text("register_contact", 256),
    Column("register_expires", Integer, nullable=False),
    _text("register_server", 256),
    _text("register_realm", 256),
    Column("user_disabled", String(256)),
    Column("admin_disabled", String(256)),
    _switch("subscribes_mwi"),
    _switch("is_read_only"),
    _moment("created"),
    _moment("updated"),
    Index(None, "owner", "name_key", unique=True),
    sqlite_autoincrement=True,
)

dialplans = Table(
    "dialplans",
    metadata,
    Column("id", Integer, primary_key=True),
    _owner(),
    _text("name", 64),
    _text("name_key", 64),
    Column("version", Integer, nullable=False),
    _text("trace_email", 255),
    _switch("accepts_non_invite"),
    Column("max_executions", Integer, nullable=False),
    Column("options", JSON, nullable=False),
    _switch("is_read_only"),
    _moment("created"),
    _moment("updated"),
    Index(None, "owner", "name_key", unique=True),
    sqlite_autoincrement=True,
)

dialplan_versions = Table(
    "dialplan_versions",
    metadata,
    Column(
        "dialplan_id",
        Integer,
        ForeignKey("dialplans.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("number", Integer, primary_key=True),
    _owner(index=True),
    _text("kind", 12),
    Column("script", Text, nullable=False),
    _text("author", 32),
    _text("note", 256),
    _moment("created"),
)

# Of the service itself where the owner is "", so it is no foreign key.
settings = Table(
    "settings",
    metadata,
    Column("owner", String(32), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("value", JSON, nullable=False),
    _moment("updated"),
)

key_values = Table(
    "key_values",
    metadata,
    _owner(primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("value", Text, nullable=False),
    _moment("updated"),
)

# What was is not changed when a user or an account goes: so no foreign keys.
cdrs = Table(
    "cdrs",
    metadata,
    Column("id", String(36), primary_key=True),
    _text("owner", 32),
    _text("server", 64),
    _text("direction", 8),
    _text("account", 320),
    _text("account_code", 36),
    _text("dialplan", 64),
    Column("dialplan_version", Integer),
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
    Column("progress_at", UTCDateTime),
    Column("progress_status", Integer),
    _text("progress_reason", 512),
    Column("answered_at", UTCDateTime),
    Column("answered_status", Integer),
    _text("answered_reason", 512),
    Column("ended_at", UTCDateTime),
    Column("ended_status", Integer),
    _text("ended_reason", 512),
    Column("detail", JSON, nullable=False),
    Index(None, "owner", "created"),
    Index(None, "created"),
    Index(None, "call_id"),
    Index(None, "bridge"),
    # The few that are open, among all that ever were.
    Index(
        "ix_cdrs_open",
        "server",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

# Counts the changes to each table, so that whoever has a copy of it can tell.
revisions = Table(
    "revisions",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("number", Integer, nullable=False),
)

#: The tables whose changes are counted: those that servers keep copies of.
COUNTED = (users, public_keys, domains, accounts, providers, dialplans, settings)
