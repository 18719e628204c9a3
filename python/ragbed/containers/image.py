"""An image as a registry has it: manifest, configuration and layers, each known by the digest of its bytes."""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ragbed.containers.layers import Layer, write_blob
from ragbed.containers.recipes import EPOCH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ragbed.containers.recipes import RunConfig

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
_LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def architecture() -> str:
    """Return this machine's processor as images name it."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image whose blobs are in a folder.

    Attributes:
        name: Without the prefix, for example `postgres`.
        version: Of what is in it.
        digest: Of its manifest.
        layers: From the lowest up.
        size_bytes: Of all packed layers.
        substitute: What it stands in for the real service by; empty where it does not.
    """

    name: str
    version: str
    digest: str
    layers: tuple[Layer, ...]
    size_bytes: int
    substitute: str = ""


def write_image(
    blobs: Path,
    *,
    name: str,
    version: str,
    layers: Sequence[Layer],
    config: Mapping[str, Any],
    substitute: str = "",
) -> Image:
    """Write the configuration and the manifest of an image beside its layers.

    Args:
        blobs: The folder that has the layers.
        name: Without the prefix.
        version: Of what is in it.
        layers: From the lowest up.
        config: How a container starts, in Docker's words.
        substitute: What it stands in for the real service by; empty where it does not.
    """
    described = _bytes(
        {
            "architecture": architecture(),
            "config": {**config, "Labels": _labels(name, version, substitute)},
            "created": datetime.fromtimestamp(EPOCH, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        }
    )
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _part(_CONFIG_TYPE, write_blob(described, blobs), len(described)),
        "layers": [_part(_LAYER_TYPE, layer.digest, layer.size) for layer in layers],
    }
    return Image(
        name=name,
        version=version,
        digest=write_blob(_bytes(manifest), blobs),
        layers=tuple(layers),
        size_bytes=sum(layer.size for layer in layers),
        substitute=substitute,
    )


def docker_config(run: RunConfig) -> dict[str, Any]:
    """Return in Docker's words how a container starts."""
    environ = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **run.environ}
    return {
        "Cmd": list(run.command) or None,
        "Entrypoint": list(run.entrypoint) or None,
        "Env": [f"{name}={value}" for name, value in environ.items()],
        "ExposedPorts": {f"{run.port}/tcp": {}} if run.port else None,
        "StopSignal": run.stop_signal,
        "User": run.user,
        "Volumes": {folder: {} for folder in run.volumes} or None,
        "WorkingDir": run.folder,
    }


def _labels(name: str, version: str, substitute: str) -> dict[str, str]:
    labels = {"dev.ragbed.image": name, "org.opencontainers.image.version": version}
    return {**labels, "dev.ragbed.substitute": substitute} if substitute else labels


def _part(media_type: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": media_type, "size": size, "digest": digest}


def _bytes(value: Mapping[str, Any]) -> bytes:
    """Return JSON whose bytes depend on the value alone."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
