"""`python -m ragbed.qdrant.indexing DIR` indexes and vacuums the engine's files in a folder, then ends.

A process of its own, because the engine holds Python's lock all the time that this takes. Exit code 0: the files are
better now; 3: there was nothing to do.
"""

from __future__ import annotations

import os
import sys

import qdrant_edge

from ragbed.qdrant.child import end_with_parent

NICENESS = 10
NOTHING_TO_DO = 3


def main() -> int:
    """Optimize the folder named on the command line; return the exit code."""
    parent = os.getppid()
    os.nice(NICENESS)
    if not end_with_parent(parent):
        return 1
    shard = qdrant_edge.EdgeShard.load(sys.argv[1])
    changed = shard.optimize()
    shard.close()
    return 0 if changed else NOTHING_TO_DO


if __name__ == "__main__":
    sys.exit(main())
