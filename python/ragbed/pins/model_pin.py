"""One pinned model: its manifest, so exactly that the bytes can be written again, and what its publisher states."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AliasChoices, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as validated

if TYPE_CHECKING:
    from pathlib import Path

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CLOSED = ConfigDict(extra="forbid")
OLLAMA_REGISTRY = "registry.ollama.ai"
"""Where a model comes from whose name has no host."""

NAME = r"^[a-z0-9](?:[a-z0-9._-]*)(?:/[a-z0-9](?:[a-z0-9._-]*))?$"
TAG = r"^[A-Za-z0-9_][A-Za-z0-9._-]*$"
"""A name or a tag is never a path: none begins with a dot."""

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Count = Annotated[int, Field(strict=True, ge=1)]


@validated(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class Part:
    """One blob as a manifest names it.

    Attributes:
        media_type: What it is: the config, the weights, the template, a licence.
        digest: Of its bytes.
        size_bytes: Of its bytes.
        origin: The file it was made from, where the manifest tells (its key `from`); None where it does not.
    """

    media_type: Annotated[str, Field(validation_alias="mediaType", min_length=1)]
    digest: Digest
    size_bytes: Annotated[int, Field(validation_alias="size", strict=True, ge=0)]
    origin: Annotated[str | None, Field(validation_alias=AliasChoices("from"))] = None

    @property
    def kind(self) -> str:
        """The last word of the media type: `model`, `template`, `params`, `license`, `system`, `adapter`."""
        return (
            "config"
            if self.media_type.endswith("container.image.v1+json")
            else self.media_type.rpartition(".")[2]
        )

    def to_json(self) -> dict[str, str | int]:
        """Return it with the keys and in the order of a manifest."""
        values: dict[str, str | int] = {
            "mediaType": self.media_type,
            "digest": self.digest,
            "size": self.size_bytes,
        }
        return values if self.origin is None else {**values, "from": self.origin}


@validated(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class Manifest:
    """What a model is made of, so exactly that its manifest's bytes can be written again.

    Attributes:
        config: The config blob.
        layers: The other blobs, in order.
        newline: Whether the bytes end in a newline: Ollama writes one under models that it made itself.
    """

    config: Part
    layers: Annotated[tuple[Part, ...], Field(min_length=1)]
    newline: bool = False

    def encode(self) -> bytes:
        """Return the bytes: compact JSON, keys in the order in which registry and Ollama write them.

        Source: manifests of Ollama's library; rebuilt so, they have the digests that Ollama shows.
        """
        parts = [layer.to_json() for layer in self.layers]
        value = {"schemaVersion": 2, "mediaType": _MANIFEST, "config": self.config.to_json(), "layers": parts}
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        return (text + "\n" if self.newline else text).encode()

    @property
    def digest(self) -> str:
        """The model's digest: that of the manifest's bytes, which `/api/tags` reports too."""
        return f"sha256:{sha256(self.encode()).hexdigest()}"

    @property
    def blobs(self) -> tuple[Part, ...]:
        """Every blob once, the largest first."""
        unique = {part.digest: part for part in (*self.layers, self.config)}
        return tuple(sorted(unique.values(), key=lambda part: -part.size_bytes))

    @property
    def size_bytes(self) -> int:
        """The sum of its parts, as `/api/tags` reports it."""
        return sum(part.size_bytes for part in (self.config, *self.layers))


@validated(frozen=True, slots=True, kw_only=True, config=_CLOSED)
class ModelPin:
    """One entry of the lock. What the publisher does not state is None.

    Attributes:
        registry: Host that the model comes from.
        name: Without tag; with a namespace where it is not the library's.
        tag: The tag whose digest this was when it was locked.
        purpose: What we use it for.
        digest: Of the manifest.
        manifest: What the digest is computed from.
        license: As its publisher states it.
        parameters: Their number, for example `8.0B`.
        quantization: For example `Q4_K_M`.
        dimensions: Length of its vectors.
        context: Tokens that it takes at most.
    """

    registry: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]+)?$")]
    name: Annotated[str, Field(pattern=NAME)]
    tag: Annotated[str, Field(pattern=TAG)]
    purpose: Literal["embedding", "chat"]
    digest: Digest
    manifest: Manifest
    license: str | None = None
    parameters: str | None = None
    quantization: str | None = None
    dimensions: Count | None = None
    context: Count | None = None

    @property
    def full_name(self) -> str:
        """Name with tag, as `/api/tags` lists it."""
        return f"{self.name}:{self.tag}"

    @property
    def repository(self) -> str:
        """Its path in a registry and in a models folder."""
        return repository_of(self.name)

    def manifest_in(self, folder: Path) -> Path:
        """Return where a models folder keeps its manifest."""
        return manifest_path(folder, self.full_name, registry=self.registry)

    @property
    def size_bytes(self) -> int:
        """That of its manifest's parts."""
        return self.manifest.size_bytes

    @property
    def weights_bytes(self) -> int:
        """What is loaded at least when the model is: its weights."""
        return sum(
            layer.size_bytes
            for layer in self.manifest.layers
            if layer.kind in {"model", "adapter", "projector"}
        )

    def to_json(self) -> dict[str, Any]:
        """Return the entry as the lock file holds it."""
        manifest: dict[str, Any] = {
            "config": self.manifest.config.to_json(),
            "layers": [layer.to_json() for layer in self.manifest.layers],
            **({"newline": True} if self.manifest.newline else {}),
        }
        stated = ("license", "parameters", "quantization", "dimensions", "context")
        return {
            **{key: getattr(self, key) for key in ("registry", "name", "tag", "purpose")},
            **{key: getattr(self, key) for key in stated if getattr(self, key) is not None},
            "digest": self.digest,
            "manifest": manifest,
        }


def manifest_path(folder: Path, model: str, *, registry: str = OLLAMA_REGISTRY) -> Path:
    """Return where a models folder keeps the manifest of a model.

    Args:
        folder: What `OLLAMA_MODELS` names.
        model: Name with tag.
        registry: Host that it comes from.
    """
    name, _, tag = model.partition(":")
    return folder / "manifests" / registry / repository_of(name) / tag


def repository_of(name: str) -> str:
    """Return the path of a model in a registry and in a models folder: `library/NAME`, or `NAMESPACE/NAME`."""
    return name if "/" in name else f"library/{name}"


def parse_manifest(content: bytes) -> Manifest:
    """Return the parts of a manifest.

    Args:
        content: Its bytes, from a registry or a models folder.

    Raises:
        ValueError: It is not a manifest, or holds more than its parts, so that its bytes could not be written again.
    """
    try:
        value = json.loads(content)
        parts = {"config": value["config"], "layers": value["layers"], "newline": content.endswith(b"\n")}
        manifest = TypeAdapter(Manifest).validate_python(parts)
    except (TypeError, KeyError, ValidationError) as error:
        raise ValueError(f"it is not a model's manifest ({type(error).__name__}: {error})") from error
    if manifest.encode() != content:
        raise ValueError(
            f"its bytes (sha256 {sha256(content).hexdigest()[:12]}) are not what its parts give"
            f" ({manifest.digest.removeprefix('sha256:')[:12]})"
        )
    return manifest
