"""
Credentials made unreadable, before an event leaves a role. Pure.
"""

from __future__ import annotations

import re

# A field with its continuation lines. Proxies and user agents carry proofs in these.
_CREDENTIALS = re.compile(
    rb"^((?:proxy-)?authorization|(?:proxy-)?authentication-info)([ \t]*:[ \t\r\n]*)"
    rb"((?:[^\r\n]|\r\n[ \t])*)",
    re.IGNORECASE | re.MULTILINE,
)
_PROOF = re.compile(rb"(\b(?:response|rspauth)[ \t]*=[ \t]*\"?)([0-9a-z]+)", re.I)
_SCHEME = re.compile(rb"([!-~]+)([ \t\r\n]+)")

# The password of a URI, and what a dialplan may have said of a proof.
_IN_TEXT = re.compile(
    r"(?P<uri>\b(?:sips?:|https?://)[^\s:@/<>\"]{1,128}:)[^\s@/<>\"]{1,128}(?=@)"
    r"|(?P<scheme>\b(?:Basic|Bearer)[ \t]+)[\w.~+/=-]{8,4096}"
    r"|(?P<proof>\b(?:response|rspauth)[ \t]*=[ \t]*\"?)[0-9a-f]{32,128}\b",
    re.IGNORECASE,
)


def mask_text(text: str) -> str:
    """
    Make passwords and proofs unreadable in what a server says of something.
    """
    if ":" not in text and "=" not in text and " " not in text:
        return text
    return _IN_TEXT.sub(lambda found: f"{found[found.lastgroup or 0]}***", text)


def mask(data: bytes) -> bytes:
    """
    Make the proofs in credentials unreadable; everything stays in its place.

    Of a digest that is the response alone, for the rest helps to find faults; of a
    scheme whose credentials are a secret themselves, such as ``Basic``, all of them.
    """
    return _CREDENTIALS.sub(
        lambda field: field[1] + field[2] + _mask_value(field[1], field[3]), data
    )


def _mask_value(name: bytes, value: bytes) -> bytes:
    scheme = _SCHEME.match(value)
    is_info = name.lower().endswith(b"info")  # it names no scheme
    if scheme is not None and not is_info and scheme[1].lower() != b"digest":
        return scheme[0] + re.sub(rb"[^\s]", b"*", value[scheme.end() :])
    return _PROOF.sub(lambda proof: proof[1] + b"*" * len(proof[2]), value)
