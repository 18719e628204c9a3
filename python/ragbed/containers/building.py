"""Build every local image, bring it into the daemon, and write the pins that name it."""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ragbed.containers import daemon
from ragbed.containers.debian import DebianImages
from ragbed.containers.dockerfile import DockerfileImages
from ragbed.containers.recipes import FROM_DOCKERFILE, PREFIX, PYTHON, ROOTS, SERVICES
from ragbed.containers.registry import PORT, Registry, running_registry
from ragbed.containers.roots import MIRROR, require_mmdebstrap
from ragbed.containers.workshop import CHECKOUT, Workshop, require_checkout
from ragbed.errors import ServiceMissing
from ragbed.events import SILENT
from ragbed.pins import load_stack_pins
from ragbed.pins.in_force import our_pin_file
from ragbed.state.files import SHARED, write_atomically, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragbed.containers.image import Image
    from ragbed.events import EventSink


SCHEMA = "ragbed.images/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalImage:
    """An image that was built here and that the daemon has.

    Attributes:
        image: What it is.
        reference: Its name at the registry, with the version as tag.
        was_there: Whether it was built before from the same inputs.
    """

    image: Image
    reference: str
    was_there: bool

    @property
    def by_digest(self) -> str:
        """Return the name by which a daemon gets these bytes and no others."""
        return f"{self.reference.rpartition(':')[0]}@{self.image.digest}"

    @property
    def short_name(self) -> str:
        """Return the name without the registry, as people and Dockerfiles write it."""
        return f"{PREFIX}/{self.image.name}:{self.image.version}"

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {
            "name": self.image.name,
            "reference": self.reference,
            "digest": self.image.digest,
            "version": self.image.version,
            "size_bytes": self.image.size_bytes,
            "substitute": self.image.substitute or None,
            "cached": self.was_there,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """All local images, and the file that pins them.

    Attributes:
        images: In the order in which they were built.
        stack_file: A part of `stack.toml` for `RAGBED_STACK_FILE`.
    """

    images: tuple[LocalImage, ...]
    stack_file: Path

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        images = [local.to_json() for local in self.images]
        return {"schema": SCHEMA, "stack_file": str(self.stack_file), "images": images}


def build_images(
    workshop: Workshop, *, mirror: str = MIRROR, port: int = PORT, events: EventSink = SILENT
) -> Built:
    """Build what is not there yet, bring all of it into the daemon, and write the part of `stack.toml`.

    Args:
        workshop: Where images are kept.
        mirror: Where Debian's packages come from.
        port: Of the registry on loopback, part of the images' names; it runs as long as this takes.
        events: Told what takes long.

    Raises:
        ServiceMissing: A program, the daemon, or what an image is made of cannot be had.
        ConfigurationError: This is not a checkout.
    """
    require_checkout()
    daemon.require_daemon()
    require_mmdebstrap()
    with workshop.alone(), _Delivery(workshop, port=port, events=events) as delivery:
        debian = DebianImages(workshop, mirror=mirror, ollama=_ollama, events=events).make(ROOTS)
        images = delivery.bring(debian)
        from_dockerfile = DockerfileImages(workshop, python=debian[PYTHON.name][0], events=events)
        images += delivery.bring(from_dockerfile.make(FROM_DOCKERFILE))
        built = Built(images=tuple(images), stack_file=workshop.stack_file)
        write_atomically(workshop.stack_file, pins_text(images), mode=SHARED)
        write_json(workshop.images_file, built.to_json(), mode=SHARED)
    return built


class _Delivery:
    """Brings images into the daemon, by a registry that is started when the first one is missing there."""

    def __init__(self, workshop: Workshop, *, port: int, events: EventSink) -> None:
        self._workshop = workshop
        self._port = port
        self._events = events
        self._open = ExitStack()
        self._registry: Registry | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def bring(self, made: dict[str, tuple[Image, bool]]) -> list[LocalImage]:
        """Return the images, once the daemon has them."""
        return [self._brought(image, was_there=was_there) for image, was_there in made.values()]

    def _brought(self, image: Image, *, was_there: bool) -> LocalImage:
        reference = f"{Registry(self._port).repository(image.name)}:{image.version}"
        local = LocalImage(image=image, reference=reference, was_there=was_there)
        if not daemon.has(local.by_digest):
            self._events.emit("stage.begun", image.name, what="into the daemon")
            self._running().push(image, self._workshop.blobs)
            daemon.pull(local.by_digest)
        daemon.tag(local.by_digest, local.short_name)  # by which the Dockerfile's base is found
        return local

    def _running(self) -> Registry:
        if self._registry is None:
            storage = self._open.enter_context(tempfile.TemporaryDirectory(dir=self._workshop.folder))
            self._registry = self._open.enter_context(running_registry(Path(storage), self._port))
        return self._registry


def pins_text(images: Sequence[LocalImage]) -> str:
    """Return the part of `stack.toml` that has local images in place of upstream's."""
    lines = ["# Written by scripts/build-images: these images in place of upstream's."]
    for local in images:
        if local.image.name in SERVICES:
            lines += [
                "",
                f"[services.{local.image.name}.channels]",
                _channel(local),
            ]
    return "\n".join(lines) + "\n"


def _channel(local: LocalImage) -> str:
    values = {"reference": local.reference, "version": local.image.version, "digest": local.image.digest}
    return "image = { " + ", ".join(f'{key} = "{value}"' for key, value in values.items()) + " }"


def _ollama() -> tuple[Path, str]:
    """Return the pinned Ollama that the Go toolchain builds, and its version."""
    pinned = load_stack_pins(our_pin_file("stack.toml"))["ollama"].channels.go
    done = subprocess.run(
        [CHECKOUT / "scripts" / "ollama"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode or pinned is None:
        raise ServiceMissing(
            "there is no Ollama for the image", details=done.stderr.strip().splitlines()[-3:]
        )
    return Path(done.stdout.strip().splitlines()[-1]), pinned.version
