"""Start a private Ollama on models that are already on this machine, else our mock LLM."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from ragbed.errors import ServiceNotReady
from ragbed.pins import pinned_digests, with_tag
from ragbed.stack.binaries import Binary, Search, search_path
from ragbed.stack.services.base import Plan, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ragbed.pins import ServicePins


@dataclass(frozen=True, slots=True, kw_only=True)
class OllamaStarter:
    """A real Ollama from PATH if it is wanted and has the models, else the mock where that is allowed.

    Attributes:
        models: The models that must be there, name with tag.
        allow_real: False takes the mock whatever is on PATH.
        allow_mock: False never takes the mock.
    """

    models: Sequence[str]
    allow_real: bool = True
    allow_mock: bool = True
    stop_signal: signal.Signals = signal.SIGTERM

    @property
    def advice(self) -> str:
        """What somebody types who has no Ollama with these models."""
        pulls = " && ".join(f"ollama pull {model}" for model in self.models)
        return f"install ollama, then: {pulls}; or set MODEL_PROVIDER=mock"

    def search(self, pins: ServicePins, ask: Callable[[Path], str] | None = None) -> Search:
        """Return the program to use; the mock runs on this Python."""
        found = search_path([("ollama", "ollama")], pins, ask) if self.allow_real else Search(binary=None)
        notes = list(found.passed_over)
        if found.binary:
            wrong = _missing(self.models) or _moved(self.models)
            if not wrong:
                return found
            notes.append(f"{found.binary.path} {wrong} in {models_folder()}")
        if not self.allow_mock:
            return Search(binary=None, passed_over=tuple(notes))
        binary = Binary(
            path=Path(sys.executable),
            product="mock-llm",
            version="mock",
            origin="mock: ragbed's deterministic LLM",
        )
        return Search(binary=binary, passed_over=tuple(notes))

    def plan(self, request: Request) -> Plan:
        """Return how to start it."""
        binary = request.search.binary
        if binary is None:
            raise ServiceNotReady(
                "there is no Ollama to start that has the models",
                details=request.search.passed_over,
                hint=" && ".join(f"ollama pull {model}" for model in self.models) or "install ollama",
            )
        url = f"http://127.0.0.1:{request.port}"
        if binary.product == "mock-llm":
            command = [str(binary.path), "-m", "ragbed.gateway", "--port", str(request.port)]
            return Plan(command=command, url=url, origin=binary.origin)
        request.data.mkdir(parents=True, exist_ok=True)
        environ = {
            "OLLAMA_HOST": f"127.0.0.1:{request.port}",
            "OLLAMA_MODELS": str(models_folder()),
            "OLLAMA_NOPRUNE": "1",
            "OLLAMA_NO_CLOUD": "1",
            "HOME": str(request.data),  # it writes a key there
        }
        return Plan(command=[str(binary.path), "serve"], url=url, origin=binary.origin, environ=environ)


def models_folder() -> Path:
    """Return the folder where this user's Ollama keeps its models."""
    return Path(os.environ.get("OLLAMA_MODELS") or Path.home() / ".ollama" / "models")


def _missing(models: Sequence[str]) -> str:
    missing = [model for model in models if not _manifest(model).exists()]
    return f"has no {' and no '.join(missing)}" if missing else ""


def _moved(models: Sequence[str]) -> str:
    """Tell which models have other manifests than the pinned ones; empty where none has."""
    pinned = pinned_digests()
    found = {model: f"sha256:{sha256(_manifest(model).read_bytes()).hexdigest()}" for model in models}
    moved = [model for model, digest in found.items() if digest != pinned.get(model, digest)]
    return f"has not the pinned {' and not the pinned '.join(moved)}" if moved else ""


def _manifest(model: str) -> Path:
    name, _, tag = with_tag(model).partition(":")
    library = name if "/" in name else f"library/{name}"
    return models_folder() / "manifests" / "registry.ollama.ai" / library / tag
