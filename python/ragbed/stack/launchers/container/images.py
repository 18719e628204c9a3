"""Pinned images: named by repository and digest, pulled where they are missing, with progress and a time limit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ragbed.errors import ServiceMissing, ServiceNotReady
from ragbed.stack.launchers.container.docker_errors import explained

if TYPE_CHECKING:
    from ragbed.pins import ImageChannel
    from ragbed.stack.kinds import StartOrder
    from ragbed.stack.launchers.container.daemon import Daemon

_TOLD_EVERY_S = 1.0
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def name_of(image: ImageChannel) -> str:
    """Return the name by which an image is run: its repository and digest, never its tag."""
    repository, colon, tag = image.reference.rpartition(":")
    return f"{repository if colon and '/' not in tag else image.reference}@{image.digest}"


def have_image(order: StartOrder, daemon: Daemon, *, timeout_s: float) -> str:
    """Return the name of a service's image once the daemon has it.

    Args:
        order: What is started.
        daemon: Where.
        timeout_s: How long a pull may take.

    Raises:
        ServiceMissing: It is not here and cannot be pulled.
        ServiceNotReady: The pull took too long, or the image is not for this machine.
    """
    from docker.errors import ImageNotFound  # noqa: PLC0415 - an extra

    name = name_of(order.pins.channels.image)
    with explained(order, daemon):
        try:
            image = daemon.client.images.get(name)
        except ImageNotFound:
            _pull(order, daemon, name, timeout_s)
            image = daemon.client.images.get(name)
        _require_architecture(order, daemon, image.attrs.get("Architecture", ""))
    return name


def _require_architecture(order: StartOrder, daemon: Daemon, architecture: str) -> None:
    machine = str(daemon.client.info().get("Architecture", ""))
    if architecture and architecture != _ARCHITECTURES.get(machine, machine):
        raise ServiceNotReady(
            f"the image {order.pins.channels.image.reference} of {order.service} is for {architecture},"
            f" and this machine is {machine}",
            hint="pin an image of this architecture in stack.toml",
        )


def _pull(order: StartOrder, daemon: Daemon, name: str, timeout_s: float) -> None:
    """Pull an image, and tell how far it is: layers, bytes, rate and time left."""
    from docker.errors import APIError  # noqa: PLC0415 - an extra

    began = time.monotonic()
    progress = _PullProgress(order, name)
    try:
        for said in daemon.client.api.pull(name, stream=True, decode=True):
            if "error" in said:
                raise _not_pulled(order, name, str(said["error"]))
            progress.tell(said)
            if time.monotonic() - began > timeout_s:
                raise ServiceNotReady(
                    f"the image of {order.service} was not pulled after {timeout_s:g} s: {name}",
                    hint=f"docker pull {name}, or set RAGBED_STACK__PULL_TIMEOUT_S to allow more",
                )
    except APIError as error:
        raise _not_pulled(order, name, str(error.explanation or error)) from error


def _not_pulled(order: StartOrder, name: str, said: str) -> ServiceMissing:
    host = name.partition("/")[0]
    registry = host if "." in host or ":" in host else "Docker Hub"
    return ServiceMissing(
        f"the image of {order.service} is not here, and cannot be pulled from {registry}: {name}",
        details=[said.strip()],
        hint="connect to that registry, or build local images: ./scripts/build-images",
    )


class _PullProgress:
    """Tells how far a pull is, at most once a second."""

    def __init__(self, order: StartOrder, name: str) -> None:
        self._order, self._name = order, name
        self._began = self._told = time.monotonic()
        self._layers: dict[str, tuple[int, int]] = {}
        self._whole: set[str] = set()

    def tell(self, said: dict[str, Any]) -> None:
        """Take one line of the daemon."""
        layer, detail = said.get("id", ""), said.get("progressDetail") or {}
        if said.get("status") == "Downloading" and detail.get("total"):
            self._layers[layer] = int(detail.get("current", 0)), int(detail["total"])
        if said.get("status") in {"Pull complete", "Already exists"}:
            self._whole.add(layer)
        if time.monotonic() - self._told >= _TOLD_EVERY_S:
            self._told = time.monotonic()
            self._emit()

    def _emit(self) -> None:
        done = sum(current for current, _ in self._layers.values())
        total = sum(whole for _, whole in self._layers.values())
        seconds = time.monotonic() - self._began
        rate = done / seconds if seconds else 0.0
        left = f", {(total - done) / rate:.0f} s left" if rate and total > done else ""
        line = (
            f"{self._order.service}: pulling {self._order.pins.channels.image.reference}:"
            f" {len(self._whole)} layers, {done / 2**20:.0f} of {total / 2**20:.0f} MiB,"
            f" {rate / 2**20:.1f} MiB/s{left}"
        )
        self._order.events.emit(
            "stage.progress", self._order.service, line=line, done_bytes=done, total_bytes=total
        )
