"""
What a simulation cannot do.
"""

from __future__ import annotations

from sipsorcery.appserver.errors import AppServerError


class WorldError(AppServerError):
    """
    Says what is wrong in a world, and where.
    """


class SimulationError(AppServerError):
    """
    Says why a call cannot be simulated.
    """
