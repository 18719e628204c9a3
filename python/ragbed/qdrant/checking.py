"""`python -m ragbed.qdrant.checking DIR` opens a collection's folder alone, and says whether it is damaged.

A process of its own has nothing but that to do: what fails here too, with memory, descriptors and permission at
hand, is the files' own fault. With `--read` every point is read as well. Exit code 0: it opens; 3: damaged, with the
reason on stdout; 4: the machine lacks something, named on stdout.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ragbed.qdrant.shard import Shard

DAMAGED = 3
LACKING = 4
TIMEOUT_S = 300.0
PAGE = 1000


class CannotJudge(Exception):
    """The check did not come to an end; the message says what was in the way."""


def flaw_found(folder: Path, *, read: bool = False) -> str | None:
    """Open a collection's folder in another process and say what is wrong with it; None where it opens.

    Args:
        folder: The collection's, with its mark; open in no process.
        read: Read every point too.

    Raises:
        CannotJudge: The machine lacks something, or the process ended before it knew.
    """
    command = [sys.executable, "-P", "-s", "-m", "ragbed.qdrant.checking", str(folder), *["--read"] * read]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except (OSError, MemoryError, subprocess.TimeoutExpired) as error:
        raise CannotJudge(str(error)) from error
    if done.returncode == DAMAGED:
        return done.stdout.strip()
    if done.returncode:
        raise CannotJudge(
            done.stdout.strip() or f"the process that looked at it ended with {done.returncode}"
        )
    return None


def main() -> int:
    """Check the folder named on the command line; return the exit code."""
    from ragbed.qdrant.machine_errors import lack, lacking_for  # noqa: PLC0415  # the parent needs none of these

    folder = Path(sys.argv[1])
    try:
        _check(folder, read="--read" in sys.argv)
    except BaseException as error:  # the engine's panics are no `Exception`s
        if wanting := lack(error) or lacking_for(folder):
            sys.stdout.write(f"want of {wanting}: {error}")
            return LACKING
        sys.stdout.write(str(error).partition("\n")[0] or type(error).__name__)
        return DAMAGED
    return 0


def _check(folder: Path, *, read: bool) -> None:
    from ragbed.qdrant.collection_manifest import stored_in  # noqa: PLC0415

    shard = stored_in(folder)
    shard.info()
    if read:
        _read_all(shard)
    shard.close()


def _read_all(shard: Shard) -> None:
    import qdrant_edge as engine  # noqa: PLC0415

    offset = None
    while True:
        request = engine.ScrollRequest(offset=offset, limit=PAGE, with_payload=True, with_vector=True)
        _, offset = shard.scroll(request)
        if offset is None:
            return


if __name__ == "__main__":
    sys.exit(main())
