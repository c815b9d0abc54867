"""
What ends a command early, with a sentence.
"""


class CommandError(Exception):
    """
    The base of these.

    :cvar status: with which the command exits.
    """

    status = 1


class Refused(CommandError):
    """
    Says what cannot be done.
    """


class WrongUsage(CommandError):
    """
    Says what is wrong with the command line.
    """

    status = 2
