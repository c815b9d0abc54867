"""
How large a message may be.

Each limit is far above what devices send and low enough that a message at all of
its limits at once costs a few milliseconds.
"""

from __future__ import annotations

#: Bytes of one message: what fits a UDP datagram, and as much on a stream.
MAX_MESSAGE = 65535
#: Header field lines of one message. The longest of RFC 4475 has 40.
MAX_FIELDS = 200
#: Bytes of one header field line, folds included.
MAX_FIELD = 8192
