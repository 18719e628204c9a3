"""Images by way of a registry on loopback."""

from __future__ import annotations

import json
import socket
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from local_containers import LocalImages, docker

from ragbed.containers.image import Image
from ragbed.containers.registry import running_registry
from ragbed.errors import ServiceNotReady

if TYPE_CHECKING:
    from pathlib import Path


def free_port() -> int:
    """A port that nothing listens on at this moment."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def test_pushed_image_is_pulled_by_its_digest(local_images: LocalImages, tmp_path: Path) -> None:
    """What a daemon gets from the registry has the digest that was computed before anything was pushed."""
    described = local_images.images["redis"]
    blobs = local_images.folder / "blobs"
    manifest = (blobs / described["digest"].removeprefix("sha256:")).read_bytes()
    image = Image(
        name="redis", version=described["version"], digest=described["digest"], layers=(), size_bytes=0
    )

    with running_registry(tmp_path, free_port()) as registry:
        registry.push(image, blobs)
        reference = f"{registry.repository('redis')}@{image.digest}"
        docker("pull", "--quiet", reference)
        known = docker("image", "inspect", "--format", "{{json .RepoDigests}}", reference).stdout
        docker("image", "rm", reference)

    assert reference in json.loads(known)
    assert f"sha256:{sha256(manifest).hexdigest()}" == image.digest


def test_taken_port_is_explained(local_images: LocalImages, tmp_path: Path) -> None:
    """One line says which port, and how to take another one."""
    del local_images
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with (
            pytest.raises(
                ServiceNotReady, match=f"the registry on 127.0.0.1:{port} did not come up"
            ) as caught,
            running_registry(tmp_path, port),
        ):
            pass

    assert "--registry-port" in caught.value.hint
