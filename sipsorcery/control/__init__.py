"""
The control socket: how the ``sipsorcery`` command asks a running server.

Each server listens on ``data_dir/run/<role>.sock``, which is for its own user alone. A
question is a line of JSON, ``{"verb": ..., "arguments": {...}}``. The answer is a line
``{"result": ...}`` or ``{"error": "a sentence"}``.
"""

from sipsorcery.control.client import ask
from sipsorcery.control.errors import ControlError, NotRunning
from sipsorcery.control.service import ControlService, Verb

__all__ = ["ControlError", "ControlService", "NotRunning", "Verb", "ask"]
