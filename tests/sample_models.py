"""A sample model with blobs of kilobytes, and a lock of it, for tests of the models room."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ragbed.models import BlobFolder
from ragbed.pins import ModelLock, ModelPin, load_model_lock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

REGISTRY = "registry.ollama.ai"
_TYPE = "application/vnd.ollama.image."
CONFIG = b'{"model_format":"gguf","model_type":"12K","file_type":"F16"}'
TEMPLATE = "{{ .Prompt }} and nothing else\n"
SYSTEM = "You are made up.\n"


def digest_of(content: bytes) -> str:
    """Return the digest of some bytes."""
    return f"sha256:{sha256(content).hexdigest()}"


def random_bytes(seed: int, size: int) -> bytes:
    """Return bytes that look like weights, the same for the same seed."""
    return random.Random(seed).randbytes(size)  # noqa: S311 - reproducible, not secret


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleModel:
    """A model of a few blobs.

    Attributes:
        name: Without tag.
        layers: Kind and content of each layer.
        config: Content of the config blob.
    """

    name: str = "tiny"
    layers: tuple[tuple[str, bytes], ...]
    config: bytes = CONFIG

    @property
    def blobs(self) -> dict[str, bytes]:
        """Return every blob by digest."""
        return {digest_of(content): content for content in (*dict(self.layers).values(), self.config)}

    @property
    def manifest(self) -> bytes:
        """The manifest's bytes, written here by hand and not by the code under test."""
        parts = [_part(f"{_TYPE}{kind}", content) for kind, content in self.layers]
        config = _part("application/vnd.docker.container.image.v1+json", self.config)
        return (
            '{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",'
            f'"config":{config},"layers":[{",".join(parts)}]}}'
        ).encode()

    def entry(self, **stated: Any) -> dict[str, Any]:
        """Return its entry in a lock file."""
        value = json.loads(self.manifest)
        return {
            "registry": REGISTRY,
            "name": self.name,
            "tag": "latest",
            "purpose": "chat",
            "digest": digest_of(self.manifest),
            "manifest": {"config": value["config"], "layers": value["layers"]},
            **stated,
        }

    def write_folder(self, folder: Path, pin: ModelPin, *, tag: str = "latest") -> None:
        """Write it as an Ollama keeps its models."""
        blobs = BlobFolder(folder)
        blobs.folder.mkdir(parents=True, exist_ok=True)
        for digest, content in self.blobs.items():
            blobs.path(digest).write_bytes(content)
        path = pin.manifest_in(folder).with_name(tag)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.manifest)


def _part(media_type: str, content: bytes) -> str:
    return f'{{"mediaType":"{media_type}","digest":"{digest_of(content)}","size":{len(content)}}}'


def sample_model(
    name: str = "tiny", *, seed: int = 1, size: int = 40_000, template: str = TEMPLATE
) -> SampleModel:
    """Return a chat model of seeded weights."""
    layers = (
        ("model", random_bytes(seed, size)),
        ("template", template.encode()),
        ("system", SYSTEM.encode()),
        ("params", b'{"stop":["."]}'),
    )
    return SampleModel(name=name, layers=layers)


def write_lock_of(
    path: Path, *made: SampleModel, sets: Mapping[str, list[str]] | None = None, **stated: Any
) -> ModelLock:
    """Write a lock of sample models and read it; the set `all` has them all."""
    names = [f"{model.name}:latest" for model in made]
    value = {
        "schema": 1,
        "default": "all",
        "sets": {"all": names, **(sets or {})},
        "models": {f"{model.name}:latest": model.entry(**stated) for model in made},
    }
    path.write_text(json.dumps(value, indent=2), encoding="utf-8")
    return load_model_lock(path)
