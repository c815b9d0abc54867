"""
Reads the command line and hands over to the verb.

A verb is a module with ``add_to``, which declares it, and a function ``run``, which
does it and returns the exit status: 0 done, 1 refused or failed. Wrong usage is 2.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from sipsorcery import __version__
from sipsorcery.cli.declaring import add_config
from sipsorcery.cli.errors import CommandError
from sipsorcery.cli.session import Runner, run_in_reactor
from sipsorcery.config import ConfigError
from sipsorcery.control import ControlError
from sipsorcery.store.errors import StoreError

# Each is a module, in the order of the help.
_VERBS = (
    "check",
    "init",
    "user",
    "domain",
    "account",
    "provider",
    "dialplan",
    "simulate",
    "bindings",
    "calls",
    "cdrs",
    "trace",
    "events",
    "dispatch",
    "ban",
    "status",
    "reload",
    "workers",
)


def main(
    arguments: Sequence[str] | None = None, *, runner: Runner = run_in_reactor
) -> int:
    """
    Run the command.

    :param arguments: without the name of the program; None: those of the process.
    :param runner: runs verbs that need a reactor.
    :return: the exit status.
    """
    given = sys.argv[1:] if arguments is None else arguments
    options = parser(given).parse_args(given)
    options.runner = runner
    try:
        ended: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output, such as head, has seen enough. Python would say so
        # once more at its exit, when it flushes what is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except CommandError as error:
        return _fail(str(error), error.status)
    except (StoreError, ControlError) as error:
        return _fail(str(error))
    except ConfigError as error:
        # It has the name of the file before each line.
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        named = error.filename is not None
        return _fail(f"{error.filename}: {error.strerror}" if named else str(error))
    except KeyboardInterrupt:
        return _fail("interrupted")
    return ended


def parser(arguments: Sequence[str] = ()) -> argparse.ArgumentParser:
    """
    Declare the command line.

    :param arguments: to declare what these name alone: some verbs take half a second
        to load. If they name no verb, all are declared.
    """
    whole = argparse.ArgumentParser(
        prog="sipsorcery",
        description="Look after the servers of sipsorcery.",
        # The others wrap the version in a narrow terminal.
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.add_argument(
        "--version", action="version", version=f"sipsorcery {__version__}"
    )
    add_config(whole, default=None)
    verbs = whole.add_subparsers(metavar="VERB", required=True)
    for verb in [each for each in _VERBS if each in arguments] or _VERBS:
        import_module(f"sipsorcery.cli.{verb}").add_to(verbs)
    return whole


def _fail(reason: str, status: int = 1) -> int:
    print(f"sipsorcery: {reason}", file=sys.stderr)
    return status
