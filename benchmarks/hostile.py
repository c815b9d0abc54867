"""
What hostile messages of 64 KiB cost at the worst.

Each shape of ``tests.sip.hostile`` is read, checked field by field, answered, forwarded
and written. Figures are milliseconds of processor time, the best of several rounds, the
dearest shapes first; the aim is 20 for each. The factor is the cost against that of a
quarter of the octets, which should be 4 and not more than 5; ``tests.sip.test_linear``
fails where it comes near 16, as it would if the cost grew like the square.
"""

from __future__ import annotations

import gc
import time

from tests.sip.hostile import shapes, work

SIZE = 64 * 1024 - 1
ROUNDS = 7
AIM = 20.0
SHOWN = 12


def cost(data: bytes) -> float:
    """
    Return what one message costs, in milliseconds.
    """
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.thread_time()
        work(data)
        best = min(best, time.thread_time() - start)
    return best * 1000


def main() -> None:
    """
    Print the dearest shapes.
    """
    gc.disable()  # which strikes where it likes
    costs = {name: cost(data) for name, data in shapes(SIZE).items()}
    quarter = shapes(SIZE // 4)
    ranked = sorted(costs, key=lambda name: costs[name], reverse=True)
    print(f"hostile messages of {SIZE} bytes, the dearest of {len(ranked)} shapes")
    for name in ranked[:SHOWN]:
        factor = costs[name] / cost(quarter[name])
        print(f"  {name:46}{costs[name]:8.2f} ms  x {factor:.1f}")
    above = sum(value > AIM for value in costs.values())
    print(f"  above the aim of {AIM:g} ms: {above}")


if __name__ == "__main__":
    main()
