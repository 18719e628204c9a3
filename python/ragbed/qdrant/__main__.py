"""`python -m ragbed.qdrant` serves the embedded Qdrant."""

from __future__ import annotations

import argparse
import os
import signal
from pathlib import Path
from threading import Thread

from ragbed.asgi import DEFAULT_HOST, run_command
from ragbed.garbage import collect_rarely
from ragbed.qdrant.limits import MAX_OPEN, MAX_SNAPSHOT_MB
from ragbed.qdrant.server import serve


def main() -> None:
    """Read the flags, serve until SIGTERM or SIGINT."""
    collect_rarely()
    parser = argparse.ArgumentParser(prog="python -m ragbed.qdrant", description="Serve the embedded Qdrant.")
    parser.add_argument("--port", type=int, required=True, help="TCP port; 0 takes a free one")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the collections")
    parser.add_argument("--host", default=DEFAULT_HOST, help="loopback address (default: %(default)s)")
    parser.add_argument(
        "--api-key-file", type=Path, metavar="F", help="file with the key that clients must send"
    )
    parser.add_argument(
        "--read-only-api-key-file", type=Path, metavar="F", help="file with a key whose clients may only read"
    )
    parser.add_argument(
        "--no-optimize",
        action="store_false",
        dest="optimize",
        default=None,
        help="build no index: searches stay exact (or set RAGBED_QDRANT_OPTIMIZE=0)",
    )
    parser.add_argument(
        "--max-open",
        type=positive,
        default=MAX_OPEN,
        metavar="N",
        help="collections that hold their files open at once (default: %(default)s)",
    )
    parser.add_argument(
        "--max-snapshot-mb",
        type=positive,
        default=MAX_SNAPSHOT_MB,
        metavar="N",
        help="largest snapshot that is taken in, packed and unpacked (default: %(default)s)",
    )
    parser.add_argument(
        "--grpc-port",
        type=int,
        default=0,
        metavar="N",
        help="port where gRPC clients are told that there is no gRPC (default: 0, none)",
    )
    parser.add_argument("--until-eof", action="store_true", help="end when stdin does, with who started it")
    flags = vars(parser.parse_args())
    if flags.pop("until_eof"):
        Thread(target=end_with_stdin, name="until-eof", daemon=True).start()
    run_command("ragbed.qdrant", lambda: serve(**flags))


def end_with_stdin() -> None:
    """Ask this process to stop once stdin has ended."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def positive(text: str) -> int:
    """Return a flag's number; raise ValueError below 1."""
    number = int(text)
    if number < 1:
        raise ValueError(f"{number} is below 1")
    return number


if __name__ == "__main__":
    main()
