"""
Runs the command as ``python -m sipsorcery``.
"""

import sys

from sipsorcery.cli import main

if __name__ == "__main__":
    sys.exit(main())
