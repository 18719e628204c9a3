"""Start a private Ollama on models that are already on this machine, else our mock LLM."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ragbed.errors import ServiceMissing, ServiceNotReady
from ragbed.pins import fetch_command
from ragbed.stack.binaries import Binary, Rejected, Search, search_path, substitute
from ragbed.stack.kinds import ImagePlan, Plan, StartOrder
from ragbed.stack.services.ollama_loading import LoadPolicy, load_models
from ragbed.stack.services.ollama_models import candidates, complaint, size_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ragbed.pins import ServicePins

_TUNED = {
    "OLLAMA_NUM_PARALLEL": "1",  # one request computes at a time: more would share the same cores
    "OLLAMA_MAX_LOADED_MODELS": "2",  # the embedding model and the chat model
    "OLLAMA_KEEP_ALIVE": "30m",  # longer than a coffee, shorter than a night
}
"""What a user may have set otherwise, and then keeps."""


def _serving(models: str) -> dict[str, str]:
    """Return the variables of an Ollama that serves a folder of models, and neither prunes nor adds to it."""
    tuned = {name: os.environ.get(name) or value for name, value in _TUNED.items()}
    return {**tuned, "OLLAMA_MODELS": models, "OLLAMA_NOPRUNE": "1", "OLLAMA_NO_CLOUD": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OllamaStarter:
    """A real Ollama from PATH if it is wanted and has the models, else the mock where that is allowed.

    Attributes:
        embedding: The embedding model, with its tag.
        chat: The chat model, with its tag.
        own_models: ragbed's models folder, whose laid-out stores come first; None knows none.
        loading: How the models are loaded once it listens.
        allow_real: False takes the mock whatever is on PATH.
        allow_mock: False never takes the mock.
        mock_environ: What the mock is told of the project's settings.
    """

    embedding: str
    chat: str
    own_models: Path | None = None
    loading: LoadPolicy = field(default_factory=LoadPolicy)
    allow_real: bool = True
    allow_mock: bool = True
    mock_environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def advice(self) -> str:
        """What a user types who has no Ollama with these models."""
        return f"install ollama where there is none, then: {self._fetch}; or set MODEL_PROVIDER=mock"

    @property
    def _models(self) -> list[str]:
        return [self.embedding, self.chat]

    @property
    def _fetch(self) -> str:
        fetch = fetch_command(self._models)
        return f"{fetch} && {fetch.replace('fetch', 'store', 1)}"

    def search(self, pins: ServicePins, ask: Callable[[Path], str] | None = None) -> Search:
        """Return the program to use; the mock runs on this Python."""
        search = search_path([("ollama", "ollama")], pins, ask) if self.allow_real else Search(binary=None)
        passed_over = list(search.passed_over)
        if search.binary:
            if self._folder():
                return search
            for folder in candidates(self.own_models):
                reason = f"{complaint(self._models, folder)} in {folder}"
                passed_over.append(Rejected(path=search.binary.path, reason=reason))
        if not self.allow_mock:
            return Search(binary=None, passed_over=tuple(passed_over))
        binary = Binary(
            path=Path(sys.executable),
            product="mock-llm",
            version="mock",
            provenance=substitute(),
        )
        return Search(binary=binary, passed_over=tuple(passed_over))

    def image(self, order: StartOrder) -> ImagePlan | None:  # noqa: ARG002 - as every starter
        """Return how to start the image on a folder that has the models; none where the mock is to answer."""
        folder = self._folder() if self.allow_real else None
        if folder is None:
            if self.allow_mock:
                return None
            raise ServiceMissing("there are no models for an Ollama in a container", hint=self._fetch)
        return ImagePlan(
            port=11434,
            url="http://127.0.0.1:{port}",
            environ={**_serving("/models"), "OLLAMA_HOST": "0.0.0.0:11434"},
            mounts={folder: "/models"},
            prove=partial(self._load, folder),
        )

    def plan(self, order: StartOrder) -> Plan:
        """Return how to start it: on a folder that has the models, which it neither prunes nor adds to."""
        binary = order.binary
        url = f"http://127.0.0.1:{order.port}"
        if binary and binary.product == "mock-llm":
            command = [str(binary.path), "-P", "-m", "ragbed.gateway", "--port", str(order.port)]
            environ = dict(self.mock_environ)
            return Plan(command=command, url=url, provenance=binary.provenance, environ=environ)
        folder = self._folder()
        if binary is None or folder is None:
            raise ServiceNotReady(
                "there is no Ollama to start that has the models",
                details=order.search.notes if order.search else (),
                hint=self._fetch,
            )
        order.data.mkdir(parents=True, exist_ok=True)
        environ = {
            **_serving(str(folder)),
            "OLLAMA_HOST": f"127.0.0.1:{order.port}",
            "HOME": str(order.data),  # it writes a key there
        }
        return Plan(
            command=[str(binary.path), "serve"],
            url=url,
            provenance=replace(binary.provenance, models=str(folder)),
            environ=environ,
            prove=partial(self._load, folder, url),
        )

    def _load(self, folder: Path, url: str) -> None:
        size = partial(size_bytes, folder)
        load_models(url, embedding=self.embedding, chat=self.chat, policy=self.loading, size=size)

    def _folder(self) -> Path | None:
        """Return the first folder that has every model."""
        folders = candidates(self.own_models)
        return next((folder for folder in folders if not complaint(self._models, folder)), None)
