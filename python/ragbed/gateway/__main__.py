"""`python -m ragbed.gateway --port N` serves the mock LLM; made to start fast, so without click."""

from __future__ import annotations

import argparse

from ragbed.asgi import DEFAULT_HOST, run_command
from ragbed.garbage import collect_rarely
from ragbed.gateway.server import serve


def main() -> None:
    """Read the flags and serve."""
    collect_rarely()
    parser = argparse.ArgumentParser(
        prog="python -m ragbed.gateway", description="Serve the mock LLM on Ollama's wire."
    )
    parser.add_argument("--port", type=int, required=True, help="TCP port; 0 takes a free one")
    parser.add_argument("--host", default=DEFAULT_HOST, help="loopback address (default: %(default)s)")
    flags = parser.parse_args()
    run_command("ragbed.gateway", lambda: serve(port=flags.port, host=flags.host))


if __name__ == "__main__":
    main()
