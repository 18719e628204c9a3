"""Record what a server answers: a real one gives the expectations, the embedded one its differences from them.

`scripts/record-qdrant URL`: run it on a real server first, then on the embedded one, then write `how` for each case
that it names.
"""

from __future__ import annotations

import sys

import httpx

from ragbed.contracts.vector_store.expectations import write_differences, write_recorded
from ragbed.contracts.vector_store.run import run_all


def is_embedded(url: str) -> bool:
    """Say whether a server calls itself embedded."""
    return "x-ragbed-substitute" in httpx.get(url).headers


def main(url: str) -> int:
    """Record, name the differences without a reason, return 1 when there are any."""
    if not is_embedded(url):
        write_recorded(run_all(url))
        return 0
    unexplained = write_differences(run_all(url))
    print(
        "\n".join(
            ["differences without a reason:", *unexplained]
            if unexplained
            else ["every difference has a reason"]
        )
    )
    return int(bool(unexplained))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
