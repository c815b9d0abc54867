"""
The resident memory of processes, watched for a while.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from resource import getpagesize
from statistics import median

# What the allocator may keep of a busy moment, or Python of what it collects rarely.
# Whatever grows with the calls grows by more: each takes tens of kilobytes.
_SHARE, _LEAST = 0.03, 4 << 20
# The begin, in which there is much to do yet, and parts that are compared.
_PART = 0.2


@dataclass(frozen=True, slots=True)
class Growth:
    """
    How the memory of a process has gone on, in octets.

    :ivar early: the median of the second fifth of the time.
    :ivar late: that of the last one.
    """

    name: str
    early: float
    late: float

    @property
    def is_flat(self) -> bool:
        """
        Whether it has not grown by more than what is no growth.
        """
        return self.late - self.early <= max(_SHARE * self.early, _LEAST)

    def __str__(self) -> str:
        more = (self.late - self.early) / 1e6
        return f"{self.name} {self.early / 1e6:.1f} MB {more:+.1f}"


class Memory:
    """
    Notes the resident memory of processes, and of those that they have started.

    :param processes: their numbers, by names for people.
    """

    def __init__(self, processes: Mapping[str, int]) -> None:
        self._files = {
            name: Path(f"/proc/{pid}/statm")
            for role, root in processes.items()
            for name, pid in _family(role, root)
        }
        self._noted: dict[str, list[int]] = {name: [] for name in self._files}

    def now(self) -> dict[str, int]:
        """
        Give what each has now, by its name.

        :raises AssertionError: if one of them has ended.
        """
        return {name: _resident(name, file) for name, file in self._files.items()}

    def note(self) -> None:
        """
        Note what each has now.

        :raises AssertionError: if one of them has ended.
        """
        for name, size in self.now().items():
            self._noted[name].append(size)

    def growths(self) -> list[Growth]:
        """
        Say how each has gone on since the first fifth of the time.
        """
        return [
            Growth(
                name,
                median(noted[int(len(noted) * _PART) : int(len(noted) * 2 * _PART)]),
                median(noted[-int(len(noted) * _PART) :]),
            )
            for name, noted in self._noted.items()
        ]


def _family(name: str, pid: int) -> Iterator[tuple[str, int]]:
    """
    Give a process and all below it.
    """
    yield name, pid
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    children = " ".join(thread.read_text("ascii") for thread in threads)
    for number, child in enumerate(children.split(), 1):
        yield from _family(f"{name}.{number}", int(child))


def _resident(name: str, file: Path) -> int:
    assert file.exists(), f"{name} has ended"
    return int(file.read_text("ascii").split()[1]) * getpagesize()
