"""
Types of columns that databases do not have, or each has in another way.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network
from typing import Any, TypeAlias

from sqlalchemy import JSON, DateTime, Dialect
from sqlalchemy.types import TypeDecorator

Network: TypeAlias = IPv4Network | IPv6Network


class UTCDateTime(TypeDecorator[datetime]):
    """
    A moment, with its time zone in Python and in UTC in the database.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """
        Turn into UTC; SQLite does not keep a time zone.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """
        Name the time zone.
        """
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value


class Texts(TypeDecorator[tuple[str, ...]]):
    """
    Some texts, in their order.
    """

    impl = JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(
        self, value: Sequence[str] | None, dialect: Dialect
    ) -> list[str] | None:
        """
        Make what JSON has.
        """
        return None if value is None else list(value)

    def process_result_value(
        self, value: Any | None, dialect: Dialect
    ) -> tuple[str, ...] | None:
        """
        Make what cannot be changed by mistake.
        """
        return None if value is None else tuple(value)


class Networks(TypeDecorator[tuple[Network, ...]]):
    """
    Some networks, in their order.
    """

    impl = JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(
        self, value: Sequence[Network] | None, dialect: Dialect
    ) -> list[str]:
        """
        Write them in CIDR notation.
        """
        return [str(network) for network in value or ()]

    def process_result_value(
        self, value: Any | None, dialect: Dialect
    ) -> tuple[Network, ...]:
        """
        Read them.
        """
        return tuple(ipaddress.ip_network(text) for text in value or ())
