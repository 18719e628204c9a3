"""`python -m ragbed.containers` builds the local images; `scripts/build-images` calls it."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import TYPE_CHECKING

from ragbed.asgi import run_command
from ragbed.containers.building import build_images
from ragbed.containers.registry import PORT
from ragbed.containers.roots import MIRROR
from ragbed.containers.workshop import Workshop, workshop_folder

if TYPE_CHECKING:
    from ragbed.events import EventKind


class Lines:
    """Shows events as lines on stderr, each with the seconds since the start."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def emit(self, kind: EventKind, subject: str, /, *, seconds: float | None = None, **data: object) -> None:
        """Show one event."""
        del kind, seconds
        print(
            f"{time.monotonic() - self._begun:5.0f} s  {subject}: {data.get('what', '')}",
            file=sys.stderr,
            flush=True,
        )


def main() -> None:
    """Read the flags, build, and print where the pins are."""
    parser = argparse.ArgumentParser(
        prog="scripts/build-images",
        description="Build images of Postgres, Redis, the embedded Qdrant, Ollama, the mock LLM and the app without a "
        "registry, and print the part of stack.toml that pins them. What was built from the same inputs is kept.",
        epilog="Example: RAGBED_STACK_FILE=$(./scripts/build-images) ./scripts/ragbed up",
    )
    parser.add_argument("--json", action="store_true", help="print the images as JSON, with their digests")
    parser.add_argument(
        "--mirror", default=MIRROR, metavar="URL", help="mirror of Debian (default: %(default)s)"
    )
    parser.add_argument(
        "--registry-port", type=int, default=PORT, metavar="N", help="port of the registry on loopback, which runs "
        "meanwhile and is part of the images' names (default: %(default)s)",
    )  # fmt: skip
    flags = parser.parse_args()
    run_command("scripts/build-images", lambda: _build(flags))


def _build(flags: argparse.Namespace) -> None:
    built = build_images(
        Workshop(workshop_folder()), mirror=flags.mirror, port=flags.registry_port, events=Lines()
    )
    print(json.dumps(built.to_json(), indent=2) if flags.json else built.stack_file)


if __name__ == "__main__":
    main()
