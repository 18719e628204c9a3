"""What a live Ollama says of its models: `/api/tags`, `/api/show`. It is only read."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ragbed.errors import ServiceMissing
from ragbed.guard import NotThere, WrongService, redacted
from ragbed.guard.stores import OllamaStore
from ragbed.guard.stores.http import request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ragbed.guard import Identity

_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """A model as a server lists it.

    Attributes:
        name: With its tag.
        digest: Of its manifest.
        size_bytes: Of all its parts.
        quantization: As the server says; empty where it says nothing.
        parameters: Their number, in the server's words; empty where it says nothing.
    """

    name: str
    digest: str
    size_bytes: int
    quantization: str
    parameters: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """A model in memory.

    Attributes:
        size_bytes: What it takes in all.
        gpu_bytes: What of it lies on a graphics card.
    """

    size_bytes: int
    gpu_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownModel:
    """What a server tells of one model when it is asked.

    Attributes:
        template: Its prompt template; None where it does not say.
        system: Its system prompt; None where it does not say.
        weights: Digest of the weights that its modelfile names; empty where it names none.
        folder: The models folder that its modelfile names; empty where it names none.
        dimensions: Length of its vectors; None where it does not say.
        context: Tokens that it takes; None where it does not say.
        capabilities: `embedding`, `completion` and so on; empty for servers that do not say.
    """

    template: str | None
    system: str | None
    weights: str
    folder: str
    dimensions: int | None
    context: int | None
    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LiveServer:
    """A live Ollama.

    Attributes:
        url: Its root.
        timeout_s: How long one answer may take.
    """

    url: str
    timeout_s: float = _TIMEOUT_S

    @property
    def shown(self) -> str:
        """The address without its secrets."""
        return redacted(self.url)

    def product(self) -> str:
        """Return what answers: `ollama`, or `mock-llm`.

        Raises:
            ServiceMissing: Nothing answers, or something else.
        """
        return self.identity().product

    def identity(self) -> Identity:
        """Return what answers, in which version, with which models.

        Raises:
            ServiceMissing: Nothing answers, or something else.
        """
        try:
            return OllamaStore(self.url, timeout_s=self.timeout_s).identify()
        except (NotThere, WrongService) as error:
            raise ServiceMissing(
                f"no Ollama answers at {self.shown}: {error}", hint="start it, or give another --url"
            ) from error

    def models(self) -> dict[str, ServedModel]:
        """Return every model by name with tag."""
        answer = self._ask("GET", "/api/tags")
        with self._understood("/api/tags"):
            return {served.name: served for served in map(_served, answer.get("models") or ())}

    def loaded(self) -> dict[str, LoadedModel]:
        """Return every model that is in memory, by name with tag."""
        answer = self._ask("GET", "/api/ps")
        with self._understood("/api/ps"):
            return {str(value.get("name")): _loaded(value) for value in answer.get("models") or ()}

    def show(self, model: str) -> ShownModel:
        """Return what it tells of one model."""
        answer = self._ask("POST", "/api/show", {"model": model})
        with self._understood("/api/show"):
            return _shown(answer)

    def _ask(self, method: str, path: str, body: object = None) -> Mapping[str, Any]:
        try:
            answer = request(self.url, method, path, body=body, timeout_s=self.timeout_s)
        except (NotThere, WrongService) as error:
            raise ServiceMissing(f"{self.shown}{path} does not answer: {error}") from error
        if answer.status != 200 or not isinstance(answer.value, dict):
            raise ServiceMissing(f"{self.shown}{path} answers {answer.status}: {str(answer.value)[:200]}")
        return answer.value

    @contextmanager
    def _understood(self, path: str) -> Iterator[None]:
        """Take apart an answer of the right form; of another form it is none of an Ollama."""
        try:
            yield
        except (AttributeError, TypeError, ValueError) as error:
            raise ServiceMissing(
                f"{self.shown}{path} does not answer as an Ollama does: {error}",
                hint="give another --url, or set OLLAMA_HOST to an Ollama",
            ) from error


def _loaded(value: Mapping[str, Any]) -> LoadedModel:
    return LoadedModel(size_bytes=int(value.get("size") or 0), gpu_bytes=int(value.get("size_vram") or 0))


def _served(value: Mapping[str, Any]) -> ServedModel:
    details = value.get("details") or {}
    digest = str(value.get("digest") or "")
    return ServedModel(
        name=str(value.get("name") or value.get("model") or ""),
        digest=digest if digest.startswith("sha256:") else f"sha256:{digest}",
        size_bytes=int(value.get("size") or 0),
        quantization=str(details.get("quantization_level") or ""),
        parameters=str(details.get("parameter_size") or ""),
    )


def _shown(value: Mapping[str, Any]) -> ShownModel:
    info = value.get("model_info") or {}
    weights, folder = _weights(str(value.get("modelfile") or ""))
    return ShownModel(
        template=value.get("template"),
        system=value.get("system"),
        weights=weights,
        folder=folder,
        dimensions=_last(info, ".embedding_length"),
        context=_last(info, ".context_length"),
        capabilities=tuple(value.get("capabilities") or ()),
    )


def _weights(modelfile: str) -> tuple[str, str]:
    """Return the digest and the models folder in a modelfile's line `FROM FOLDER/blobs/sha256-HEX`."""
    for line in modelfile.splitlines():
        path = line.removeprefix("FROM ").strip()
        folder, marker, name = path.replace("\\", "/").rpartition("/blobs/")
        if line.startswith("FROM ") and marker and name.startswith("sha256-"):
            return name.replace("-", ":", 1), folder
    return "", ""


def _last(info: Mapping[str, Any], ending: str) -> int | None:
    numbers = [value for key, value in info.items() if key.endswith(ending) and isinstance(value, int)]
    return numbers[0] if numbers else None
