"""
Transparent mode: one Via outward, for servers that refuse more.

The Vias that a request had travel in ours, sealed, and are put back into the response.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from sipsorcery.proxy.errors import Refused
from sipsorcery.sip.fields import VIA
from sipsorcery.sip.message import Message
from sipsorcery.store.sealing import BrokenSeal, Sealer
from sipsorcery.store.secrets import Key

# Octets: more than the ten Vias that any sane way has, and with the rest of a request
# still less than two packets.
_MAX_VIAS = 1024


class Transparency:
    """
    Hides Vias and shows them again.

    :param keys: as `Secrets.keys` gives them.
    """

    def __init__(self, keys: Sequence[Key]) -> None:
        self.renew(keys)

    def renew(self, keys: Sequence[Key]) -> None:
        """
        Take over other keys, after a rotation.
        """
        self._sealer = Sealer(keys)

    def hide(self, vias: Sequence[str], branch: str) -> str:
        """
        Seal Vias.

        :param branch: that of the Via which carries them.
        :return: a token, for a parameter of that Via.
        :raises Refused: with 513, if they are too long.
        """
        data = "\n".join(vias).encode("utf-8", "surrogateescape")
        if len(data) > _MAX_VIAS:
            raise Refused(513, f"{len(data)} octets of Vias are too many to hide")
        sealed = self._sealer.seal(data, branch.encode("utf-8", "surrogateescape"))
        return urlsafe_b64encode(sealed).decode().rstrip("=")

    def show(self, text: str, branch: str) -> list[str] | None:
        """
        Open what `hide` has sealed; None if it is something else.
        """
        try:
            sealed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            data = self._sealer.open(sealed, branch.encode("utf-8", "surrogateescape"))
        except (BrokenSeal, ValueError):
            return None
        return data.decode("utf-8", "surrogateescape").split("\n")


def restore(message: Message, vias: Sequence[str]) -> None:
    """
    Put Vias back, below none.
    """
    message.remove(VIA)
    for via in reversed(vias):
        message.prepend("Via", via)
