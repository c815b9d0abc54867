"""
A process that starts a server, tells which modules it has, and ends.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, cast

from twisted.internet import reactor


def main(role: str, configuration: str) -> None:
    """
    Start what ``twistd`` would, and print the names of all modules once it runs.
    """
    module: Any = import_module(f"sipsorcery.tap.{role}")
    options = module.Options()
    options.parseOptions(["--config", configuration])
    service = module.makeService(options)
    service.startService()
    running = cast(Any, reactor)
    running.addSystemEventTrigger("before", "shutdown", service.stopService)

    def tell() -> None:
        print(*sorted(sys.modules), sep="\n")
        running.stop()

    # After what the services do first.
    running.callWhenRunning(running.callLater, 0, tell)
    running.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
