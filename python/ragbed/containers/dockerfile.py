"""Images of the Dockerfile: built by the daemon, then written anew so that the same inputs give the same digest."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import tempfile
from functools import partial
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ragbed._version import __version__
from ragbed.containers import daemon
from ragbed.containers.image import Image, write_image
from ragbed.containers.layers import file_member, pack, read_members
from ragbed.containers.recipes import EPOCH, PREFIX
from ragbed.containers.wheels import fetch_wheels
from ragbed.containers.workshop import CHECKOUT
from ragbed.pins import load_stack_pins

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ragbed.containers.layers import Layer
    from ragbed.containers.recipes import DockerfileImage
    from ragbed.containers.workshop import Workshop
    from ragbed.events import EventSink

LOCK = "requirements.image.lock"
_COPIED = (
    "models.fingerprints.json",
    "models.lock.json",
    "stack.toml",
    "docs/golden",
    "docs/lessons",
    "python/ragbed",
)
_KEPT = ("Cmd", "Entrypoint", "Env", "ExposedPorts", "User", "Volumes", "WorkingDir")
"""Of the configuration that the daemon writes; the rest is of the machine that built it."""


class DockerfileImages:
    """Makes the images of the Dockerfile.

    Args:
        workshop: Where they are kept.
        python: The image that they start from.
        events: Told what takes long.
    """

    def __init__(self, workshop: Workshop, *, python: Image, events: EventSink) -> None:
        self._workshop = workshop
        self._python = python
        self._events = events
        self._built: dict[str, Image] = {}

    def make(self, images: Sequence[DockerfileImage]) -> dict[str, tuple[Image, bool]]:
        """Return the images by name, each with whether it was there."""
        inputs = self._inputs()
        return {
            image.name: self._workshop.made_once(image.name, inputs, partial(self._build, images, image.name))
            for image in images
        }

    def _inputs(self) -> dict[str, Any]:
        contents = {name: sha256(path.read_bytes()).hexdigest() for name, path in sources().items()}
        return {"contents": contents, "base": self._python.digest}

    def _build(self, images: Sequence[DockerfileImage], wanted: str) -> Image:
        """Return one; the first call builds all, since they share their layers."""
        if not self._built:
            context = self._context()
            ids = {}
            for image in images:
                self._events.emit("stage.begun", image.name, what="the Dockerfile")
                ids[image.name] = daemon.build(context, target=image.name, arguments=self._arguments())
            self._built = self._rewritten(images, ids)
            daemon.remove(ids.values())
        return self._built[wanted]

    def _arguments(self) -> dict[str, str]:
        return {
            "BASE": f"{PREFIX}/python:{self._python.version}",
            "PIP": "/opt/ragbed/bin/python /wheels/pip",
            "PIP_ARGS": "--no-index --find-links=/wheels",
        }

    def _context(self) -> bytes:
        """Return the tar file that the daemon builds from: with the wheels, and the pip that installs them."""
        wheels = {f"wheels/{path.name}": path for path in self._wheels().iterdir()}
        pip = Path(str(import_module("pip").__file__)).parent
        wheels |= {f"wheels/pip/{path.relative_to(pip)}": path for path in _files(pip)}
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for name, path in sorted({**sources(), **wheels}.items()):
                member = file_member(name, path.read_bytes(), mode=0o644)
                archive.addfile(member.header, io.BytesIO(member.content or b""))
        return packed.getvalue()

    def _wheels(self) -> Path:
        lock = CHECKOUT / LOCK
        folder = self._workshop.folder / f"wheels-{sha256(lock.read_bytes()).hexdigest()[:16]}"
        if not folder.is_dir():
            self._events.emit("stage.begun", "wheels", what=LOCK)
            beside = Path(tempfile.mkdtemp(dir=self._workshop.folder))
            try:
                fetch_wheels(lock, beside, python=".".join(self._python.version.split(".")[:2]))
                beside.rename(folder)
            finally:
                shutil.rmtree(beside, ignore_errors=True)
        return folder

    def _rewritten(self, images: Sequence[DockerfileImage], ids: Mapping[str, str]) -> dict[str, Image]:
        self._events.emit("stage.begun", "layers", what=", ".join(ids))
        with tempfile.TemporaryDirectory(dir=self._workshop.folder) as folder:
            saved = Path(folder, "images.tar")
            daemon.save(list(ids.values()), saved)
            with tarfile.open(saved) as archive:
                entries = json.loads(_member(archive, "manifest.json").read())
                described = {_member_digest(entry["Config"]): entry for entry in entries}
                layers = _Layers(archive, self._workshop.blobs, below=self._python.layers)
                return {
                    image.name: self._written(
                        image, archive, described[ids[image.name].partition(":")[2]], layers
                    )
                    for image in images
                }

    def _written(
        self, image: DockerfileImage, archive: tarfile.TarFile, entry: Mapping[str, Any], layers: _Layers
    ) -> Image:
        config = json.loads(_member(archive, entry["Config"]).read())["config"]
        return write_image(
            self._workshop.blobs,
            name=image.name,
            version=_version(image),
            layers=layers.of(entry["Layers"]),
            config={key: config[key] for key in _KEPT if config.get(key)},
            substitute=image.substitute,
        )


class _Layers:
    """The layers of saved images, each written once.

    Args:
        archive: What the daemon saved.
        blobs: Where layers are written.
        below: The layers of the image that all of them start from.
    """

    def __init__(self, archive: tarfile.TarFile, blobs: Path, *, below: Sequence[Layer]) -> None:
        self._archive = archive
        self._blobs = blobs
        self._below = tuple(below)
        self._known: dict[str, Layer | None] = {}

    def of(self, names: Sequence[str]) -> list[Layer]:
        """Return the layers of an image, from the lowest up."""
        above = [self._layer(name) for name in names[len(self._below) :]]
        return [*self._below, *(layer for layer in above if layer)]

    def _layer(self, name: str) -> Layer | None:
        if name not in self._known:
            members = read_members(_member(self._archive, name))
            for member in members.values():
                member.header.mtime = EPOCH
            self._known[name] = pack(members.values(), self._blobs) if members else None
        return self._known[name]


def _version(image: DockerfileImage) -> str:
    if image.name != "qdrant":
        return __version__
    wheel = load_stack_pins()["qdrant"].channels.wheel
    return wheel.version if wheel else __version__


def sources() -> dict[str, Path]:
    """Return what the Dockerfile copies, by name in the context, with the Dockerfile and the lock."""
    paths = [CHECKOUT / "Dockerfile", CHECKOUT / LOCK]
    for name in _COPIED:
        path = CHECKOUT / name
        paths += [path] if path.is_file() else _files(path)
    return {str(path.relative_to(CHECKOUT)): path for path in sorted(paths)}


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    opened = archive.extractfile(name)
    if opened is None:
        raise KeyError(name)
    return opened


def _member_digest(name: str) -> str:
    """Return the digest in the name of a configuration: `HEX.json`, or `blobs/sha256/HEX`."""
    return name.rpartition("/")[2].removesuffix(".json")
