"""Start a private Qdrant: the real server from PATH, else our embedded one."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ragbed.errors import ServiceNotReady
from ragbed.pins import server_advice
from ragbed.stack.binaries import Binary, Search, search_path, substitute, wheel_folder
from ragbed.stack.kinds import ImagePlan, Plan, StartOrder
from ragbed.stack.services.base import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from ragbed.pins import ServicePins


@dataclass(frozen=True, slots=True, kw_only=True)
class QdrantStarter:
    """Qdrant from PATH if in range, else the engine from its wheel behind our server.

    Attributes:
        allow_real: False takes the embedded one whatever is on PATH.
    """

    allow_real: bool = True

    @property
    def advice(self) -> str:
        """What a user types who has no Qdrant."""
        return server_advice("put a qdrant on PATH")

    def search(self, pins: ServicePins, ask: Callable[[Path], str] | None = None) -> Search:
        """Return the server program to use; our own runs on this Python."""
        search = search_path([("qdrant", "qdrant")], pins, ask) if self.allow_real else Search(binary=None)
        if search.binary or wheel_folder("qdrant_edge") is None:
            return search
        version = pins.channels.wheel.version if pins.channels.wheel else "?"
        binary = Binary(
            path=Path(sys.executable),
            product="embedded-qdrant",
            version=version,
            provenance=substitute("qdrant-edge-py"),
        )
        return Search(binary=binary, passed_over=search.passed_over)

    def image(self, order: StartOrder) -> ImagePlan | None:  # noqa: ARG002 - as every starter
        """Return how to start the image; none where the embedded one is wanted."""
        if not self.allow_real:
            return None
        return ImagePlan(
            port=6333,
            url="http://127.0.0.1:{port}",
            data="/qdrant/storage",
            environ={"QDRANT__TELEMETRY_DISABLED": "true"},
        )

    def plan(self, order: StartOrder) -> Plan:
        """Return how to start the server on the data folder."""
        binary = order.binary
        if binary is None:
            raise ServiceNotReady("there is no Qdrant to start")
        data = order.data / binary.product  # the two keep their data in different forms
        data.mkdir(parents=True, exist_ok=True)
        url = f"http://127.0.0.1:{order.port}"
        if binary.product == "embedded-qdrant":
            command = [
                *(str(binary.path), "-P", "-m", "ragbed.qdrant"),
                *("--port", str(order.port), "--data", str(data)),
            ]
            return Plan(command=command, url=url, provenance=binary.provenance)
        environ = {
            "QDRANT__SERVICE__HOST": "127.0.0.1",
            "QDRANT__SERVICE__HTTP_PORT": str(order.port),
            "QDRANT__SERVICE__GRPC_PORT": str(free_port()),
            "QDRANT__STORAGE__STORAGE_PATH": str(data / "storage"),
            "QDRANT__STORAGE__SNAPSHOTS_PATH": str(data / "snapshots"),
            "QDRANT_INIT_FILE_PATH": str(data / ".initialized"),
            "QDRANT__TELEMETRY_DISABLED": "true",
        }
        return Plan(command=[str(binary.path)], url=url, provenance=binary.provenance, environ=environ)
