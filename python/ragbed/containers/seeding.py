"""`scripts/seed`: wait until the containers of compose are well, let this project write to them, and fill them."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ragbed.asgi import run_command
from ragbed.containers.compose import PROJECT
from ragbed.containers.composed import wait_until_well
from ragbed.errors import ServiceMissing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ragbed.containers.composed import Container

_ADDRESSES = {
    "postgres": ("DATABASE_URL", "postgresql://ragbed:ragbed@127.0.0.1:{port}/ragbed", 5432),
    "redis": ("REDIS_URL", "redis://127.0.0.1:{port}/0", 6379),
    "qdrant": ("QDRANT_URL", "http://127.0.0.1:{port}", 6333),
    "ollama": ("OLLAMA_HOST", "http://127.0.0.1:{port}", 11434),
    "mock-llm": ("MOCK_LLM_SERVER_URL", "http://127.0.0.1:{port}", 11434),
}
"""Variable, address and port inside the container, by the service's name without `-test`."""

_STORES = ("DATABASE_URL", "REDIS_URL", "QDRANT_URL")


def addresses(containers: Mapping[str, Container]) -> dict[str, str]:
    """Return by variable where the services of compose answer on this machine.

    Args:
        containers: By service.
    """
    by_variable: dict[str, str] = {}
    for name, (variable, address, inside) in _ADDRESSES.items():
        container = containers.get(name) or containers.get(f"{name}-test")
        if container and (port := container.ports.get(inside)):
            by_variable[variable] = address.format(port=port)
    if "MOCK_LLM_SERVER_URL" in by_variable and "OLLAMA_HOST" not in by_variable:
        by_variable["MODEL_PROVIDER"] = "mock"
    return by_variable


def seed(project: str, documents: Path, *, timeout_s: float) -> None:
    """Adopt the stores that compose has created, migrate the database, and ingest documents, for the RAG API too.

    Args:
        project: Of compose.
        documents: The folder.
        timeout_s: How long the containers may take until they are well.

    Raises:
        ServiceMissing: There is nothing to seed, or it is not well in time.
    """
    containers = wait_until_well(project, timeout_s=timeout_s)
    by_variable = addresses(containers)
    stores = [by_variable[name] for name in _STORES if name in by_variable]
    if not stores:
        raise ServiceMissing(f"the compose project {project} publishes no store")
    adopted = [*stores, *([by_variable["OLLAMA_HOST"]] if "OLLAMA_HOST" in by_variable else [])]
    _ragbed(by_variable, "adopt", "--yes", "--started-by", "compose", *adopted)
    _ragbed(by_variable, "migrate")
    if "QDRANT_URL" in by_variable:
        _ragbed(by_variable, "ingest", str(documents))
    else:
        print("no Qdrant among them: nothing was ingested", file=sys.stderr)
    for app in (containers.get("app"), containers.get("app-mock")):
        if app:
            _fill(app, documents)


def _fill(app: Container, documents: Path) -> None:
    """Ingest documents for the RAG API: it is a project of its own, with an index of its own."""
    inside = "/var/lib/ragbed/documents"
    for words in (
        ["exec", "--user", "root", app.id, "rm", "-rf", inside],
        ["cp", f"{documents.absolute()}/.", f"{app.id}:{inside}"],
        ["exec", app.id, "ragbed", "ingest", inside],
    ):
        _run(["docker", *words], os.environ)


def _ragbed(variables: Mapping[str, str], *words: str) -> None:
    _run([sys.executable, "-m", "ragbed", *words], {**os.environ, **variables})


def _run(words: Sequence[str], environ: Mapping[str, str]) -> None:
    done = subprocess.run(words, env=environ, check=False)
    if done.returncode:
        sys.exit(done.returncode)  # it has said why


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the flags and seed."""
    parser = argparse.ArgumentParser(
        prog="scripts/seed",
        description="Wait until the containers of compose are healthy, let this project write to their stores, migrate "
        "the database and ingest documents.",
        epilog="Example: docker compose --profile mock up --detach && ./scripts/seed && ./scripts/ragbed smoke",
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, help="documents to ingest (default: ragbed's lessons)"
    )
    parser.add_argument(
        "--project",
        default=os.environ.get("COMPOSE_PROJECT_NAME") or PROJECT,
        help="of compose (default: %(default)s)",
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=120.0,
        metavar="S",
        help="until all are healthy (default: %(default)g s)",
    )
    flags = parser.parse_args(arguments)

    def run() -> None:
        from ragbed.data import lessons_folder  # noqa: PLC0415  # seldom the default elsewhere

        seed(flags.project, flags.folder or lessons_folder(), timeout_s=flags.timeout)

    run_command("scripts/seed", run)


if __name__ == "__main__":
    main()
