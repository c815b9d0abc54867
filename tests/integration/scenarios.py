"""
SIPp as a phone: the scenarios of the folder ``sipp``.
"""

from __future__ import annotations

from pathlib import Path

from sipsorcery.endpoint import Endpoint
from tests.integration.sipp import SIPp

_FOLDER = Path(__file__).with_name("sipp")
# That of all scenarios.
_DOMAIN = "example.com"
# Longer than any test.
_STAY = '  <pause milliseconds="300000"/>\n'


def read(name: str, address: str | None = None) -> str:
    """
    Give the text of a scenario.

    :param address: where its phone says that it is, host and port; None: where it is.
    """
    text = (_FOLDER / f"{name}.xml").read_text("ascii")
    if address is None:
        return text
    host = address.partition(":")[0]
    return text.replace("@[local_ip]:[local_port]", f"@{address}").replace(
        "IN IP4 [local_ip]", f"IN IP4 {host}"
    )


def register(
    folder: Path,
    target: Endpoint,
    password: str,
    *,
    user: str = "101",
    port: int | None = None,
    address: str | None = None,
    takes_calls: bool = False,
) -> SIPp:
    """
    Start a phone that registers, once.

    :param folder: where it writes; it is made.
    :param target: where it registers, and over which transport.
    :param port: where it listens; None: where there is room.
    :param address: as for `read`.
    :param takes_calls: whether it stays, and takes calls at the same socket.
    """
    folder.mkdir()
    text = read("register", address)
    options = ["-s", user, "-au", user, "-ap", password, "-auth_uri", _DOMAIN]
    if takes_calls:
        (folder / "callee.xml").write_text(read("callee", address), "ascii")
        options += ["-oocsf", "callee.xml"]
        text = text.replace("</scenario>", f"{_STAY}</scenario>")
    return SIPp(
        folder,
        "register",
        target.transport,
        calls=1,
        port=port,
        target=target,
        text=text,
        options=options,
    )
