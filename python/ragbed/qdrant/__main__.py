"""`python -m ragbed.qdrant` serves the embedded Qdrant."""

from __future__ import annotations

import argparse
from pathlib import Path

from ragbed.asgi import DEFAULT_HOST, run_command
from ragbed.qdrant.server import serve


def main() -> None:
    """Read the flags, serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m ragbed.qdrant", description="Serve the embedded Qdrant.")
    parser.add_argument("--port", type=int, required=True, help="TCP port; 0 takes a free one")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the collections")
    parser.add_argument("--host", default=DEFAULT_HOST, help="loopback address (default: %(default)s)")
    parser.add_argument(
        "--api-key-file", type=Path, metavar="F", help="file with the key that clients must send"
    )
    parser.add_argument(
        "--no-optimize",
        action="store_false",
        dest="optimize",
        default=None,
        help="build no index: searches stay exact (or set RAGBED_QDRANT_OPTIMIZE=0)",
    )
    flags = parser.parse_args()
    run_command("ragbed.qdrant", lambda: serve(**vars(flags)))


if __name__ == "__main__":
    main()
