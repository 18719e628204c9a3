"""Images that are not there yet: pulled by digest, or explained."""

from __future__ import annotations

import json
import socket
from hashlib import sha256
from typing import TYPE_CHECKING

from container_project import ContainerProject, container_project
from local_containers import LocalImages, docker

from ragbed.containers.image import Image
from ragbed.containers.registry import running_registry
from ragbed.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["container_project"]


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def _pinned(folder: Path, repository: str, version: str, digest: str) -> str:
    image = f'{{ reference = "{repository}:{version}", version = "{version}", digest = "{digest}" }}'
    part = folder / "stack.toml"
    part.write_text(f"[services.redis.channels]\nimage = {image}\n", encoding="utf-8")
    return str(part)


def test_a_missing_image_is_pulled_by_its_digest(
    local_images: LocalImages, container_project: ContainerProject, tmp_path: Path
) -> None:
    """From the registry that its reference names."""
    described = local_images.images["redis"]
    digest, version = described["digest"], described["version"]
    image = Image(name="redis", version=version, digest=digest, layers=(), size_bytes=0)

    with running_registry(tmp_path / "registry", _free_port()) as registry:
        registry.push(image, local_images.folder / "blobs")
        repository = registry.repository("redis")
        part = _pinned(tmp_path, repository, version, digest)
        done = container_project.command.run(
            "up", "-d", "--launcher", "redis=container", RAGBED_STACK_FILE=part
        )
        container_project.command.run("down")
        docker("image", "rm", f"{repository}@{digest}")

    assert done.returncode == 0, done.stderr
    assert f"image {repository}:{version} {digest[:19]}" in done.stdout


def test_an_image_for_another_processor_is_told(
    local_images: LocalImages, container_project: ContainerProject, tmp_path: Path
) -> None:
    """Before a container of it is made."""
    described = local_images.images["redis"]
    blobs = local_images.folder / "blobs"
    manifest = json.loads((blobs / described["digest"].removeprefix("sha256:")).read_bytes())
    config = json.loads((blobs / manifest["config"]["digest"].removeprefix("sha256:")).read_bytes())
    ours = tmp_path / "blobs"
    ours.mkdir()
    for layer in manifest["layers"]:
        name = layer["digest"].removeprefix("sha256:")
        (ours / name).symlink_to(blobs / name)
    manifest["config"] |= _written(ours, {**config, "architecture": "s390x"})
    digest = _written(ours, manifest)["digest"]
    image = Image(name="redis", version="8.0.2", digest=digest, layers=(), size_bytes=0)

    with running_registry(tmp_path / "registry", _free_port()) as registry:
        registry.push(image, ours)
        part = _pinned(tmp_path, registry.repository("redis"), described["version"], digest)
        words = ("up", "-d", "--launcher", "redis=container")
        done = container_project.command.run(*words, RAGBED_STACK_FILE=part)
        docker("image", "rm", f"{registry.repository('redis')}@{digest}", check=False)

    assert done.returncode == ExitCode.SERVICE_MISSING
    assert "is for s390x, and this machine is x86_64" in done.stderr or "s390x" in done.stderr
    assert container_project.left() == []


def _written(folder: Path, value: object) -> dict[str, object]:
    """Write a blob, and return its digest and size as a manifest has them."""
    content = json.dumps(value).encode()
    name = sha256(content).hexdigest()
    (folder / name).write_bytes(content)
    return {"digest": f"sha256:{name}", "size": len(content)}
