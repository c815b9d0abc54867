"""
Programs that look for servers to break into, by the names they give themselves. Pure.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Each is what a published tool sends unless told otherwise. A tool that gives itself
# the name of a phone is found by what it does.
_NAMES = (
    "friendly-request",  # descendants of sipvicious
    "friendly-scanner",  # sipvicious: svmap, svwar, svcrack
    "gulp",
    "iwar",
    "nmap",
    "pplsip",  # calls to premium numbers, in great numbers
    "sip-scan",
    "sipcli",  # toll fraud, since 2010
    "siparmyknife",
    "sipfaker",
    "siplorer",
    "sippts",
    "sipscan",
    "sipsak-scan",
    "sipvicious",
    "smap",
    "sundayddr",  # a worm of 2011, still about
    "vaxsipuseragent",  # a toolkit whose default name only dialers keep
    "zgrab",
)
# At the front or after what is no letter: "sipcli/v1.8", "Mozilla (sipvicious)"; but
# not in the middle of a longer name.
_SCANNER = re.compile(
    rf"(?<![a-z0-9])(?:{'|'.join(map(re.escape, _NAMES))})(?![a-z])", re.IGNORECASE
)
# What is looked at of a name: the tools begin with theirs.
_LOOKED_AT = 128


@lru_cache(maxsize=1024)  # there are few products, and each request names one
def is_scanner(product: str | None) -> bool:
    """
    Tell whether a User-Agent field is that of a scanner.
    """
    return product is not None and _SCANNER.search(product, 0, _LOOKED_AT) is not None
