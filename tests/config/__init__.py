"""
Tests for `sipsorcery.config`.
"""

from sipsorcery.config import ConfigError, parse


def faults(text: str) -> list[str]:
    """
    List what is wrong with a configuration, each as ``path: sentence``.
    """
    try:
        parse(text.encode())
    except ConfigError as error:
        return error.lines()
    return []
