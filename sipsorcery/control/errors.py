"""
The errors of control sockets.
"""


class ControlError(Exception):
    """
    Says what keeps a server from being asked, or what it has refused.
    """


class NotRunning(ControlError):
    """
    Says that no server listens where it would.
    """
