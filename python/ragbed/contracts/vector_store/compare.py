"""Compare two servers call by call: `scripts/compare-qdrant URL_A URL_B`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ragbed.contracts.vector_store.outcome import alike, comparable
from ragbed.contracts.vector_store.run import run_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.contracts.vector_store.outcome import Outcome

USAGE = "usage: compare-qdrant URL_A URL_B [WORDS OF A CASE]"


def report(left: Mapping[str, list[Outcome]], right: Mapping[str, list[Outcome]]) -> list[str]:
    """Return one line per case, and both outcomes where they differ; then the totals."""
    lines, different = [], 0
    for case, one in left.items():
        other = right[case]
        same = alike(comparable(one), comparable(other))
        different += not same
        lines.append(f"{'same   ' if same else 'DIFFERS'} {case}")
        if not same:
            lines += [f"    {side} {step}" for a, b in zip(one, other, strict=True) if not alike(a, b)
                      for side, step in (("A", a), ("B", b))]  # fmt: skip
    return [*lines, f"{len(left)} cases, {len(left) - different} the same, {different} different"]


def main(arguments: list[str]) -> int:
    """Run the suite on both servers, print the report, return 1 when they differ."""
    if len(arguments) not in (2, 3):
        print(USAGE, file=sys.stderr)
        return 2
    only = arguments[2] if len(arguments) == 3 else ""
    left, right = (run_all(url, only=only) for url in arguments[:2])
    lines = report(left, right)
    print("\n".join(lines))
    return int(any(line.startswith("DIFFERS") for line in lines))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
