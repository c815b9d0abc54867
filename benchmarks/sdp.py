"""
What reading, writing and answering session descriptions costs.

``parse`` reads and checks a body, ``views`` asks every stream for what a user agent
needs of it, ``write`` makes the body again, ``answer`` makes an answer, ``replace``
puts another address in. Microseconds each, the best of several rounds.

Then the worst bodies: what reading 16 and 64 KiB of each takes, in milliseconds. The
aim is 20 ms, and no more than five times as much for four times the length.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable
from functools import partial

from sipsorcery.sdp import (
    PCMA,
    PCMU,
    TELEPHONE_EVENT,
    Connection,
    Media,
    Origin,
    SDPError,
    SessionDescription,
    create_answer,
    replace_addresses,
)
from tests.sdp.hostile import SHAPES
from tests.sdp.samples import SAMPLES

ROUNDS = 15
REPEAT = 200
KIB = 1024

AUDIO = Media("audio", 4000).with_codecs([PCMU, PCMA, TELEPHONE_EVENT])
LOCAL = SessionDescription.create(
    Origin("-", "20518", 1, "203.0.113.1"),
    Connection("203.0.113.1"),
    [
        AUDIO,
        Media("audio", 4002, "UDP/TLS/RTP/SAVPF", AUDIO.formats, lines=AUDIO.lines),
    ],
)


def best(work: Callable[[], object], repeat: int = REPEAT) -> float:
    """
    Return the seconds that *work* takes, at best.
    """
    return min(timeit.repeat(work, number=repeat, repeat=ROUNDS)) / repeat


def views(description: SessionDescription) -> None:
    """
    Ask every stream for what a user agent needs.
    """
    for media in description.media:
        _ = media.codecs, media.direction, media.address, media.is_held


def read(body: bytes) -> str:
    """
    Read a body, and say whether that went well.
    """
    try:
        SessionDescription.parse(body)
    except SDPError:
        return "refused"
    return ""


def sample(name: str) -> None:
    """
    Measure what is done to an ordinary body.
    """
    body = SAMPLES[name]
    offer = SessionDescription.parse(body)
    print(f"{name}, {len(body)} bytes, {len(body.splitlines())} lines (us)")
    tasks: dict[str, Callable[[], object]] = {
        "parse": lambda: SessionDescription.parse(body),
        "views": lambda: views(offer),
        "write": lambda: str(offer).encode(),
        "answer": lambda: create_answer(offer, LOCAL),
        "replace": lambda: replace_addresses(
            offer, "203.0.113.9", where=lambda old: True
        ),
    }
    for what, task in tasks.items():
        print(f"  {what:8}{best(task) * 1e6:8.1f}")


def main() -> None:
    """
    Measure and print two tables.
    """
    for name in ("ASTERISK", "BRIA_STRAY", "CHROME"):
        sample(name)
    print("Hostile shapes (ms)         16 KiB  64 KiB")
    for name, shape in SHAPES.items():
        small, large = shape(16 * KIB), shape(64 * KIB)
        one, other = (best(partial(read, body), 1) for body in (small, large))
        print(f"  {name:26}{one * 1e3:6.2f}  {other * 1e3:6.2f}  {read(large)}")


if __name__ == "__main__":
    main()
