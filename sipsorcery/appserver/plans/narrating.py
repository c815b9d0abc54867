"""
What a dialplan asks of its host, and what it is given, in words for its owner. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sipsorcery.appserver.plans.engine import HostError, Value

# Characters of one value, and of all: people read these lines, one under the other.
_VALUE, _ALL = 80, 240
# Arguments that open something.
_SECRET = re.compile("token|password|secret|pin", re.IGNORECASE)
# User and password in a URL (RFC 3986, 3.2.1).
_USER_INFO = re.compile(r"(?<=://)[^/\s@]*@")


def asks(name: str, arguments: Mapping[str, Value]) -> str:
    """
    Say what is asked; what opens something is left out.
    """
    shown = [f"{key} {_shown(key, value)}" for key, value in arguments.items()]
    return _short(f"asks {name}: {', '.join(shown)}" if shown else f"asks {name}", _ALL)


def is_given(name: str, value: Value | HostError) -> str:
    """
    Say what comes of it.
    """
    if isinstance(value, HostError):
        return _short(f"{name} fails: {value.text}", _ALL)
    return f"{name} gives {_shown('', value)}"


def _shown(key: str, value: Value) -> str:
    if value is None:
        return "nothing"
    if _SECRET.search(key):
        return "***"
    if isinstance(value, Mapping):
        pairs = (f"{name} {_shown(name, each)}" for name, each in value.items())
        return _short("{" + ", ".join(pairs) + "}", _VALUE)
    # Of lists as they are written in Python, so that no control character passes.
    return _short(_USER_INFO.sub("***@", repr(value)), _VALUE)


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
