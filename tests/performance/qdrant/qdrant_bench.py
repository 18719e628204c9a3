"""Measure the embedded Qdrant beside the client's local mode, and a real server where `QDRANT_URL` names one.

Prints Markdown tables, as `docs/embedded-qdrant.md` shows them. `--check` ends with 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import sys

import own_share
import scale
import side_by_side
from markdown import table
from targets import targets

BARS = (("query p50, ms", 2.5), ("filtered query p50, ms", 10.0))
"""How many times faster than the local mode in memory, at least."""

LIMITS = {"own share": 0.6, "ready, s": 0.3, "idle memory, MB": 60, "stop, s": 0.3}


def missed(compared: dict[str, dict[str, float]], own: dict[str, float]) -> list[str]:
    """Return the bars that were missed, in words."""
    ours, local = (compared[name] for name in ("embedded, over HTTP", "local mode, in memory"))
    found = [
        f"{figure}: {local[figure] / ours[figure]:.1f} times faster than local mode, wanted {factor:g}"
        for figure, factor in BARS
        if local[figure] / ours[figure] < factor
    ]
    return found + [
        f"{name}: {own[name]:.3g}, wanted under {limit}"
        for name, limit in LIMITS.items()
        if own[name] >= limit
    ]


def main() -> int:
    """Measure what the flags ask for; return the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/bench-qdrant", description=__doc__)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--calls", type=int, default=50, help="calls of each kind per round")
    parser.add_argument("--scale", default="1000,10000", help="sizes for cost and recall, as 1000,100000")
    parser.add_argument("--check", action="store_true", help="end with 1 when a bar is missed")
    flags = parser.parse_args()
    with targets() as found:
        compared = side_by_side.compare(found, points=flags.points, rounds=flags.rounds, calls=flags.calls)
    sys.stdout.write(f"{flags.points} points of 384 numbers\n\n{table(compared)}\n\n")
    own = own_share.lives(5) | own_share.own_share_ms()
    sys.stdout.write(f"{table({'p50': own}, corner='the server itself, ms unless said')}\n\n")
    sizes = [int(size) for size in flags.scale.split(",") if size]
    if sizes:
        rows = {f"{size:,} points": scale.figures(size) for size in sizes}
        sys.stdout.write(f"{table(rows)}\n\n")
    too_slow = missed(compared, own)
    sys.stdout.writelines(f"missed: {line}\n" for line in too_slow)
    return 1 if flags.check and too_slow else 0


if __name__ == "__main__":
    sys.exit(main())
